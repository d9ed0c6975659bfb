"""Find who was in an audience at an earlier instant, from the present bits and the change log backwards.

The rules: docs/specification.md §6.10; why it is done so: docs/architecture/17-looking-back.md.
"""

import asyncio
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_BYTES
from service.entities.errors import BadInputError, FieldError
from service.entities.expressions import TAGS_OF_FOLLOWERS, Expression
from service.entities.tags import DefaultTagRule
from service.foundation.slices import in_slices
from service.storage.audiences import AudienceSize, BlockMembers
from service.storage.blocks.past_members import (
    MAX_BLOCKS,
    PastBlock,
    PastMembers,
    log_reach,
    past_members,
    shown_steps,
    versions_at,
)
from service.storage.database.pool import Connection

# The argument by which clients name the instant.
INSTANT: Final = "as_of"
# Of one statement: blocks times tags. Two statements at a time keep both sides of the connection busy.
MAX_BITMAPS_PER_QUERY: Final = 640
MAX_CONCURRENT_QUERIES: Final = 2
# Flips between two turns of the event loop, a few milliseconds.
FLIPS_PER_TURN: Final = 20_000
# Those who follow and those who are touchable, whom every audience counts.
FOLLOW_TIME: Final = frozenset({DefaultTagRule.NEW_USER, DefaultTagRule.OLD_USER})
COUNTED: Final = FOLLOW_TIME | {DefaultTagRule.TOUCHABLE}


@dataclass(frozen=True, slots=True)
class Past:
    """Hold an instant that the logs of a channel reach, and the tags that nobody showed then."""

    at: datetime
    hidden: frozenset[int]

    def seen(self, tag_ids: Iterable[int]) -> list[int]:
        """Return those of `tag_ids` that people showed then, ascending."""
        return sorted(set(tag_ids) - self.hidden)


async def past_of(conn: Connection, runtime: Runtime, channel_id: int, expression: Expression, at: datetime) -> Past:
    """Return what there is to know of an instant, for an expression of tags that are shown now.

    Raises BadInputError, naming the earliest instant, where the logs do not reach it or it is still to come.
    """
    await check_instant(conn, runtime, channel_id, at, INSTANT)
    steps = await shown_steps(conn, channel_id, leaves_of(expression) | COUNTED, at)
    return Past(at, frozenset(tag_id for tag_id, each in steps.items() if each[0].shown_after))


async def check_instant(conn: Connection, runtime: Runtime, channel_id: int, at: datetime, argument: str) -> None:
    """Raise BadInputError, naming the earliest instant, where the logs do not reach `at` or it is still to come."""
    reach = await log_reach(conn, channel_id)
    if at < reach:
        raise BadInputError(_out_of_reach(argument, "TOO_EARLY", "That is longer ago than is known", reach))
    if at > runtime.clock():
        raise BadInputError(_out_of_reach(argument, "IN_FUTURE", "That is still to come", reach))


async def past_size(runtime: Runtime, channel_id: int, expression: Expression, past: Past) -> AudienceSize:
    """Count who was in a set, and who of them followed and was touchable at the same instant.

    Raises BadInputError if the log was pruned meanwhile and no longer reaches the instant.
    """
    tag_ids = past.seen(leaves_of(expression) | COUNTED)
    async with runtime.long_reads, runtime.pool.acquire() as conn:
        versions = await reached_versions(conn, channel_id, past.at)
    size = max(1, MAX_BITMAPS_PER_QUERY // max(1, len(tag_ids)))
    semaphore = asyncio.Semaphore(MAX_CONCURRENT_QUERIES)

    async def count(some: Mapping[int, int]) -> list[tuple[int, int, int]]:
        async with semaphore, runtime.long_reads, runtime.pool.acquire() as conn:
            found = await _past_blocks(conn, channel_id, tag_ids, some)
        return [_counted(expression, await _members_of(each)) for each in found]

    every = list(versions.items())
    parts = [dict(every[first : first + size]) for first in range(0, len(every), size)]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(count(some)) for some in parts]
    except BaseExceptionGroup as errors:
        # Callers know the errors one by one.
        raise errors.exceptions[0] from None
    counts = [(0, 0, 0), *(each for task in tasks for each in task.result())]
    return AudienceSize(*(sum(column) for column in zip(*counts, strict=True)))


