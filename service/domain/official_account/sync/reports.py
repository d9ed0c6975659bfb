"""Tell what a sync did or would do, and whom it could not tag."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from service.domain.jobs.lookup import JOB_RETENTION
from service.domain.official_account.sync.limits import MAX_TAGS_PER_USER
from service.domain.runtime import Runtime
from service.entities.paging import Page
from service.entities.syncs import SyncFailure, TagSync
from service.storage import syncs

MAX_ORDINAL: Final = 2**31 - 1
UNFOLLOWED: Final = "The person does not follow any more."
REASONS: Final = {
    40003: "WeChat does not know the openid.",
    43004: "WeChat says that the person does not follow.",
    45059: f"The person has {MAX_TAGS_PER_USER} tags at WeChat, which is the most.",
    45159: "WeChat refuses to tag the person, who may be on the blacklist.",
    45171: "WeChat named the person as failed and gave no reason.",
    49003: "The openid belongs to another account.",
    50002: "WeChat limits what can be done to the person.",
    50005: "WeChat says that the person does not follow.",
}


class FailurePage(NamedTuple):
    """Hold a page of failures, and how many there are in all."""

    page: Page[SyncFailure]
    total: int


def reason_of(failure: SyncFailure) -> str:
    """Return why a person could not be tagged, for people."""
    if failure.errcode is None:
        return UNFOLLOWED
    return REASONS.get(failure.errcode, f"WeChat answered {failure.errcode}.")


async def prune_syncs(runtime: Runtime, channel_id: int) -> None:
    """Delete syncs that finished a month ago, but for the last of each tag, and whom syncs froze that finished."""
    now = runtime.clock()
    frozen_before = now - runtime.settings.sync.plan_valid_for
    async with runtime.pool.acquire() as conn:
        await syncs.prune_syncs(conn, channel_id, jobs_before=now - JOB_RETENTION, frozen_before=frozen_before)


async def failures_page(runtime: Runtime, tag: TagSync, *, first: int, after: int | None) -> FailurePage:
    """Return the next `first` failures of a tag of a sync after ordinal `after`."""
    start = 0 if after is None else min(after, MAX_ORDINAL - 1) + 1
    async with runtime.pool.acquire() as conn:
        found: Sequence[SyncFailure] = await syncs.failures_page(
            conn, tag.channel_id, tag.job_id, tag.tag_id, start=start, limit=first + 1
        )
        counts = await syncs.count_failures(conn, tag.channel_id, tag.job_id, [tag.tag_id])
    return FailurePage(Page(list(found[:first]), len(found) > first), counts.get(tag.tag_id, 0))
