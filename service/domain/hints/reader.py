"""Answer the hints of channels: one comparison at a time in a process, shared by all who wait for it.

What the members say is kept until a tag or a bit of the channel changes; what uses a tag is asked each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from service.domain.hints.finding import ComparedTags, compare_tags, gravest, unused_tags
from service.entities.combos import ComboGraph
from service.entities.hints import TagHint
from service.entities.revision import Revision
from service.entities.tags import Catalogue
from service.foundation.batch_reader import BatchReader
from service.foundation.byte_cache import ByteCache
from service.storage import combos, hints
from service.storage.database.pool import Connection, Pool

MAX_KEPT_BYTES: Final = 16_777_216
# Estimates, with what refers to it.
BYTES_PER_HINT: Final = 400
BYTES_PER_TAG: Final = 150


@dataclass(frozen=True, slots=True)
class ChannelHints:
    """Hold the hints of a channel, gravest first, and the catalogue that they were found in."""

    catalogue: Catalogue
    hints: tuple[TagHint, ...]


class _Compared(NamedTuple):
    """Hold what was compared, and the revisions of the tags and the members of which it is."""

    tags: Revision
    members: hints.MembersRevision
    found: ComparedTags


class HintReader:
    """Find hints for concurrent requests; one for each web process."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._kept: ByteCache[int, _Compared] = ByteCache(MAX_KEPT_BYTES, _estimated_bytes)
        self._reader: BatchReader[int, ChannelHints] = BatchReader(self._read, max_keys=1, max_concurrent=1)

    async def hints_of(self, channel_id: int) -> ChannelHints:
        """Return at most 200 hints about the tags of a channel as it is now; none while the gate is closed."""
        return await self._reader.require(channel_id)

    async def _read(self, channel_ids: Sequence[int]) -> dict[int, ChannelHints]:
        found: dict[int, ChannelHints] = {}
        for channel_id in channel_ids:
            async with self._pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
                graph = await combos.combo_graph(conn, channel_id)
                shown = await self._hints(conn, graph) if graph.catalogue.open else ()
            found[channel_id] = ChannelHints(graph.catalogue, shown)
        return found

    async def _hints(self, conn: Connection, graph: ComboGraph) -> tuple[TagHint, ...]:
        compared = await self._compare(conn, graph)
        return gravest([*compared.hints, *await unused_tags(conn, graph, compared.totals)])

    async def _compare(self, conn: Connection, graph: ComboGraph) -> ComparedTags:
        catalogue = graph.catalogue
        members = await hints.members_revision(conn, catalogue.channel_id)
        kept = self._kept.get(catalogue.channel_id)
        if kept is not None and (kept.tags, kept.members) == (catalogue.revision, members):
            return kept.found
        compared = await compare_tags(conn, graph)
        if compared.complete:
            self._kept[catalogue.channel_id] = _Compared(catalogue.revision, members, compared)
        return compared


def _estimated_bytes(compared: _Compared) -> int:
    return BYTES_PER_HINT * len(compared.found.hints) + BYTES_PER_TAG * (1 + len(compared.found.totals))
