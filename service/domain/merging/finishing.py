"""End a merge in one structural change: the tag becomes a tombstone, and all that named it names the other one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from service.domain.audiences.received import names_of_receivable
from service.domain.combos.expressions import format_expression
from service.domain.combos.states import enqueue_clearing, lock_combos, publish_and_enqueue
from service.domain.jobs.running import save_progress
from service.domain.merging.rewriting import rewritten_combos, with_tag_replaced
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, write_tag_edits
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.combos import ComboGraph
from service.entities.expressions import difference, from_json
from service.entities.expressions import tag as leaf
from service.entities.jobs import Job, JobState
from service.entities.tags import Tag, TagKey, TagKind, TagState
from service.entities.tasks import TaskName
from service.storage import channels, combos, tag_merges
from service.storage.broadcasts import broadcast_control
from service.storage.combos import count_of_expression
from service.storage.database.pool import Connection
from service.storage.return_data import batches
from service.storage.tag_merges import RewrittenAudience, TagMerge


class _Finished(NamedTuple):
    """Hold the job of a merge, and, if it is done, the graph after it and what to publish."""

    job: Job
    graph: ComboGraph | None = None
    notifications: Sequence[ChangeNotification] = ()


async def finish_merge(runtime: Runtime, job: Job, merge: TagMerge) -> Job:
    """Write the structural change, and return the job: DONE, or RUNNING from the first block on if somebody is left.

    Raises JobLeaseLostError when it was cancelled or another worker has it.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        finished = await _finish(conn, runtime, job, merge)
    if finished.graph is not None:
        publish_and_enqueue(runtime, finished.graph, finished.notifications)
        enqueue_clearing(runtime, finished.graph)
        _enqueue_refresh(runtime, finished.graph)
    return finished.job


async def _finish(conn: Connection, runtime: Runtime, job: Job, merge: TagMerge) -> _Finished:
    channel_id = job.channel_id
    graph = await lock_combos(conn, channel_id)
    await batches.lock_tags_exclusive(conn, channel_id, [merge.from_id, merge.into_id])
    # By these locks nobody gets or loses a return tag any more.
    left = difference(leaf(merge.from_id), leaf(merge.into_id))
    if graph.tags[merge.from_id].kind is TagKind.RETURN and await count_of_expression(conn, channel_id, left):
        return _Finished(await save_progress(conn, runtime, replace(job, payload={**job.payload, "next_block": 0})))
    saved = await save_progress(conn, runtime, replace(job, state=JobState.DONE, done=job.total or 0))
    now = runtime.clock()
    await tag_merges.unmark_merge(conn, channel_id, merge)
    await tag_merges.delete_merge(conn, channel_id, merge)
    await batches.give_keys(conn, channel_id, merge.from_id, merge.into_id)
    notification = await _write_edits(conn, graph, merge, now)
    await _rewrite_audiences(conn, runtime, graph, merge)
    await _rewrite_webhooks(conn, channel_id, merge)
    return _Finished(saved, await combos.combo_graph(conn, channel_id), [notification])


async def _write_edits(conn: Connection, graph: ComboGraph, merge: TagMerge, now: datetime) -> ChangeNotification:
    """Write what becomes of the tags, as one version of the channel's tag states."""
    channel_id = graph.catalogue.channel_id
    gone, into = graph.tags[merge.from_id], graph.tags[merge.into_id]
    expressions = rewritten_combos(graph, merge.from_id, merge.into_id)
    await tag_merges.rewrite_combos(conn, channel_id, expressions)
    # Members that are being computed from what is rewritten are void.
    pending = [each for each in graph.dependents(merge.from_id) if graph.tags[each].state is TagState.PENDING]
    await combos.restart_combos(
        conn, channel_id, {each: expressions.get(each, graph.combos[each].expression) for each in pending}
    )
    await combos.bump_combos_epoch(conn, channel_id)
    tombstone = replace(gone, deleted_at=now, updated_at=now, merged_into=into.tag_id)
    edits = [TagEdit(TagChangeKind.DELETED, gone, tombstone)]
    edited = [into] if into.kind is TagKind.AD else []
    edited += [graph.tags[tag_id] for tag_id in expressions]
    edits += [TagEdit(TagChangeKind.UPDATED, each, _next_version(each, now)) for each in edited]
    _, notification = await write_tag_edits(conn, graph.catalogue, edits, cause=ChangeCause.TAG_MERGED, now=now)
    return notification


def _next_version(tag: Tag, now: datetime) -> Tag:
    return replace(tag, version=tag.version + 1, updated_at=now)


async def _rewrite_audiences(conn: Connection, runtime: Runtime, graph: ComboGraph, merge: TagMerge) -> None:
    """Rewrite the audiences of broadcasts that are not frozen, which nobody freezes while the channel is locked."""
    channel_id = graph.catalogue.channel_id
    rewritten = []
    for job_id, text in (await broadcast_control.audiences_not_frozen(conn, channel_id)).items():
        audience = from_json(text)
        if merge.from_id in audience.tag_ids():
            after = with_tag_replaced(audience, merge.from_id, merge.into_id)
            names = await names_of_receivable(conn, runtime, channel_id, after.broadcast_ids())
            rewritten.append(RewrittenAudience(job_id, after, format_expression(graph.catalogue, after, names)))
    await tag_merges.rewrite_audiences(conn, channel_id, rewritten)


async def _rewrite_webhooks(conn: Connection, channel_id: int, merge: TagMerge) -> None:
    (channel,) = await channels.channels_by_id(conn, [channel_id])
    keys = TagKey(channel_id, merge.from_id), TagKey(channel_id, merge.into_id)
    await tag_merges.rename_tag_in_webhooks(conn, channel.robot_id, *keys)


def _enqueue_refresh(runtime: Runtime, graph: ComboGraph) -> None:
    """Enqueue the refresh of the combos, which keep the members they had until then."""
    channel_id = graph.catalogue.channel_id
    runtime.queue.enqueue(
        TaskName.REFRESH_COMBOS,
        channel_id,
        task_id=f"{TaskName.REFRESH_COMBOS}:{channel_id}:{graph.catalogue.revision.version}",
    )
