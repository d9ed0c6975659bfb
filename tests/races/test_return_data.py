"""Hand the same key and the same people back at once, at the end of a batch, or after a lost answer."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from service.domain.combos.tag_deletion import delete_tag
from service.domain.privacy.forgetting import forget_openid
from service.domain.return_data.batches import expire_batches, undo_batch
from service.domain.return_data.requests import Submission
from service.domain.return_data.submission import ReturnRecorder
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.errors import ConflictError, NotFoundError
from service.entities.return_data import Receipt, ReturnMode
from service.storage.database.pool import CONNECTION_LOST
from tests.support.clock import FrozenClock
from tests.support.database_state import miscounted, replay_and_check, skip_ordinals
from tests.support.races import RacingProcess, StartRacingProcess
from tests.support.runtime import admin
from tests.support.tags import members_of, members_of_batches, submission_of, submit

MINUTE = timedelta(minutes=1)


async def submit_by(start_process: RacingProcess, channel: Channel, submission: Submission) -> tuple[Receipt, bool]:
    return await ReturnRecorder(start_process.runtime).submit(channel, submission)


async def check(runtime: Runtime, channel: Channel, tag_id: int, members: set[str]) -> None:
    assert await members_of(runtime, channel, tag_id) == members
    assert await members_of_batches(runtime, channel, tag_id) == members
    assert await miscounted(runtime, channel) == []
    assert (await verify_channel(runtime, channel, repair=False)).clean
    await replay_and_check(runtime, channel)


async def receipts_in(runtime: Runtime) -> int:
    return int(await runtime.pool.fetchval("select count(*) from return_batch"))


@pytest.mark.parametrize("mode", ReturnMode)
async def test_ten_processes_with_the_same_key_have_one_effect_and_one_receipt(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess, mode: ReturnMode
) -> None:
    tag_id = (await submit(runtime, channel, submission_of(["eve", "bob"]))).tag_id
    submission = submission_of(["ada", "bob"], mode, key="night")
    sides = [await start_process(f"host {number}") for number in range(5)]

    answers = await asyncio.gather(*(submit_by(each, channel, submission) for each in sides * 2))

    assert len({receipt.batch_id for receipt, _ in answers}) == 1
    assert sorted(replayed for _, replayed in answers) == [False] + [True] * 9
    assert await receipts_in(runtime) == 2
    after = {
        ReturnMode.ADD: {"ada", "bob", "eve"},
        ReturnMode.REMOVE: {"eve"},
        ReturnMode.REPLACE: {"ada", "bob"},
    }
    await check(runtime, channel, tag_id, after[mode])


async def test_one_key_with_two_requests_at_once_lets_only_one_in(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    one, other = await start_process("one"), await start_process("other")
    stop = one.pause_before("lock_return_key")
    first = one.start(submit_by(one, channel, submission_of(["ada"], key="k")))
    await stop.wait_reached()

    with pytest.raises(ConflictError):
        await submit_by(other, channel, submission_of(["bob"], key="k"))
    stop.release()
    receipt, _ = await first
    assert await runtime.pool.fetchval("select count(*) from channel_user where openid = 'bob'") == 0
    await check(runtime, channel, receipt.tag_id, {"ada"})


async def test_a_tag_that_was_deleted_is_not_made_again_by_a_late_request_with_its_key(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    one, late = await start_process("one"), await start_process("late")
    stop = late.pause_before("lock_return_key")
    # The late request has found no tag and is about to make it.
    second = late.start(submit_by(late, channel, submission_of(["ada"], key="k")))
    await stop.wait_reached()
    receipt, _ = await submit_by(one, channel, submission_of(["ada"], key="k"))
    await delete_tag(runtime, admin(), channel.channel_id, receipt.tag_id)
    stop.release()

    again, replayed = await second
    assert (replayed, again.batch_id) == (True, receipt.batch_id)
    assert await runtime.pool.fetchval("select count(*) from tag where kind = 'RETURN'") == 1


async def test_a_key_that_a_refused_request_gives_up_is_claimed_again(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    one, other = await start_process("one"), await start_process("other")
    removal = submission_of(["ada"], ReturnMode.REMOVE, key="k")
    gives_up = one.pause_before("release_return_key")
    first = one.start(submit_by(one, channel, removal))
    await gives_up.wait_reached()
    await submit(runtime, channel, submission_of(["ada"]))
    locks = other.pause_before("lock_return_key")
    second = other.start(submit_by(other, channel, removal))
    await locks.wait_reached()
    gives_up.release()
    with pytest.raises(NotFoundError):
        await first
    locks.release()

    receipt, replayed = await second
    assert (replayed, receipt.removed) == (False, 1)
    again, replayed = await submit_by(one, channel, removal)
    assert (replayed, again.batch_id) == (True, receipt.batch_id)


async def test_a_batch_is_sent_again_after_its_writer_was_killed_before_the_commit(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    doomed = await start_process("doomed")
    stop = doomed.pause_before("save_return_key_receipt")
    lost = doomed.start(submit_by(doomed, channel, submission_of(["ada", "bob"], key="k")))
    await stop.wait_reached()
    await doomed.kill()
    stop.release()
    with pytest.raises((*CONNECTION_LOST, asyncpg.PostgresError)):
        await lost

    assert await receipts_in(runtime) == 0
    receipt = await submit(runtime, channel, submission_of(["ada", "bob"], key="k"))
    assert receipt.added == 2
    await check(runtime, channel, receipt.tag_id, {"ada", "bob"})


async def test_undo_expiry_and_a_new_batch_of_the_same_people(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess, clock: FrozenClock
) -> None:
    await skip_ordinals(runtime, channel, 31_999)
    ending = await submit(runtime, channel, submission_of(["ada", "bob"], expires_at=clock() + MINUTE))
    clock.advance(MINUTE)
    undoing, expiring, adding = (
        await start_process("undoing"),
        await start_process("expiring"),
        await start_process("adding"),
    )
    stop = undoing.pause_before("delete_batch_members")
    undo = undoing.start(undo_batch(undoing.runtime, admin(), ending.channel_id, ending.batch_id))
    await stop.wait_reached()
    expiry = expiring.start(expire_batches(expiring.runtime, channel.channel_id))
    addition = adding.start(submit_by(adding, channel, submission_of(["bob"])))

    assert await expiring.blocked(expiry)
    assert await adding.blocked(addition)
    stop.release()
    _, ended = await undo
    assert (ended.removed, ended.kept) == (2, 0)
    assert await expiry == 0
    assert (await addition)[0].added == 1
    await check(runtime, channel, ending.tag_id, {"bob"})


async def test_a_whole_membership_and_an_addition_elsewhere_wait_for_each_other(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    first = await submit(runtime, channel, submission_of(["ada"]))
    await submit(runtime, channel, submission_of(["bob"], label="Other"))
    await skip_ordinals(runtime, channel, 64_000)
    replacing, adding = await start_process("replacing"), await start_process("adding")
    stop = replacing.pause_before("end_batches_of_key")
    whole = replacing.start(submit_by(replacing, channel, submission_of(["bob"], ReturnMode.REPLACE)))
    await stop.wait_reached()
    # A block that the replacement has not locked: only the tag keeps the two apart.
    addition = adding.start(submit_by(adding, channel, submission_of(["zoe"])))

    assert await adding.blocked(addition)
    stop.release()
    assert (await whole)[0].removed == 1
    assert (await addition)[0].added == 1
    await check(runtime, channel, first.tag_id, {"bob", "zoe"})


async def test_two_processes_that_make_the_same_tag_make_one(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    one, other = await start_process("one"), await start_process("other")
    stop = one.pause_before("insert_return_tag")
    first = one.start(submit_by(one, channel, submission_of(["ada"])))
    await stop.wait_reached()
    second = other.start(submit_by(other, channel, submission_of(["bob"])))

    assert await other.blocked(second)
    stop.release()
    assert (await first)[0].tag_id == (await second)[0].tag_id
    await check(runtime, channel, (await first)[0].tag_id, {"ada", "bob"})


async def test_somebody_forgotten_between_look_up_and_lock_is_looked_up_again(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    tag_id = (await submit(runtime, channel, submission_of(["ada"], label="Other"))).tag_id
    adding = await start_process("adding")
    stop = adding.pause_before("lock_tags_shared")
    addition = adding.start(submit_by(adding, channel, submission_of(["ada"])))
    await stop.wait_reached()
    await forget_openid(runtime, channel.channel_id, "ada")
    stop.release()

    receipt, _ = await addition
    assert (receipt.added, receipt.new_users) == (1, 1)
    assert await members_of(runtime, channel, receipt.tag_id) == {"ada"}
    assert await members_of(runtime, channel, tag_id) == set()
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_an_answer_lost_after_the_commit_is_given_again(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    doomed = await start_process("doomed")

    class Dies:
        def publish(self, notifications: object) -> None:
            del notifications
            raise SystemError("the process ended here")

    await submit(runtime, channel, submission_of([]))
    dying = ReturnRecorder(replace(doomed.runtime, publisher=Dies()))
    with pytest.raises(SystemError):
        await dying.submit(channel, submission_of(["ada"], key="k"))

    assert await receipts_in(runtime) == 2
    receipt, replayed = await ReturnRecorder(runtime).submit(channel, submission_of(["ada"], key="k"))
    assert (replayed, receipt.added) == (True, 1)
    await check(runtime, channel, receipt.tag_id, {"ada"})
