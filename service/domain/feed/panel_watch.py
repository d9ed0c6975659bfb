"""Feed tag panels with what happens to the tags of a channel, and with their counts at most once a second."""

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, NamedTuple

from service.domain.feed.watch import Watch
from service.entities.feed import PanelPosition, PanelUpdate
from service.entities.revision import Revision
from service.entities.tags import Catalogue, MemberCount
from service.foundation.mailbox import Mailbox
from service.storage import tags
from service.storage.blocks import members
from service.storage.database.pool import Connection, Pool

COUNT_INTERVAL: Final = 1.0
COUNT_OVERLAP: Final = timedelta(seconds=30)


class JoinedPanel(NamedTuple):
    """Hold a RESET to where the channel stands, and the updates since a cursor: the newest state of each tag."""

    present: PanelUpdate
    missed: list[PanelUpdate]


class PanelWatch(Watch):
    """Read the tags and counts of one channel for all panels that show it."""

    def __init__(self, pool: Pool, channel_id: int, *, resync_interval: float) -> None:
        super().__init__(pool, channel_id, resync_interval=resync_interval)
        self._mailboxes: set[Mailbox[PanelUpdate]] = set()
        self._catalogue: Catalogue | None = None
        self._counts: dict[int, MemberCount] = {}
        self._counted = 0.0
        self._loading = asyncio.Lock()
        self._recount: asyncio.TimerHandle | None = None

    def stop(self) -> "asyncio.Future[None]":
        """Cancel the task and the next count; return the task, to be awaited."""
        if self._recount is not None:
            self._recount.cancel()
        return super().stop()

    async def join(self, conn: Connection, mailbox: Mailbox[PanelUpdate], after: PanelPosition | None) -> JoinedPanel:
        """Start a mailbox where the channel stands, and return what it missed since `after`, nothing for None.

        Later updates go to the mailbox, until `leave`; the returned ones are for the caller to put there.
        """
        async with self._loading:
            if self._catalogue is None:
                self._catalogue = await tags.catalogue(conn, self.channel_id)
                self._counts = await members.member_counts(conn, self.channel_id)
        while True:
            catalogue, counts = self._catalogue, self._counts
            missed = [] if after is None else await self._missed_updates(conn, after, catalogue, counts)
            # An update delivered meanwhile would reach this mailbox before the missed ones: read those again.
            if catalogue is self._catalogue and counts is self._counts:
                break
        self._mailboxes.add(mailbox)
        return JoinedPanel(self._reset(catalogue, counts), missed)

    def leave(self, mailbox: Mailbox[PanelUpdate]) -> None:
        """Send a mailbox nothing more."""
        self._mailboxes.discard(mailbox)

    async def catch_up(self, conn: Connection, dirty: set[int | None], *, everything: bool) -> None:
        """Read the tags and counts that changed, and tell the panels."""
        if self._catalogue is None:
            return
        if everything or None in dirty:
            await self._catch_up_tags(conn, self._catalogue)
        if everything or dirty - {None}:
            await self._catch_up_counts(conn)

    async def _catch_up_tags(self, conn: Connection, before: Catalogue) -> None:
        while True:
            since = await tags.tag_changes_since(conn, self.channel_id, before.revision)
            after = await tags.catalogue(conn, self.channel_id)
            if after.revision == since.revision:
                break
        self._catalogue = after
        if not since.known or any(change.kind == "GATE" for change in since.changes):
            self._deliver(self._reset(after, self._counts))
            return
        if not after.open:
            # The panel is empty behind a closed gate, and what happens there is in the RESET when it opens.
            return
        position = self._position(before, self._counts)
        for _, lines in itertools.groupby(since.changes, key=lambda change: change.version):
            earlier, updates = position, []
            for line in lines:
                position = replace(position, tag_revision=Revision(line.version, line.at))
                updates.append(PanelUpdate(self.channel_id, line.kind, line.tag_id, line.at, after, position))
            self._deliver(*_with_cursor_at_last(updates, earlier))

    async def _catch_up_counts(self, conn: Connection) -> None:
        loop = asyncio.get_running_loop()
        wait = self._counted + COUNT_INTERVAL - loop.time()
        if wait > 0:
            if self._recount is None:
                self._recount = loop.call_later(wait, self._request_recount)
            return
        self._counted = loop.time()
        counts = await members.member_counts(conn, self.channel_id)
        catalogue = self._catalogue
        if catalogue is None:
            return
        # That of a tag which is not known yet stays untold until the tag is.
        known = {tag_id: count for tag_id, count in counts.items() if tag_id in catalogue.tags}
        before, self._counts = self._counts, known
        changed = [
            tag_id
            for tag_id, count in sorted(self._counts.items())
            if tag_id not in before or before[tag_id].members != count.members
        ]
        updates = self._count_updates(catalogue, self._counts, changed)
        self._deliver(*_with_cursor_at_last(updates, self._position(catalogue, before)))

    def _request_recount(self) -> None:
        self._recount = None
        self.check_everything()

    def _count_updates(
        self, catalogue: Catalogue, counts: dict[int, MemberCount], tag_ids: Iterable[int]
    ) -> list[PanelUpdate]:
        position = self._position(catalogue, counts)
        return [
            PanelUpdate(self.channel_id, "COUNT_CHANGED", tag_id, counts[tag_id].at, catalogue, position)
            for tag_id in tag_ids
            if catalogue.open and (tag := catalogue.tags.get(tag_id)) is not None and tag.shown
        ]

    async def _missed_updates(
        self, conn: Connection, after: PanelPosition, catalogue: Catalogue, counts: dict[int, MemberCount]
    ) -> list[PanelUpdate]:
        since = await tags.tag_changes_since(conn, self.channel_id, after.tag_revision)
        position = self._position(catalogue, counts)
        if not since.known or any(change.kind == "GATE" for change in since.changes):
            return [self._reset(catalogue, counts)]
        if not catalogue.open:
            return []
        newest = merge_updates(
            [
                PanelUpdate(self.channel_id, change.kind, change.tag_id, change.at, catalogue, position)
                for change in since.changes
                if change.version <= catalogue.revision.version
            ]
        )
        sent = {update.tag_id for update in newest}
        # Blocks may be written by different clocks: rather repeat a count than miss one.
        recounted = [
            tag_id
            for tag_id, count in sorted(counts.items())
            if count.at > after.counts_at - COUNT_OVERLAP and tag_id not in sent
        ]
        return _with_cursor_at_last(newest + self._count_updates(catalogue, counts, recounted), after)

    def _reset(self, catalogue: Catalogue, counts: dict[int, MemberCount]) -> PanelUpdate:
        position = self._position(catalogue, counts)
        return PanelUpdate(self.channel_id, "RESET", None, catalogue.revision.at, catalogue, position)

    def _position(self, catalogue: Catalogue, counts: dict[int, MemberCount]) -> PanelPosition:
        newest = max((count.at for count in counts.values()), default=catalogue.revision.at)
        return PanelPosition(catalogue.revision, newest)

    def _deliver(self, *updates: PanelUpdate) -> None:
        for mailbox in self._mailboxes:
            for update in updates:
                mailbox.put(update)


def _with_cursor_at_last(updates: Sequence[PanelUpdate], start: PanelPosition) -> list[PanelUpdate]:
    """Move the cursor with the last update only: a reader that leaves in the middle receives all of them again."""
    return [*(replace(update, position=start) for update in updates[:-1]), *updates[-1:]]


def merge_updates(waiting: list[PanelUpdate]) -> list[PanelUpdate]:
    """Return the newest event of each tag; a tag that was created meanwhile stays created."""
    newest: dict[tuple[int, int | None], PanelUpdate] = {}
    for update in waiting:
        key = (update.channel_id, update.tag_id)
        earlier = newest.pop(key, None)
        created = earlier is not None and earlier.kind == "CREATED" and update.kind != "DELETED"
        newest[key] = replace(update, kind="CREATED") if created else update
    return list(newest.values())
