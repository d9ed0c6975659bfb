"""The open conversation pages of one channel, block by block."""

import asyncio
from collections.abc import Iterator

from service.domain.feed.position_reader import PositionReader
from service.domain.feed.replay import structural_steps
from service.domain.feed.subscriber import BlockWatch, Subscriber
from service.domain.feed.watch import Watch
from service.entities.enums import ChangeCause
from service.entities.tags import Catalogue
from service.storage import feed, tags
from service.storage.blocks import change_log
from service.storage.database.pool import Connection, Pool


class ChannelWatch(Watch):
    """Every subscriber stands at a version of their block and at the version of the catalogue.

    Whatever was read from the database is compared with memory and applied without an await between, so that nothing
    falls into a gap.
    """

    def __init__(self, pool: Pool, channel_id: int, *, heal_every: float) -> None:
        super().__init__(pool, channel_id, heal_every=heal_every)
        self._catalogue: Catalogue | None = None
        self._catching_up_tags = asyncio.Lock()
        self._catching_up_blocks = asyncio.Lock()
        self._blocks: dict[int, BlockWatch] = {}
        self._unknown: dict[str, set[Subscriber]] = {}

    async def join(
        self, positions: PositionReader, subscriber: Subscriber
    ) -> tuple[feed.BlockPosition | None, Catalogue]:
        """Puts a new subscriber where the channel and their block stand; changes after that go to the mailbox."""
        while True:
            if self._catalogue is None:
                await self._load_catalogue()
            position = await positions.position_of(self.channel_id, subscriber.openid)
            catalogue, place = self._catalogue, position.in_block
            if catalogue is None or (position.tag_version, position.tag_version_at) != catalogue.place:
                async with self._pool.acquire() as conn:
                    await self._catch_up_tags(conn)
            elif self._admit(subscriber, place):
                return place, catalogue
            elif place is not None:
                # Read again if the block moved on meanwhile; if it went back, that shows here.
                async with self._pool.acquire() as conn:
                    await self._catch_up_block(conn, place.block)

    def leave(self, subscriber: Subscriber) -> None:
        if subscriber.place is None:
            readers = self._unknown.get(subscriber.openid, set())
            readers.discard(subscriber)
            if not readers:
                self._unknown.pop(subscriber.openid, None)
        else:
            self._leave_block(subscriber, subscriber.place)

    async def catch_up(self, conn: Connection, dirty: set[int | None], *, everything: bool) -> None:
        if self._catalogue is None:
            return
        if everything:
            dirty |= await self._behind(conn, self._catalogue)
        # Blocks first: when a combo enters into force, pages must know by then who has it.
        for number in sorted(number for number in dirty if number in self._blocks and number is not None):
            await self._catch_up_block(conn, number)
        if None in dirty:
            await self._catch_up_tags(conn)
        if self._unknown and (dirty or everything):
            await self._recognise(conn)

    async def _load_catalogue(self) -> None:
        """Nobody who has a connection waits for this lock before there is a catalogue, so it may wait for one."""
        async with self._catching_up_tags:
            if self._catalogue is None:
                async with self._pool.acquire() as conn:
                    self._catalogue = await tags.catalogue(conn, self.channel_id)

    def _subscribers(self) -> Iterator[Subscriber]:
        for block in self._blocks.values():
            yield from block.everyone()
        for readers in self._unknown.values():
            yield from readers

    def _admit(self, subscriber: Subscriber, place: feed.BlockPosition | None) -> bool:
        """False when the block moved on after `place` was read: then it must be read again."""
        if place is None:
            subscriber.take_place(None, None)
            self._unknown.setdefault(subscriber.openid, set()).add(subscriber)
            # The person may have become known since, and the wake-up that said so may be spent.
            self.check_everything()
            return True
        block = self._blocks.get(place.block)
        if block is None:
            block = self._blocks[place.block] = BlockWatch(place.version, place.at)
            # The wake-up of a version after `place` may have come when nobody watched this block.
            self.check_everything()
        elif block.version > place.version:
            return False
        subscriber.take_place(place, block)
        block.readers.setdefault(place.offset, set()).add(subscriber)
        return True

    def _leave_block(self, subscriber: Subscriber, place: feed.BlockPosition) -> None:
        block = self._blocks.get(place.block)
        if block is None or block is not subscriber.block:
            return
        readers = block.readers.get(place.offset, set())
        readers.discard(subscriber)
        if not readers:
            block.readers.pop(place.offset, None)
        if not block.readers:
            del self._blocks[place.block]

    async def _behind(self, conn: Connection, catalogue: Catalogue) -> set[int | None]:
        """What stands elsewhere in the database than in memory."""
        known = {number: (block.version, block.at) for number, block in self._blocks.items()}
        standing = await feed.standing(conn, self.channel_id, known)
        if standing is None:
            raise LookupError("a channel never loses its state")
        behind: set[int | None] = {number for number, place in known.items() if standing.blocks.get(number) != place}
        return behind | ({None} if standing.tags != catalogue.place else set())

    async def _catch_up_tags(self, conn: Connection) -> None:
        async with self._catching_up_tags:
            before = self._catalogue
            if before is None:
                return
            while True:
                since = await tags.tag_changes_since(conn, self.channel_id, (before.version, before.at))
                after = await tags.catalogue(conn, self.channel_id)
                if after.version == since.version:
                    break
            self._catalogue = after
            if not since.known or any(change.kind == "GATE" for change in since.changes):
                for subscriber in self._subscribers():
                    subscriber.start_over(after)
                return
            for step in structural_steps(since.changes):
                for subscriber in self._subscribers():
                    subscriber.step(step, after)

    async def _catch_up_block(self, conn: Connection, number: int) -> None:
        async with self._catching_up_blocks:
            block = self._blocks.get(number)
            if block is not None:
                await self._read_block(conn, number, block)

    async def _read_block(self, conn: Connection, number: int, block: BlockWatch) -> None:
        offsets: set[int] = set()
        while True:
            # Whoever joined while this was read may have missed a version in it: read again with them.
            offsets |= block.readers.keys()
            since = await change_log.changes_since(conn, self.channel_id, number, (block.version, block.at), offsets)
            if self._blocks.get(number) is not block or self._catalogue is None:
                return
            if not since.known:
                await self._start_block_over(conn, number, block)
                return
            if block.readers.keys() <= offsets:
                break
        for change in since.changes:
            for subscriber in tuple(block.readers.get(change.offset, ())):
                subscriber.bits_changed(change, self._catalogue)
                if change.cause is ChangeCause.FORGOTTEN:
                    # Should they come back, they will have another ordinal.
                    self.leave(subscriber)
                    self._admit(subscriber, None)
        block.version, block.at = since.version, since.at

    async def _start_block_over(self, conn: Connection, number: int, block: BlockWatch) -> None:
        """The log does not know what this block was at: a restored or pruned database. Everybody gets a reset."""
        asked: set[str] = set()
        found: dict[str, feed.BlockPosition] = {}
        while (openids := {each.openid for each in block.everyone()}) - asked:
            asked = openids
            found = await feed.positions_of(conn, self.channel_id, asked)
        catalogue = self._catalogue
        if self._blocks.get(number) is not block or catalogue is None:
            return
        for subscriber in block.everyone():
            self.leave(subscriber)
            place = found.get(subscriber.openid)
            if place is not None and place.block == number:
                self._blocks[number] = block
                block.version, block.at = place.version, place.at
            if not self._admit(subscriber, place):
                self._admit(subscriber, None)
            subscriber.start_over(catalogue)

    async def _recognise(self, conn: Connection) -> None:
        """People who were unknown when their page was opened, and who have been seen since."""
        found = await feed.positions_of(conn, self.channel_id, self._unknown)
        catalogue = self._catalogue
        if catalogue is None:
            return
        for openid, place in found.items():
            for subscriber in tuple(self._unknown.get(openid, ())):
                block = self._blocks.get(place.block)
                if block is not None and block.version > place.version:
                    self.check_everything()
                    continue
                self.leave(subscriber)
                self._admit(subscriber, place)
                subscriber.show(
                    catalogue.shown(subscriber.bits),
                    catalogue,
                    (catalogue.version, catalogue.at),
                    place.last_cause or ChangeCause.EVENT,
                    place.at,
                )
