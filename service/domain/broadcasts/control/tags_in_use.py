"""Tell which broadcasts have yet to start, or to run again, for people of a tag: they would fail without it."""

from service.domain.runtime import Runtime
from service.entities.combos import ComboGraph
from service.entities.expressions import from_json
from service.storage.broadcasts import broadcast_control


async def broadcasts_of_tag(runtime: Runtime, graph: ComboGraph, tag_id: int) -> list[int]:
    """Return the numbers of the broadcasts that use a tag, directly or through combos, and start or run again yet."""
    used = {tag_id, *graph.dependents(tag_id)}
    async with runtime.pool.acquire() as conn:
        found = await broadcast_control.audiences_not_frozen(conn, graph.catalogue.channel_id)
    return [job_id for job_id, audience in found.items() if not used.isdisjoint(from_json(audience).tag_ids())]
