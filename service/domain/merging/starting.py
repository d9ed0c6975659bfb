"""Begin to merge a tag into another: from here on whoever gets the one gets the other, too."""

from service.domain.audit.recording import record
from service.domain.audit.values import tag_ref, tag_values
from service.domain.combos.states import lock_open_combos
from service.domain.jobs.starting import enqueue_job, start_job
from service.domain.merging.planning import channel_of_pair, plan_merge
from service.domain.runtime import Runtime
from service.entities.errors import ConflictError
from service.entities.jobs import Job, JobKind
from service.entities.principal import Principal
from service.entities.tags import TagKey, TagKind
from service.storage import ad_tags, tag_merges
from service.storage.return_data import batches
from service.storage.tag_merges import TagMerge


async def start_merge(
    runtime: Runtime, principal: Principal, from_tag: TagKey, into_tag: TagKey, preview_hash: str
) -> Job:
    """Start the job that merges a tag into another, if everything is still as its preview said, and return it.

    Raises what `merge_preview` raises, and ConflictError for another hash than the preview has now.
    """
    channel_id, from_id, into_id = from_tag.channel_id, from_tag.tag_id, into_tag.tag_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await channel_of_pair(conn, principal, from_tag, into_tag)
        graph = await lock_open_combos(conn, channel_id)
        # Lists that are being written are waited for, and later ones see that the tags are being merged.
        await batches.lock_tags_exclusive(conn, channel_id, [from_id, into_id])
        plan = await plan_merge(conn, graph, from_id, into_id)
        if plan.hash != preview_hash:
            raise ConflictError("Something has changed since the preview; look at it again.")
        job = await start_job(
            conn,
            runtime,
            channel,
            JobKind.TAG_MERGE,
            total=plan.gains + plan.already_there,
            payload={"from": from_id, "into": into_id, "kind": plan.from_tag.kind, "next_block": 0},
            principal=principal,
        )
        await tag_merges.begin_merge(
            conn, channel_id, TagMerge(job.job_id, from_id, into_id, plan.added_ads, taking_back=False)
        )
        if plan.from_tag.kind is TagKind.AD and plan.added_ads:
            ads = (await ad_tags.ads_of_tags(conn, channel_id, [into_id])).get(into_id, [])
            await ad_tags.replace_ads(conn, channel_id, into_id, [*ads, *plan.added_ads])
        await record(
            conn,
            runtime,
            principal,
            "merge_tag",
            channel_id=channel_id,
            target=tag_ref(channel_id, from_id),
            before=tag_values(plan.from_tag),
            after={"into": tag_ref(channel_id, into_id)},
        )
    enqueue_job(runtime, job)
    return job