async def past_blocks_of_audience(
    conn: Connection, channel_id: int, expression: Expression, past: Past, *, start: int, limit: int
) -> list[BlockMembers]:
    """Return the first `limit` blocks from `start` on in which a set had members, ascending.

    Raises BadInputError if the log was pruned meanwhile and no longer reaches the instant.
    """
    tag_ids = past.seen(leaves_of(expression))
    found: list[BlockMembers] = []
    while True:
        versions = await reached_versions(conn, channel_id, past.at, start=start, limit=limit)
        for each in await _past_blocks(conn, channel_id, tag_ids, versions):
            members = expression.members(await _members_of(each))
            if members:
                found.append(BlockMembers(each.block, members.to_bytes(BLOCK_BYTES)))
        if len(found) >= limit or len(versions) < limit:
            return found[:limit]
        start = max(versions) + 1


async def reached_versions(
    conn: Connection,
    channel_id: int,
    at: datetime,
    *,
    start: int = 0,
    limit: int = MAX_BLOCKS,
    argument: str = INSTANT,
) -> dict[int, int]:
    """Return the versions that blocks had at an instant. Raises BadInputError if the log of one was pruned since."""
    versions = await versions_at(conn, channel_id, at, start=start, limit=limit)
    reached = {block: version for block, version in versions.items() if version is not None}
    if len(reached) < len(versions):
        raise await _pruned(conn, channel_id, argument)
    return reached


def leaves_of(expression: Expression) -> frozenset[int]:
    """Return the tags whose members an expression is made of, those that tell who follows among them."""
    followers = TAGS_OF_FOLLOWERS if expression.has_followers() else frozenset()
    return frozenset(expression.tag_ids()) | followers


async def _members_of(found: PastBlock) -> dict[int, int]:
    """Return the members that tags had in a block, `{tag_id: bitmap}`, each bitmap as a number."""
    return {tag_id: await _flipped(each) for tag_id, each in found.tags.items()}


async def _flipped(past: PastMembers) -> int:
    bits = bytearray(past.members or bytes(BLOCK_BYTES))
    for packed in past.offsets:
        offsets = array("H", packed)
        if sys.byteorder == "little":
            offsets.byteswap()
        async for some in in_slices(offsets, FLIPS_PER_TURN):
            for offset in some:
                bits[offset >> 3] ^= 0x80 >> (offset & 7)
    return int.from_bytes(bits) ^ int.from_bytes(past.flips)


def _counted(expression: Expression, members: Mapping[int, int]) -> tuple[int, int, int]:
    everybody = expression.members(members)
    following = 0
    for tag_id in FOLLOW_TIME:
        following |= members.get(tag_id, 0)
    touchable = members.get(DefaultTagRule.TOUCHABLE, 0)
    return everybody.bit_count(), (everybody & following).bit_count(), (everybody & touchable).bit_count()


async def _past_blocks(
    conn: Connection, channel_id: int, tag_ids: Sequence[int], versions: Mapping[int, int]
) -> list[PastBlock]:
    found = await past_members(conn, channel_id, tag_ids, versions)
    if not all(each.reached for each in found):
        raise await _pruned(conn, channel_id, INSTANT)
    return found


async def _pruned(conn: Connection, channel_id: int, argument: str) -> BadInputError:
    reach = await log_reach(conn, channel_id)
    return BadInputError(_out_of_reach(argument, "TOO_EARLY", "That is longer ago than is known", reach))


def _out_of_reach(argument: str, code: str, reason: str, reach: datetime) -> FieldError:
    # Rounded up, so that the instant can be asked for as it is named.
    earliest = (reach + timedelta(seconds=1, microseconds=-1)).replace(microsecond=0, tzinfo=None).isoformat()
    return FieldError((argument,), code, f"{reason}: the earliest instant is {earliest}Z.")
