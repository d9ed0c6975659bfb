"""Hold the change log against the bits: undone from the newest version on, it must come to what it began with.

Undoing an addition takes a bit that must be there, undoing a removal gives one that must not. Where the log reaches the
beginning of a block, nobody may be left with a tag. What was logged of forgotten people says more than what they had,
so it is passed over (docs/architecture/17-looking-back.md).
"""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_BYTES, ChangeCause, offsets_in, ordinal_at
from service.entities.revision import Revision
from service.storage import users
from service.storage.blocks import change_log, heads, members
from service.storage.blocks.change_log import StoredChange
from service.storage.database.pool import Connection

# Of each channel, unless the whole log is to be looked at.
SAMPLED_BLOCKS: Final = 8
LINES_PER_TURN: Final = 500


@dataclass(slots=True)
class Replay:
    """Undo the log of one block, newest line first, and count in `wrong` what cannot be undone."""

    newest: Revision
    bits: dict[int, bytearray]
    wrong: int = 0
    last: Revision = field(init=False)
    begun: bool = False

    def __post_init__(self) -> None:
        self.last = self.newest

    def undo(self, change: StoredChange) -> None:
        """Undo one line."""
        self._follow(change.revision)
        if change.cause is ChangeCause.FORGOTTEN:
            return
        if change.tag_id is not None:
            self._undo(change.tag_id, int.from_bytes(change.added_members), int.from_bytes(change.removed_members))
            return
        offset = change.offset or 0
        for tag_id in change.added:
            self._set(tag_id, offset, before=True)
        for tag_id in change.removed:
            self._set(tag_id, offset, before=False)

    def end(self, base: Revision) -> None:
        """Say which version is no longer in the log."""
        last = self.last.version if self.begun else self.newest.version + 1
        self.wrong += last != base.version + 1 or (self.begun and self.last.at < base.at)

    def _follow(self, revision: Revision) -> None:
        """Count a version that is missing, and an instant later than that of the version after it."""
        if not self.begun:
            self.wrong += revision != self.newest
        elif revision.version == self.last.version:
            self.wrong += revision.at != self.last.at
        else:
            self.wrong += revision.version != self.last.version - 1 or revision.at > self.last.at
        self.last, self.begun = revision, True

    def _set(self, tag_id: int, offset: int, *, before: bool) -> None:
        """Turn one bit over, which is to be as it was `before`."""
        bits = self.bits.setdefault(tag_id, bytearray(BLOCK_BYTES))
        place, mask = offset >> 3, 0x80 >> (offset & 7)
        self.wrong += bool(bits[place] & mask) is not before
        bits[place] = bits[place] & ~mask if before else bits[place] | mask

    def _undo(self, tag_id: int, added: int, removed: int) -> None:
        bits = int.from_bytes(self.bits.get(tag_id, b""))
        self.wrong += (added & ~bits).bit_count() + (removed & bits).bit_count()
        self.bits[tag_id] = bytearray((bits & ~added | removed).to_bytes(BLOCK_BYTES))


async def verify_log(runtime: Runtime, channel_id: int, blocks: Iterable[int], *, whole: bool, repair: bool) -> int:
    """Count what the logs of some of these blocks say that cannot have been, or with `whole` of all of them.

    With `repair` the log of such a block is deleted, so that nothing wrong is read from it: it begins anew.
    """
    every = list(blocks)
    chosen = every if whole else sorted(random.SystemRandom().sample(every, min(SAMPLED_BLOCKS, len(every))))
    wrong = 0
    for block in chosen:
        async with runtime.pool.acquire() as conn:
            found = await _wrong_lines(conn, channel_id, block)
            if found and repair:
                async with conn.transaction():
                    await heads.lock_heads(conn, channel_id, [block])
                    await change_log.cut_log(conn, channel_id, block)
        wrong += found
    return wrong


async def _wrong_lines(conn: Connection, channel_id: int, block: int) -> int:
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        bounds = await change_log.log_bounds(conn, channel_id, block)
        present = await members.bits_of_block(conn, channel_id, block)
        replay = Replay(bounds.newest, {tag_id: bytearray(bits) for tag_id, bits in present.items()})
        number = 0
        async for change in change_log.log_of_block(conn, channel_id, block):
            replay.undo(change)
            number += 1
            if number % LINES_PER_TURN == 0:
                await asyncio.sleep(0)
        replay.end(bounds.base)
        left = 0 if bounds.base.version else await _people_left(conn, channel_id, block, replay.bits.values())
    return replay.wrong + left


async def _people_left(conn: Connection, channel_id: int, block: int, bits: Iterable[bytearray]) -> int:
    """Count the people of a block who would have had tags before anything happened.

    Ordinals that nobody has any more do not count: what was logged of those people is gone.
    """
    left = 0
    for each in bits:
        left |= int.from_bytes(each)
    ordinals = [ordinal_at(block, offset) for offset in offsets_in(left.to_bytes(BLOCK_BYTES))]
    return len(await users.users_by_ordinal(conn, channel_id, ordinals)) if ordinals else 0
