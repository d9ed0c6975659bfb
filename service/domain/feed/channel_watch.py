"""Keep the subscribers of one channel up to date, block by block."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from service.domain.feed.position_reader import PositionKey, PositionReader
from service.domain.feed.replay import structural_steps
from service.domain.feed.subscriber import BlockWatch, Subscriber
from service.domain.feed.watch import Watch
from service.entities.blocks import ChangeCause
from service.entities.tags import Catalogue, UserTagChange
from service.storage import feed, tags
from service.storage.blocks import change_log
from service.storage.database.pool import Connection, Pool


class JoinedAt(NamedTuple):
    """Hold where a subscriber starts: its user's position, None while the user is unknown, and the catalogue."""

    block_position: feed.BlockPosition | None
    catalogue: Catalogue


class ChannelWatch(Watch):
    """Keep every subscriber at a revision of its block and at that of the catalogue.

    What was read from the database is compared with memory and applied without an await in between, so that no change
    falls into a gap (docs/architecture/05-one-hub.md).
    """

    def __init__(self, pool: Pool, channel_id: int, *, resync_interval: float) -> None:
        super().__init__(pool, channel_id, resync_interval=resync_interval)
        self._catalogue: Catalogue | None = None
        self._catching_up_tags = asyncio.Lock()
        self._catching_up_blocks = asyncio.Lock()
        self._blocks: dict[int, BlockWatch] = {}
        self._unknown: dict[str, set[Subscriber]] = {}

    async def join(self, positions: PositionReader, subscriber: Subscriber) -> JoinedAt:
        """Start a subscriber where the channel and the user's block stand, and return both.

        Later changes go to its mailbox, until `leave`.
        """
        while True:
            if self._catalogue is None:
                await self._load_catalogue()
            position = await positions.require(PositionKey(self.channel_id, subscriber.openid))
            catalogue, block_position = self._catalogue, position.in_block
            if catalogue is None or position.tag_revision != catalogue.revision:
                async with self._pool.acquire() as conn:
                    await self._catch_up_tags(conn)
            elif self._attach(subscriber, block_position):
                return JoinedAt(block_position, catalogue)
            elif block_position is not None:
                # The block moved on after the position was read; or it went back, which shows here.
                async with self._pool.acquire() as conn:
                    await self._catch_up_block(conn, block_position.block)

    def leave(self, subscriber: Subscriber) -> None:
        """Send a subscriber nothing more."""
        if subscriber.block_position is None:
            readers = self._unknown.get(subscriber.openid, set())
            readers.discard(subscriber)
            if not readers:
                self._unknown.pop(subscriber.openid, None)
        else:
            self._detach(subscriber, subscriber.block_position)

    async def catch_up(self, conn: Connection, dirty: set[int | None], *, everything: bool) -> None:
        """Read what changed in the blocks that are watched, and in the tag states, and tell the subscribers."""
        if self._catalogue is None:
            return
        if everything:
            dirty |= await self._outdated(conn, self._catalogue)
        # Blocks first: when a combo enters into force, subscribers must already stand at the bits of its members.
        for number in sorted(number for number in dirty if number in self._blocks and number is not None):
            await self._catch_up_block(conn, number)
        if None in dirty:
            await self._catch_up_tags(conn)
        if self._unknown and (dirty or everything):
            await self._attach_known_users(conn)

    async def _load_catalogue(self) -> None:
        """Read the catalogue for the first subscriber.

        No task that holds a connection waits for this lock before there is a catalogue, so the lock may be held while
        waiting for a connection.
        """
        async with self._catching_up_tags:
            if self._catalogue is None:
                async with self._pool.acquire() as conn:
                    self._catalogue = await tags.catalogue(conn, self.channel_id)

    def _subscribers(self) -> Iterator[Subscriber]:
        for block in self._blocks.values():
            yield from block.everyone()
        for readers in self._unknown.values():
            yield from readers

    def _attach(self, subscriber: Subscriber, block_position: feed.BlockPosition | None) -> bool:
        """Return False when the block moved on after `block_position` was read: then it must be read again."""
        if block_position is None:
            subscriber.move_to(None, None)
            self._unknown.setdefault(subscriber.openid, set()).add(subscriber)
            # The user may have become known since, and the notification of it may have been handled already.
            self.check_everything()
            return True
        block = self._blocks.get(block_position.block)
        if block is None:
            block = self._blocks[block_position.block] = BlockWatch(block_position.revision)
            # The notification of a later version may have arrived before this block was watched.
            self.check_everything()
        elif block.revision.version > block_position.revision.version:
            return False
        subscriber.move_to(block_position, block)
        block.readers.setdefault(block_position.offset, set()).add(subscriber)
        return True

    def _detach(self, subscriber: Subscriber, block_position: feed.BlockPosition) -> None:
        block = self._blocks.get(block_position.block)
        if block is None or block is not subscriber.block:
            return
        readers = block.readers.get(block_position.offset, set())
        readers.discard(subscriber)
        if not readers:
            block.readers.pop(block_position.offset, None)
        if not block.readers:
            del self._blocks[block_position.block]

    async def _outdated(self, conn: Connection, catalogue: Catalogue) -> set[int | None]:
        """Return the blocks, and None for the tag states, whose revision in the database is not the one in memory."""
        known = {number: block.revision for number, block in self._blocks.items()}
        revisions = await feed.current_revisions(conn, self.channel_id, known)
        if revisions is None:
            raise LookupError("a channel never loses its state")
        outdated: set[int | None] = {
            number for number, revision in known.items() if revisions.blocks.get(number) != revision
        }
        return outdated | ({None} if revisions.tags != catalogue.revision else set())

    async def _catch_up_tags(self, conn: Connection) -> None:
        async with self._catching_up_tags:
            before = self._catalogue
            if before is None:
                return
            while True:
                since = await tags.tag_changes_since(conn, self.channel_id, before.revision)
                after = await tags.catalogue(conn, self.channel_id)
                if after.revision == since.revision:
                    break
            self._catalogue = after
            if not since.known or any(change.kind == "GATE" for change in since.changes):
                for subscriber in self._subscribers():
                    subscriber.send_reset(after)
                return
            for step in structural_steps(since.changes):
                for subscriber in self._subscribers():
                    subscriber.apply_step(step, after)

    async def _catch_up_block(self, conn: Connection, number: int) -> None:
        async with self._catching_up_blocks:
            block = self._blocks.get(number)
            if block is not None:
                await self._read_block(conn, number, block)

    async def _read_block(self, conn: Connection, number: int, block: BlockWatch) -> None:
        offsets: set[int] = set()
        migrated: set[str] = set()
        found: dict[str, feed.BlockPosition] = {}
        while True:
            # A subscriber that joined during the read may have missed a version: read again with its offset.
            offsets |= block.readers.keys()
            since = await change_log.changes_since(conn, self.channel_id, number, block.revision, offsets)
            if self._blocks.get(number) is not block or self._catalogue is None:
                return
            if not since.known:
                await self._reset_block(conn, number, block)
                return
            if block.readers.keys() <= offsets:
                migrated_now = _migrated_openids(block, since.changes)
                if migrated_now <= migrated:
                    break
                migrated = migrated_now
                found = await feed.block_positions_of(conn, self.channel_id, migrated)
        for change in since.changes:
            for subscriber in tuple(block.readers.get(change.offset, ())):
                if change.cause is ChangeCause.OPENID_MIGRATED:
                    self._follow_migrated(subscriber, change, found.get(subscriber.openid), self._catalogue)
                    continue
                subscriber.apply_bit_change(change, self._catalogue)
                if change.cause is ChangeCause.FORGOTTEN:
                    # A user who comes back has another ordinal.
                    self.leave(subscriber)
                    self._attach(subscriber, None)
        block.revision = since.revision

    def _follow_migrated(
        self,
        subscriber: Subscriber,
        change: UserTagChange,
        block_position: feed.BlockPosition | None,
        catalogue: Catalogue,
    ) -> None:
        """Move a subscriber to where the person is whose openid it has, and send the difference as one event.

        Of two users who became one, the one of this block may be the one who is no more.
        """
        if subscriber.block_position is None or change.version <= subscriber.block_position.revision.version:
            return
        self.leave(subscriber)
        if block_position is not None and not self._attach(subscriber, block_position):
            # The other block moved on after the position was read; it is read again with those of unknown users.
            self._attach(subscriber, None)
            return
        if block_position is None:
            self._attach(subscriber, None)
        shown = catalogue.shown(subscriber.bits)
        subscriber.emit_difference(shown, catalogue, catalogue.revision, change.cause, change.at)

    async def _reset_block(self, conn: Connection, number: int, block: BlockWatch) -> None:
        """Send a reset to all readers of a block whose revision a restored or pruned log does not hold."""
        asked: set[str] = set()
        found: dict[str, feed.BlockPosition] = {}
        while (openids := {each.openid for each in block.everyone()}) - asked:
            asked = openids
            found = await feed.block_positions_of(conn, self.channel_id, asked)
        catalogue = self._catalogue
        if self._blocks.get(number) is not block or catalogue is None:
            return
        for subscriber in block.everyone():
            self.leave(subscriber)
            block_position = found.get(subscriber.openid)
            if block_position is not None and block_position.block == number:
                self._blocks[number] = block
                block.revision = block_position.revision
            if not self._attach(subscriber, block_position):
                self._attach(subscriber, None)
            subscriber.send_reset(catalogue)

    async def _attach_known_users(self, conn: Connection) -> None:
        """Move the subscribers of unknown users who have become known to their blocks."""
        found = await feed.block_positions_of(conn, self.channel_id, self._unknown)
        catalogue = self._catalogue
        if catalogue is None:
            return
        for openid, block_position in found.items():
            for subscriber in tuple(self._unknown.get(openid, ())):
                block = self._blocks.get(block_position.block)
                if block is not None and block.revision.version > block_position.revision.version:
                    self.check_everything()
                    continue
                self.leave(subscriber)
                self._attach(subscriber, block_position)
                subscriber.emit_difference(
                    catalogue.shown(subscriber.bits),
                    catalogue,
                    catalogue.revision,
                    block_position.last_cause or ChangeCause.EVENT,
                    block_position.revision.at,
                )


def _migrated_openids(block: BlockWatch, changes: Iterable[UserTagChange]) -> set[str]:
    """Return the openids of the readers of a block whom changes moved to another ordinal, or others to theirs."""
    offsets = {change.offset for change in changes if change.cause is ChangeCause.OPENID_MIGRATED}
    return {reader.openid for offset in offsets for reader in block.readers.get(offset, ())}
