"""Carry out a plan: take remote tags from people, then give them, 50 a call, and record each answer as it comes.

A call whose answer is not known changes nothing here and is made again. Whoever followed or unfollowed after they were
read for a call is not recorded by its answer, as WeChat dropped their tags.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from service.domain.jobs.running import save_progress
from service.domain.official_account import quotas
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.series import CallSeries, call_series
from service.domain.official_account.sync.lost_tags import people_are_refused
from service.domain.official_account.sync.options import options_of, plan_of
from service.domain.official_account.sync.planning import NOT_IN_EFFECT
from service.domain.official_account.sync.tagging import UNKNOWN_TAG, Outcome, change_tags
from service.domain.runtime import Runtime
from service.entities.blocks import block_of, offset_of, offsets_in, ordinal_at
from service.entities.channels import Channel
from service.entities.jobs import Job, JobState
from service.entities.syncs import SyncStage, TagSync
from service.storage import remote_tags, sync_plans, syncs, tags
from service.storage.database.pool import Connection
from service.storage.syncs import PersonToTag
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import WechatError
from service.wechat.api.tag_calls import MAX_OPENIDS_PER_TAGGING, TAGGING, UNTAGGING, tag_users, untag_users

# Whoever watches the job sees it move so often.
SECONDS_PER_SLICE: Final = 1.0
PEOPLE_PER_READ: Final = 1_000
BLOCKS_PER_READ: Final = 16
# Greater than any ordinal.
ALL_DONE: Final = 2**31 - 1
# What a call can be refused with that is about its tag, so that the other tags go on.
ABOUT_THE_TAG: Final = frozenset({Decision.OUR_FAULT, Decision.UNKNOWN})


class _Work(NamedTuple):
    """Hold a tag of a sync whose members are changed, and which way."""

    tag: TagSync
    removing: bool

    @property
    def start(self) -> int:
        return self.tag.next_removal if self.removing else self.tag.next_addition

    @property
    def left(self) -> bool:
        planned = self.tag.to_remove if self.removing else self.tag.to_add
        return planned > 0 and self.start < ALL_DONE and not self.tag.refused and not self.tag.stopped


class _Caller(NamedTuple):
    """Hold what calls are made with."""

    runtime: Runtime
    channel: Channel
    series: CallSeries


class _Batch(NamedTuple):
    """Hold the followers that one call is about, and who is passed over; `upto` is the first ordinal after them."""

    people: list[PersonToTag]
    skipped: list[int]
    upto: int


async def remove(runtime: Runtime, channel: Channel, job: Job) -> Job:
    """Take remote tags from the next people; after the last one go on to give them."""
    return await _change(runtime, channel, job, removing=True)


async def add(runtime: Runtime, channel: Channel, job: Job) -> Job:
    """Give remote tags to the next people; after the last one the sync is done."""
    return await _change(runtime, channel, job, removing=False)


async def _change(runtime: Runtime, channel: Channel, job: Job, *, removing: bool) -> Job:
    async with runtime.pool.acquire() as conn:
        found = await syncs.tags_of_job(conn, job)
        catalogue = await tags.catalogue(conn, job.channel_id)
        work = next((work for tag in found if (work := _Work(tag, removing)).left), None)
        batches = [] if work is None else await _next_batches(conn, job, work)
    if work is None:
        return await _end_stage(runtime, job, found, removing)
    if not catalogue.tags[work.tag.tag_id].shown:
        return await _stop(runtime, job, work.tag, NOT_IN_EFFECT, None)
    path = UNTAGGING if removing else TAGGING
    async with call_series(runtime, channel, path, len(batches)) as series:
        return await _send_all(_Caller(runtime, channel, series), job, work, batches)


async def _send_all(caller: _Caller, job: Job, work: _Work, batches: Sequence[_Batch]) -> Job:
    """Make the calls of batches, as many as fit into a slice, and return the job after them."""
    runtime = caller.runtime
    if options_of(job.payload).automatic:
        path = UNTAGGING if work.removing else TAGGING
        share = runtime.settings.sync.automatic_share
        left = await quotas.calls_left_of_share(runtime, caller.channel, path, share)
        # After the first call of a day WeChat has told its quota.
        batches = batches[: 1 if left is None else left]
    until = time.monotonic() + SECONDS_PER_SLICE
    for batch in batches:
        try:
            job = await _send(caller, job, work, batch)
        except WechatError as error:
            if error.decision not in ABOUT_THE_TAG:
                raise
            return await _stop(runtime, job, work.tag, error.message_for_clients, error.errcode)
        if time.monotonic() >= until:
            break
    return job


async def _next_batches(conn: Connection, job: Job, work: _Work) -> list[_Batch]:
    """Return who comes next, 50 a batch but for the last of a tag; a rest that is not the last waits for the next."""
    ordinals = await _next_ordinals(conn, job, work)
    is_last = len(ordinals) <= PEOPLE_PER_READ
    known = await syncs.people_to_tag(conn, job.channel_id, work.tag.tag_id, ordinals[:PEOPLE_PER_READ])
    found = {each.ordinal: each for each in known}
    batches, people, skipped = [], [], []
    for ordinal in ordinals[:PEOPLE_PER_READ]:
        person = found.get(ordinal)
        if person is None or not person.following:
            skipped.append(ordinal)
        else:
            people.append(person)
        if len(people) == MAX_OPENIDS_PER_TAGGING:
            batches.append(_Batch(people, skipped, ordinal + 1))
            people, skipped = [], []
    if is_last:
        batches.append(_Batch(people, skipped, ALL_DONE))
    return batches


async def _next_ordinals(conn: Connection, job: Job, work: _Work) -> list[int]:
    """Return the next ordinals, one more than are read at once where there are more."""
    ordinals: list[int] = []
    block = block_of(work.start)
    while True:
        found = await sync_plans.frozen_members(
            conn,
            job.channel_id,
            plan_of(job),
            work.tag.tag_id,
            removing=work.removing,
            start=block,
            limit=BLOCKS_PER_READ,
        )
        for number, bits in found:
            first = offset_of(work.start) if number == block_of(work.start) else 0
            ordinals += (ordinal_at(number, offset) for offset in offsets_in(bits, first))
            if len(ordinals) > PEOPLE_PER_READ:
                return ordinals[: PEOPLE_PER_READ + 1]
        if len(found) < BLOCKS_PER_READ:
            return ordinals
        block = found[-1].block + 1


async def _send(caller: _Caller, job: Job, work: _Work, batch: _Batch) -> Job:
    """Make the call of a batch, if anybody is in it, and record its answer."""
    outcome = Outcome((), {})
    if batch.people:
        remote_id = work.tag.remote_tag_id
        assert remote_id is not None  # noqa: S101 - it was made or found before
        outcome = await _outcome(caller, job, work, remote_id, batch.people)
    return await _record(caller.runtime, job, work, batch, outcome)


async def _outcome(caller: _Caller, job: Job, work: _Work, remote_id: int, people: Sequence[PersonToTag]) -> Outcome:
    change = untag_users if work.removing else tag_users

    async def call(openids: Sequence[str]) -> None:
        await call_wechat(caller.runtime, caller.channel, change(remote_id, openids), series=caller.series)

    try:
        return await change_tags(call, people)
    except WechatError as error:
        if error.errcode != UNKNOWN_TAG:
            raise
        await people_are_refused(caller.runtime, caller.channel, job, work.tag, error)
    return await change_tags(call, people, unknown_tag_is_known=True)


async def _record(runtime: Runtime, job: Job, work: _Work, batch: _Batch, outcome: Outcome) -> Job:
    """Write what a call did, and how far its tag is, with the progress of the job."""
    tag = work.tag
    failed: dict[int, int | None] = {**outcome.failed}
    gone = len(batch.skipped) if work.removing else 0
    if not work.removing:
        failed |= dict.fromkeys(batch.skipped)
    done = len(outcome.done) + gone
    async with runtime.pool.acquire() as conn, conn.transaction():
        job = await save_progress(conn, runtime, replace(job, done=job.done + done + len(failed)))
        await syncs.advance(conn, tag, removing=work.removing, upto=batch.upto, done=done, failed=len(failed))
        await _record_members(conn, work, outcome)
        if failed:
            await syncs.insert_failures(conn, job.channel_id, job.job_id, tag.tag_id, failed)
    return job


async def _record_members(conn: Connection, work: _Work, outcome: Outcome) -> None:
    tag = work.tag
    if not outcome.done:
        return
    if work.removing:
        ordinals = [each.ordinal for each in outcome.done]
        await remote_tags.remove_remote_members(conn, tag.channel_id, tag.tag_id, ordinals)
    else:
        moved_at = {each.ordinal: each.moved_at for each in outcome.done}
        await remote_tags.add_remote_members(conn, tag.channel_id, tag.tag_id, moved_at)


async def _stop(runtime: Runtime, job: Job, tag: TagSync, error: str, errcode: int | None) -> Job:
    """Record why nothing more is done about a tag, and go on with the others."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        job = await save_progress(conn, runtime, job)
        await syncs.stop_tag(conn, tag, error=error, errcode=errcode)
    return job


async def _end_stage(runtime: Runtime, job: Job, found: Sequence[TagSync], removing: bool) -> Job:
    """Go on from removals to additions, and from these to the end."""
    if removing:
        payload = {**job.payload, "stage": SyncStage.ADD.value}
        async with runtime.pool.acquire() as conn, conn.transaction():
            return await save_progress(conn, runtime, replace(job, payload=payload))
    now = runtime.clock()
    async with runtime.pool.acquire() as conn, conn.transaction():
        job = await save_progress(conn, runtime, replace(job, state=JobState.DONE, resumes_at=None))
        same = [tag.tag_id for tag in found if not tag.stopped]
        await remote_tags.lock_linked_tags(conn, job.channel_id, [tag.tag_id for tag in found])
        for tag_id in same:
            await sync_plans.settle_synced_members(conn, job.channel_id, tag_id)
        await remote_tags.note_sync_success(conn, job.channel_id, same, job.job_id, now)
        for tag in found:
            if tag.error is not None:
                await remote_tags.note_sync_failure(
                    conn, job.channel_id, [tag.tag_id], job.job_id, now, error=tag.error, errcode=tag.errcode
                )
    return job
