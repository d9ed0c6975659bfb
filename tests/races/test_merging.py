"""Merge tags while others write to them, and end the worker at every step.

The rule: docs/specification.md §4.7.
"""

from datetime import timedelta

import pytest

from service.domain.combos.cleanup import clear_members
from service.domain.combos.tag_deletion import delete_tag
from service.domain.jobs.lookup import cancel_job
from service.domain.merging import slices
from service.domain.merging.taking_back import take_back_merges
from service.domain.privacy.forgetting import forget_openid
from service.domain.return_data.batches import expire_batches, undo_batch
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.errors import ConflictError
from service.entities.jobs import JobKind, JobState
from service.entities.return_data import ReturnMode
from service.entities.tags import TagKey
from service.storage import jobs
from service.storage.database.pool import CONNECTION_LOST
from tests.races.test_return_data import submit_by
from tests.support.clock import FrozenClock
from tests.support.database_state import miscounted, replay_and_check, skip_ordinals
from tests.support.merging import begin_merge, do_slice, members_by_keys, work_on_merge
from tests.support.races import StartRacingProcess
from tests.support.runtime import admin
from tests.support.tags import members_of, submission_of, submit

MINUTE = timedelta(minutes=1)
REMOVE, REPLACE = ReturnMode.REMOVE, ReturnMode.REPLACE


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a merge of two blocks take two slices."""
    monkeypatch.setattr(slices, "BLOCKS_PER_SLICE", 1)


@pytest.fixture
async def tags(runtime: Runtime, channel: Channel) -> tuple[int, int]:
    """Make two tags: of ann and bob, and of bob and cleo; and give the former to dora, far away."""
    silver = await submit(runtime, channel, submission_of(["ann", "bob"], label="Silver"))
    gold = await submit(runtime, channel, submission_of(["bob", "cleo"], label="Gold"))
    await skip_ordinals(runtime, channel, 32_000 * 40)
    await submit(runtime, channel, submission_of(["dora"], label="Silver"))
    return silver.tag_id, gold.tag_id


async def check(runtime: Runtime, channel: Channel, tag_id: int, *members: str, forgot: bool = False) -> None:
    assert await members_of(runtime, channel, tag_id) == set(members)
    assert await members_by_keys(runtime, channel, tag_id) == set(members)
    assert await miscounted(runtime, channel) == []
    assert (await verify_channel(runtime, channel, repair=False)).clean
    if not forgot:
        await replay_and_check(runtime, channel)


async def merged_after_all(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    """Let another worker take up what a dead one left, once its lease is over."""
    clock.advance(MINUTE)
    for job_id in [row["job_id"] for row in await runtime.pool.fetch("select job_id from job")]:
        async with runtime.pool.acquire() as conn:
            job = await jobs.job(conn, channel.channel_id, job_id)
        assert job is not None
        assert (await work_on_merge(runtime, job)).state is JobState.DONE
    await clear_members(runtime, channel.channel_id)


@pytest.mark.parametrize(
    "step",
    [
        *("tag_merges", "members_by_block", "lock_heads", "outdate_combos", "write_job", "lock_tags_exclusive"),
        *("unmark_merging", "delete_tag_merge", "give_keys", "rewrite_combos", "bump_combos_epoch", "update_tags"),
        *("log_tag_changes", "rewrite_audiences", "endpoints_that_name_tag", "COMMIT;"),
    ],
)
async def test_a_worker_that_dies_at_any_step_is_followed_by_another(
    runtime: Runtime,
    channel: Channel,
    clock: FrozenClock,
    start_process: StartRacingProcess,
    tags: tuple[int, int],
    step: str,
) -> None:
    silver, gold = tags
    doomed = await start_process("doomed")
    job = await begin_merge(runtime, channel, silver, gold)
    stop = doomed.pause_before(step)
    working = doomed.start(work_on_merge(doomed.runtime, job))
    await stop.wait_reached()
    await doomed.kill()
    await doomed.end()
    assert working.done()
    await submit(runtime, channel, submission_of(["eve"], label="Silver"))
    await submit(runtime, channel, submission_of(["ann"], REMOVE, label="Silver"))
    assert (await verify_channel(runtime, channel, repair=False)).clean

    await merged_after_all(runtime, channel, clock)
    await check(runtime, channel, gold, "bob", "cleo", "dora", "eve")
    assert await members_of(runtime, channel, silver) == set()


async def test_a_list_that_is_being_written_is_waited_for(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess, tags: tuple[int, int]
) -> None:
    adding, beginning = await start_process("adding"), await start_process("beginning")
    stop = adding.pause_before("insert_batches")
    addition = adding.start(submit_by(adding, channel, submission_of(["eve"], label="Silver")))
    await stop.wait_reached()
    merging = beginning.start(begin_merge(beginning.runtime, channel, *tags))

    assert await beginning.blocked(merging)
    stop.release()
    await addition
    # Somebody came since the preview.
    with pytest.raises(ConflictError):
        await merging
    await begin_merge(runtime, channel, *tags)
    await merged_after_all(runtime, channel, clock)
    await check(runtime, channel, tags[1], "ann", "bob", "cleo", "dora", "eve")


@pytest.mark.parametrize("mode", ReturnMode)
async def test_a_list_that_found_its_tag_before_the_end_of_a_merge_goes_to_the_other(
    runtime: Runtime,
    channel: Channel,
    clock: FrozenClock,
    start_process: StartRacingProcess,
    tags: tuple[int, int],
    mode: ReturnMode,
) -> None:
    writing = await start_process("writing")
    stop = writing.pause_before("lock_tags_exclusive" if mode is REPLACE else "lock_tags_shared")
    await begin_merge(runtime, channel, *tags)
    late = writing.start(submit_by(writing, channel, submission_of(["cleo", "ann"], mode, label="Silver")))
    await stop.wait_reached()
    await merged_after_all(runtime, channel, clock)
    stop.release()

    assert (await late)[0].tag_id == tags[1]
    after = {
        ReturnMode.ADD: ("ann", "bob", "cleo", "dora"),
        REMOVE: ("bob", "dora"),
        REPLACE: ("ann", "bob", "cleo"),
    }
    await check(runtime, channel, tags[1], *after[mode])


@pytest.mark.parametrize("ends", ["undo", "expiry"])
async def test_a_batch_that_ends_while_its_tag_is_merged_away_ends_in_the_other(
    runtime: Runtime,
    channel: Channel,
    clock: FrozenClock,
    start_process: StartRacingProcess,
    tags: tuple[int, int],
    ends: str,
) -> None:
    over = clock.now + MINUTE
    receipt = await submit(runtime, channel, submission_of(["cleo", "eve"], label="Silver", expires_at=over))
    ending = await start_process("ending")
    stop = ending.pause_before("lock_tags_shared")
    await begin_merge(runtime, channel, *tags)
    clock.advance(MINUTE)
    work = (
        ending.start(undo_batch(ending.runtime, admin(), channel.channel_id, receipt.batch_id))
        if ends == "undo"
        else ending.start(expire_batches(ending.runtime, channel.channel_id))
    )
    await stop.wait_reached()
    await merged_after_all(runtime, channel, clock)
    stop.release()
    await work
    await check(runtime, channel, tags[1], "ann", "bob", "cleo", "dora")


async def test_what_is_written_during_a_slice_waits_for_its_blocks_and_is_kept(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess, tags: tuple[int, int]
) -> None:
    merging, removing, replacing = [await start_process(name) for name in ("merging", "removing", "replacing")]
    job = await begin_merge(runtime, channel, *tags)
    stop = merging.pause_before("write_job")
    slice_of_first_block = merging.start(do_slice(merging.runtime, job))
    await stop.wait_reached()
    removal = removing.start(submit_by(removing, channel, submission_of(["ann"], REMOVE, label="Silver")))
    whole = replacing.start(submit_by(replacing, channel, submission_of(["dora"], REPLACE, label="Gold")))

    assert await removing.blocked(removal)
    assert await replacing.blocked(whole)
    stop.release()
    await slice_of_first_block
    await removal
    await whole
    assert (await verify_channel(runtime, channel, repair=False)).clean
    await merged_after_all(runtime, channel, clock)
    await check(runtime, channel, tags[1], "bob", "dora")


async def test_of_two_merges_at_once_only_one_is_begun(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess, tags: tuple[int, int]
) -> None:
    one, other = await start_process("one"), await start_process("other")
    stop = one.pause_before("insert_tag_merge")
    first = one.start(begin_merge(one.runtime, channel, *tags))
    await stop.wait_reached()
    second = other.start(begin_merge(other.runtime, channel, *reversed(tags)))

    assert await other.blocked(second)
    stop.release()
    await first
    with pytest.raises(ConflictError):
        await second
    await merged_after_all(runtime, channel, clock)
    await check(runtime, channel, tags[1], "ann", "bob", "cleo", "dora")


async def test_a_tag_is_either_deleted_or_merged(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess, tags: tuple[int, int]
) -> None:
    merging, deleting = await start_process("merging"), await start_process("deleting")
    stop = merging.pause_before("insert_tag_merge")
    beginning = merging.start(begin_merge(merging.runtime, channel, *tags))
    await stop.wait_reached()
    deletion = deleting.start(delete_tag(deleting.runtime, admin(), *TagKey(channel.channel_id, tags[1])))

    assert await deleting.blocked(deletion)
    stop.release()
    await beginning
    with pytest.raises(ConflictError):
        await deletion


async def test_somebody_forgotten_during_a_slice_comes_back_by_nothing(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess, tags: tuple[int, int]
) -> None:
    merging, forgetting = await start_process("merging"), await start_process("forgetting")
    job = await begin_merge(runtime, channel, *tags)
    stop = merging.pause_before("write_job")
    working = merging.start(do_slice(merging.runtime, job))
    await stop.wait_reached()
    forgotten = forgetting.start(forget_openid(forgetting.runtime, channel.channel_id, "ann"))
    assert await forgetting.blocked(forgotten)
    stop.release()
    await working
    await forgotten
    await merged_after_all(runtime, channel, clock)
    await check(runtime, channel, tags[1], "bob", "cleo", "dora", forgot=True)


async def test_a_slice_that_is_written_after_the_merge_was_cancelled_is_not(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess, tags: tuple[int, int]
) -> None:
    merging = await start_process("merging")
    job = await begin_merge(runtime, channel, *tags)
    stop = merging.pause_before("write_job")
    working = merging.start(work_on_merge(merging.runtime, job))
    await stop.wait_reached()
    await cancel_job(runtime, admin(), JobKind.TAG_MERGE, channel.channel_id, job.job_id)
    taking_back = await start_process("taking back")
    back = taking_back.start(take_back_merges(taking_back.runtime, channel.channel_id))
    stop.release()

    assert (await working).state is JobState.CANCELLED
    assert await back == 1
    await check(runtime, channel, tags[1], "bob", "cleo")
    await check(runtime, channel, tags[0], "ann", "bob", "dora")


@pytest.mark.parametrize("step", ["unmark_merging", "begin_taking_back", "batch_members_of_block", "delete_tag_merge"])
async def test_taking_back_that_is_cut_off_goes_on(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess, tags: tuple[int, int], step: str
) -> None:
    doomed = await start_process("doomed")
    job = await begin_merge(runtime, channel, *tags)
    await do_slice(runtime, job)
    await cancel_job(runtime, admin(), JobKind.TAG_MERGE, channel.channel_id, job.job_id)
    stop = doomed.pause_before(step)
    working = doomed.start(take_back_merges(doomed.runtime, channel.channel_id))
    await stop.wait_reached()
    await doomed.kill()
    stop.release()
    with pytest.raises(CONNECTION_LOST):
        await working
    await submit(runtime, channel, submission_of(["eve"], label="Gold"))
    assert (await verify_channel(runtime, channel, repair=False)).clean

    await take_back_merges(runtime, channel.channel_id)
    await check(runtime, channel, tags[1], "bob", "cleo", "eve")
    await check(runtime, channel, tags[0], "ann", "bob", "dora")
