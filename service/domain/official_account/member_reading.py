"""Read who has a tag at WeChat, page by page, into `remote_members`, so that any worker goes on after a crash.

A job fetches a page and keeps it together with its own progress, of which the cursor of the next page is a part:

    page = await fetch_member_page(runtime, channel, remote_tag_id, cursor)
    async with runtime.pool.acquire() as conn, conn.transaction():
        job = await keep_member_page(conn, runtime, replace(job, payload={…, "cursor": page.next_cursor}), tag_id, page)

Whoever stands on a page is known to have the tag from then on. With the last page everybody else is known not to have
it. When somebody follows or unfollows, which drops their tags at WeChat, both bits are cleared in that transaction; of
somebody who did so after a page was asked for, the page says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from service.domain.jobs.running import save_progress
from service.domain.official_account.calling import call_wechat
from service.domain.return_data.members import by_block
from service.domain.runtime import Runtime
from service.entities.blocks import bitmap_of
from service.entities.channels import Channel
from service.entities.jobs import Job
from service.storage import jobs, remote_readings, remote_tags, users
from service.storage.database.pool import Connection
from service.wechat.api.tag_calls import tag_members


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Hold a page of who has a tag at WeChat, at most 10,000.

    `cursor` is what it was asked for with, "" for the first page; `next_cursor` is "" after the last one. `ordinals`
    are of those of the `openids` that are known, `{openid: ordinal}`.
    """

    cursor: str
    next_cursor: str
    asked_at: datetime
    openids: tuple[str, ...]
    ordinals: Mapping[str, int]

    @property
    def unknown(self) -> int:
        """Return how many of the page the channel does not know."""
        return len(self.openids) - len(self.ordinals)


async def fetch_member_page(runtime: Runtime, channel: Channel, remote_tag_id: int, cursor: str = "") -> MemberPage:
    """Ask WeChat for the page that begins after `cursor`, and find out who is known of it.

    Raises what `call_wechat` raises.
    """
    asked_at = runtime.clock()
    found = await call_wechat(runtime, channel, tag_members(remote_tag_id, cursor))
    openids = tuple(dict.fromkeys(found.openids))
    async with runtime.pool.acquire() as conn:
        ordinals = await users.ordinals_of(conn, channel.channel_id, openids)
    return MemberPage(cursor, found.cursor, asked_at, openids, ordinals)


async def keep_member_page(
    conn: Connection, runtime: Runtime, wanted: Job, tag_id: int, page: MemberPage, *, synced: bool = False
) -> Job:
    """Keep a page in the caller's transaction with the progress of its job, and return the job with a new lease.

    `tag_id` is ours, and has a row in `remote_tag`. With `synced` the followers of the page also count as having had
    the tag when it was synced last. Locks the job, then the link of the tag, then the remote members.

    Raises JobLeaseLostError; then the transaction must be rolled back.
    """
    channel_id, job_id = wanted.channel_id, wanted.job_id
    await jobs.lock_job(conn, channel_id, job_id)
    await remote_tags.lock_linked_tags(conn, channel_id, [tag_id])
    if not page.cursor:
        await remote_readings.drop_remote_reading(conn, channel_id, job_id, tag_id)
    second = page.asked_at.replace(microsecond=0)
    settled = await remote_readings.settled_ordinals(conn, channel_id, page.ordinals.values(), second)
    if settled:
        bitmaps = {block: bitmap_of(offsets) for block, offsets in by_block(settled).items()}
        await remote_readings.add_read_members(conn, channel_id, job_id, tag_id, bitmaps, synced=synced)
    if not page.next_cursor:
        await remote_readings.end_remote_reading(conn, channel_id, job_id, tag_id)
    # Last, since a job that is done by it loses whom it has seen.
    return await save_progress(conn, runtime, wanted)
