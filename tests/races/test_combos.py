"""Meet a combo on its way into force with deletions, edits, events and other workers, at every step.

The rule: docs/specification.md §4.4.
"""

import asyncio

import pytest

from service.domain.combos import activation
from service.domain.combos.activation import ActivationOutcome, activate_combo, rescue_combos
from service.domain.combos.cleanup import clear_members
from service.domain.combos.editing import ComboEdit, update_combo
from service.domain.combos.expressions import to_draft
from service.domain.combos.refresh import refresh_combos
from service.domain.combos.tag_deletion import delete_tag
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.combos import Combo
from service.entities.errors import ErrorCode, RequestError
from service.entities.expressions import Expression, all_of, any_of, tag
from service.entities.tags import TagState
from service.storage.database.pool import CONNECTION_LOST
from tests.support.database_state import miscounted, replay_and_check, skip_ordinals
from tests.support.races import StartRacingProcess
from tests.support.runtime import admin
from tests.support.tags import add_members, make_combo, make_tag, members_of, remove_members, state_of
from tests.support.waiting import wait_until

BLOCK = 32_000
SLICE_STEPS = ("lock_combo", "blocks_from", "lock_heads", "combo_graph", "save_combo_progress")
LAST_STEPS = ("lock_channel_state", "set_combo_as_of", "bump_tag_version", "log_tag_changes")


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute one block at a time."""
    monkeypatch.setattr(activation, "BLOCKS_PER_SLICE", 1)


@pytest.fixture
async def apple(runtime: Runtime, channel: Channel) -> int:
    """Make a tag that a person in each of three blocks has."""
    tag_id = await make_tag(runtime, channel, "Apple", "ann")
    for number, openid in enumerate(("bob", "cleo"), start=1):
        await skip_ordinals(runtime, channel, number * BLOCK)
        await add_members(runtime, channel, tag_id, openid)
    return tag_id


async def activate(runtime: Runtime, channel: Channel, combo: Combo) -> ActivationOutcome:
    return await activate_combo(runtime, channel.channel_id, combo.tag_id, combo.generation)


async def edit(runtime: Runtime, channel: Channel, tag_id: int, expression: Expression) -> None:
    draft = to_draft(channel.channel_id, expression)
    await update_combo(runtime, admin(), channel.channel_id, tag_id, ComboEdit(expression=draft))


async def ends_right(runtime: Runtime, channel: Channel) -> None:
    """Check that one sweep and one refresh make everything what the facts say."""
    await rescue_combos(runtime, channel.channel_id)
    await refresh_combos(runtime, channel.channel_id)
    await clear_members(runtime, channel.channel_id)
    assert (await verify_channel(runtime, channel, repair=False)).clean
    assert await miscounted(runtime, channel) == []
    await replay_and_check(runtime, channel)


@pytest.mark.parametrize("statement", [*SLICE_STEPS, *LAST_STEPS])
async def test_a_combo_whose_operand_is_deleted_on_the_way_ends_lapsed(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, apple: int, statement: str
) -> None:
    combo = await make_combo(runtime, channel, "Combo", any_of(tag(apple), tag(1)))
    worker, admins = await start_process("worker"), await start_process("admins")
    stop = worker.pause_before(statement)
    activating = worker.start(activate(worker.runtime, channel, combo))
    await stop.wait_reached()

    deleting = admins.start(delete_tag(admins.runtime, admin(), channel.channel_id, apple))
    await admins.blocked(deleting)
    stop.release()
    outcome, deleted = await asyncio.gather(activating, deleting)

    assert [each.tag_id for each in deleted.lapsed] == [combo.tag_id]
    assert outcome in {ActivationOutcome.VOID, ActivationOutcome.ACTIVE}, (
        "it may have been in force for a moment before the deletion"
    )
    assert await state_of(runtime, channel, combo.tag_id) is TagState.LAPSED
    await ends_right(runtime, channel)
    assert await state_of(runtime, channel, combo.tag_id) is TagState.LAPSED
    assert await members_of(runtime, channel, combo.tag_id) == set()


@pytest.mark.parametrize("statement", [*SLICE_STEPS, *LAST_STEPS])
async def test_an_edit_on_the_way_supersedes_what_was_computed(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, apple: int, statement: str
) -> None:
    pear = await make_tag(runtime, channel, "Pear", "bob")
    combo = await make_combo(runtime, channel, "Combo", tag(apple))
    worker, admins = await start_process("worker"), await start_process("admins")
    stop = worker.pause_before(statement)
    activating = worker.start(activate(worker.runtime, channel, combo))
    await stop.wait_reached()

    editing = admins.start(edit(admins.runtime, channel, combo.tag_id, tag(pear)))
    await admins.blocked(editing)
    stop.release()
    await asyncio.gather(activating, editing)

    assert await state_of(runtime, channel, combo.tag_id) is TagState.PENDING
    await ends_right(runtime, channel)
    assert await state_of(runtime, channel, combo.tag_id) is TagState.ACTIVE
    assert await members_of(runtime, channel, combo.tag_id) == {"bob"}


@pytest.mark.parametrize("statement", [*SLICE_STEPS, *LAST_STEPS])
async def test_what_changes_on_the_way_is_there_after_the_next_refresh(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, apple: int, statement: str
) -> None:
    pear = await make_tag(runtime, channel, "Pear", "ann", "bob", "cleo")
    combo = await make_combo(runtime, channel, "Combo", all_of(tag(apple), tag(pear)))
    worker, events, clock = await start_process("worker"), await start_process("events"), await start_process("clock")
    stop = worker.pause_before(statement)
    activating = worker.start(activate(worker.runtime, channel, combo))
    await stop.wait_reached()

    changing = events.start(remove_members(events.runtime, channel, pear, "ann", "cleo"))
    await events.blocked(changing)
    # A refresh in between must not count blocks as up to date that it computed without this combo.
    refreshing = clock.start(refresh_combos(clock.runtime, channel.channel_id))
    await clock.blocked(refreshing)
    stop.release()
    await asyncio.gather(activating, changing, refreshing)

    await ends_right(runtime, channel)
    assert await state_of(runtime, channel, combo.tag_id) is TagState.ACTIVE
    assert await members_of(runtime, channel, combo.tag_id) == {"bob"}


@pytest.mark.parametrize("statement", [*SLICE_STEPS, *LAST_STEPS])
async def test_a_worker_that_dies_on_the_way_is_made_up_for_by_one_sweep(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, apple: int, statement: str
) -> None:
    combo = await make_combo(runtime, channel, "Combo", tag(apple))
    worker = await start_process("worker")
    stop = worker.pause_before(statement)
    activating = worker.start(activate(worker.runtime, channel, combo))
    await stop.wait_reached()
    await worker.kill()
    stop.release()
    await asyncio.wait([activating])

    assert isinstance(activating.exception(), CONNECTION_LOST)
    assert await state_of(runtime, channel, combo.tag_id) is TagState.PENDING
    assert await rescue_combos(runtime, channel.channel_id) == [ActivationOutcome.ACTIVE]
    assert await members_of(runtime, channel, combo.tag_id) == {"ann", "bob", "cleo"}
    await ends_right(runtime, channel)


@pytest.mark.parametrize("statement", ["blocks_from", "lock_channel_state"])
async def test_two_workers_bring_it_into_force_once(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, apple: int, statement: str
) -> None:
    combo = await make_combo(runtime, channel, "Combo", tag(apple))
    west, east = await start_process("west"), await start_process("east")
    stop = west.pause_before(statement)
    first = west.start(activate(west.runtime, channel, combo))
    await stop.wait_reached()
    second = east.start(activate(east.runtime, channel, combo))
    await wait_until(second.done)
    stop.release()

    outcomes = {await first, await second}

    assert outcomes == {
        ActivationOutcome.ACTIVE,
        ActivationOutcome.BUSY if statement == "blocks_from" else ActivationOutcome.VOID,
    }
    assert await state_of(runtime, channel, combo.tag_id) is TagState.ACTIVE
    changes = "select count(*) from tag_change where tag_id = $1 and kind = 'STATE_CHANGED'"
    assert await runtime.pool.fetchval(changes, combo.tag_id) == 1
    await ends_right(runtime, channel)


async def test_of_two_edits_that_would_form_a_cycle_one_is_refused(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, apple: int
) -> None:
    one = await make_combo(runtime, channel, "One", tag(apple))
    two = await make_combo(runtime, channel, "Two", tag(apple))
    west, east = await start_process("west"), await start_process("east")
    stop = west.pause_before("restart_combos")
    first = west.start(edit(west.runtime, channel, one.tag_id, tag(two.tag_id)))
    await stop.wait_reached()
    second = east.start(edit(east.runtime, channel, two.tag_id, tag(one.tag_id)))
    assert await east.blocked(second)
    stop.release()

    await first
    with pytest.raises(RequestError) as refused:
        await second

    assert refused.value.code is ErrorCode.CYCLE
    await ends_right(runtime, channel)
    assert await members_of(runtime, channel, one.tag_id) == {"ann", "bob", "cleo"}


async def test_a_combo_made_while_its_operand_is_deleted_is_refused_or_lapses(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, apple: int
) -> None:
    west, east = await start_process("west"), await start_process("east")
    stop = west.pause_before("log_tag_changes")
    deleting = west.start(delete_tag(west.runtime, admin(), channel.channel_id, apple))
    await stop.wait_reached()
    making = east.start(make_combo(east.runtime, channel, "Combo", tag(apple)))
    assert await east.blocked(making)
    stop.release()

    assert (await deleting).lapsed == ()
    with pytest.raises(RequestError) as refused:
        await making
    assert refused.value.code is ErrorCode.TAG_NOT_USABLE


async def test_a_refresh_that_began_before_a_combo_was_made_does_not_hide_a_change_from_it(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, apple: int
) -> None:
    """The refresh reads what combos there are under the locks, not when it began."""
    pear = await make_tag(runtime, channel, "Pear", "ann")
    await make_combo(runtime, channel, "Other", tag(pear))
    await rescue_combos(runtime, channel.channel_id)
    worker = await start_process("worker")
    stop = worker.pause_before("lock_heads")
    await add_members(runtime, channel, pear, "bob")
    refreshing = worker.start(refresh_combos(worker.runtime, channel.channel_id))
    await stop.wait_reached()
    combo = await make_combo(runtime, channel, "Combo", all_of(tag(apple), tag(pear)))
    assert await activate(runtime, channel, combo) is ActivationOutcome.ACTIVE
    await remove_members(runtime, channel, pear, "bob")
    stop.release()
    await refreshing

    await ends_right(runtime, channel)
    assert await members_of(runtime, channel, combo.tag_id) == {"ann"}


async def test_clearing_does_not_take_the_members_of_a_combo_that_was_revived(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, apple: int
) -> None:
    pear = await make_tag(runtime, channel, "Pear", "ann")
    combo = await make_combo(runtime, channel, "Combo", any_of(tag(apple), tag(pear)))
    await rescue_combos(runtime, channel.channel_id)
    await delete_tag(runtime, admin(), channel.channel_id, pear)
    worker = await start_process("worker")
    stop = worker.pause_before("lock_heads")
    clearing = worker.start(clear_members(worker.runtime, channel.channel_id))
    await stop.wait_reached()
    await edit(runtime, channel, combo.tag_id, tag(apple))
    await rescue_combos(runtime, channel.channel_id)
    stop.release()
    await clearing

    assert await state_of(runtime, channel, combo.tag_id) is TagState.ACTIVE
    assert await members_of(runtime, channel, combo.tag_id) == {"ann", "bob", "cleo"}
    await ends_right(runtime, channel)
