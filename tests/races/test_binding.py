"""End racing bindings as if one came after the other, and record facts all the while.

The rule: docs/specification.md §2.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from service.domain.channels.binding import bind_channel, unbind_channel
from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import ConflictError
from service.entities.users import EventKind, UserEvent
from service.storage.channels import channel_state
from service.storage.database.pool import CONNECTION_LOST
from tests.support.clock import START, FrozenClock
from tests.support.database_state import check_consistency, facts_by_openid, tags_by_openid
from tests.support.races import RacingProcess, StartRacingProcess, modified_statement
from tests.support.runtime import admin, bind, channel_details

APP_ID = "wx0123456789abcdef"
HOUR = timedelta(hours=1)
FOLLOWS = [UserEvent("ann", EventKind.FOLLOW, START)]
NO_ROBOT_LOCK = modified_statement("lock_robot", (" for update", ""))
RECORDS_ONLY_WHILE_OPEN = modified_statement(
    "merge_facts",
    (
        "where f.facts is distinct from u.facts",
        "where f.facts is distinct from u.facts and (select s.open from channel_state s where s.channel_id = $1)",
    ),
)


async def open_channels(runtime: Runtime, *channels: Channel) -> list[bool]:
    async with runtime.pool.acquire() as conn:
        return [(await channel_state(conn, each.channel_id)).open for each in channels]


async def rows_of_everybody(runtime: Runtime) -> list[tuple[str, str]]:
    """Return (robot, its channel's app id or nothing) of every robot."""
    rows = await runtime.pool.fetch("select robot_id, app_id from robot left join channel using (robot_id) order by 1")
    return [(row["robot_id"], row["app_id"]) for row in rows]


def start_binding(
    start_process: RacingProcess, app_id: str = APP_ID, robot_id: str = "robot-1", **wanted: Any
) -> asyncio.Task[Channel]:
    return start_process.start(bind_channel(start_process.runtime, admin(robot_id), channel_details(app_id, **wanted)))


async def an_unbinding_passes_an_event(
    start_process: StartRacingProcess,
    runtime: Runtime,
    channel: Channel,
    clock: FrozenClock,
    weakened: Mapping[str, str] | None = None,
) -> set[UserEvent]:
    """Write one event when the channel is unbound and another while it is; then bind it again."""
    writer = await start_process("writer", weakened=weakened)
    written = writer.pause_before("advance_heads")
    event = writer.start(record_events(writer.runtime, channel, FOLLOWS))
    await written.wait_reached()
    await unbind_channel(runtime, admin(), channel.channel_id)
    written.release()
    await event
    message = UserEvent("ann", EventKind.MESSAGE, clock())
    await record_events(writer.runtime, channel, [message])
    clock.advance(HOUR)
    await run_default_tags(runtime, channel)
    await bind(runtime, channel.app_id)
    return {*FOLLOWS, message}


async def test_an_unbinding_waits_for_no_event_and_loses_none(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    happened = await an_unbinding_passes_an_event(start_process, runtime, channel, clock)

    await check_consistency(runtime, channel, happened, clock())


async def test_events_ignored_while_unbound_would_be_missing_after_binding_again(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await an_unbinding_passes_an_event(start_process, runtime, channel, clock, RECORDS_ONLY_WHILE_OPEN)

    assert (await facts_by_openid(runtime, channel))["ann"].messaged_at is None
    assert (await tags_by_openid(runtime, channel))["ann"] == {1, 4, 6, 8}


async def one_robot_binds_two_channels(
    start_process: StartRacingProcess, runtime: Runtime, weakened: Mapping[str, str]
) -> list[bool]:
    """Bind the second while the first has seen all channels there are, and not committed."""
    await bind(runtime, verified=False)
    first, second = await start_process("first", weakened=weakened), await start_process("second", weakened=weakened)
    counted = first.pause_before("lock_channel_state")
    mini_program = start_binding(first, kind=ChannelKind.MINI_PROGRAM)
    await counted.wait_reached()
    account = start_binding(second, "wxfedcba9876543210")
    await second.blocked(account)
    counted.release()
    return await open_channels(runtime, *await asyncio.gather(mini_program, account))


async def test_two_channels_bound_at_once_agree_on_the_gate(
    start_process: StartRacingProcess, runtime: Runtime
) -> None:
    assert await one_robot_binds_two_channels(start_process, runtime, {}) == [True, True]


async def test_without_the_lock_of_the_robot_one_channel_stays_closed(
    start_process: StartRacingProcess, runtime: Runtime
) -> None:
    assert await one_robot_binds_two_channels(start_process, runtime, NO_ROBOT_LOCK) == [False, True]


async def one_robot_binds_an_account_twice(
    start_process: StartRacingProcess, runtime: Runtime, weakened: Mapping[str, str]
) -> list[Channel | BaseException]:
    await bind(runtime)
    first, second = await start_process("first", weakened=weakened), await start_process("second", weakened=weakened)
    inserted = first.pause_before("insert_channel_state")
    one = start_binding(first)
    await inserted.wait_reached()
    other = start_binding(second, name="Another name")
    assert await second.blocked(other)
    inserted.release()
    return list(await asyncio.gather(one, other, return_exceptions=True))


async def test_one_robot_that_binds_an_account_twice_updates_it(
    start_process: StartRacingProcess, runtime: Runtime
) -> None:
    one, other = await one_robot_binds_an_account_twice(start_process, runtime, {})

    assert isinstance(one, Channel)
    assert isinstance(other, Channel)
    assert (other.channel_id, other.name) == (one.channel_id, "Another name")
    assert await open_channels(runtime, one) == [True]


async def test_without_the_lock_of_the_robot_it_is_refused_its_own_account(
    start_process: StartRacingProcess, runtime: Runtime
) -> None:
    _, other = await one_robot_binds_an_account_twice(start_process, runtime, NO_ROBOT_LOCK)

    assert isinstance(other, asyncpg.UniqueViolationError)


async def two_robots_bind_one_account(
    start_process: StartRacingProcess, *, transactions: bool = True
) -> asyncio.Task[Channel]:
    """Let the first to come write everything, and commit while the second waits or is done."""
    first, second = await start_process("first"), await start_process("second", transactions=transactions)
    written = first.pause_before("lock_channel_state")
    one = start_binding(first, robot_id="mine")
    await written.wait_reached()
    other = start_binding(second, robot_id="theirs")
    await second.blocked(other)
    written.release()
    await asyncio.wait([one, other])
    assert one.result().robot_id == "mine"
    return other


async def test_of_two_robots_one_gets_the_account_and_the_other_leaves_nothing(
    start_process: StartRacingProcess, runtime: Runtime
) -> None:
    other = await two_robots_bind_one_account(start_process)

    assert isinstance(other.exception(), ConflictError)
    assert await rows_of_everybody(runtime) == [("mine", APP_ID)]
    assert await half_made_channels(runtime) == 0


async def test_without_the_index_both_get_it(start_process: StartRacingProcess, runtime: Runtime) -> None:
    await runtime.pool.execute("drop index channel_app_id_bound")

    other = await two_robots_bind_one_account(start_process)

    assert other.exception() is None
    assert await rows_of_everybody(runtime) == [("mine", APP_ID), ("theirs", APP_ID)]


async def test_without_a_transaction_the_refused_robot_exists_all_the_same(
    start_process: StartRacingProcess, runtime: Runtime
) -> None:
    other = await two_robots_bind_one_account(start_process, transactions=False)

    assert isinstance(other.exception(), ConflictError)
    assert await rows_of_everybody(runtime) == [("mine", APP_ID), ("theirs", None)]


@pytest.mark.parametrize("transactions", [True, False], ids=["whole", "without a transaction"])
async def test_a_binding_that_dies_half_way_leaves_the_account_to_the_other(
    start_process: StartRacingProcess, runtime: Runtime, transactions: bool
) -> None:
    first, second = await start_process("first", transactions=transactions), await start_process("second")
    inserted = first.pause_before("insert_channel_state")
    one = start_binding(first, robot_id="mine")
    await inserted.wait_reached()
    other = start_binding(second, robot_id="theirs")
    with suppress(ConflictError):
        await second.blocked(other)
    await first.kill()
    inserted.release()
    await asyncio.wait([one, other])

    assert isinstance(one.exception(), CONNECTION_LOST)
    if transactions:
        assert await open_channels(runtime, other.result()) == [True]
        assert await rows_of_everybody(runtime) == [("theirs", APP_ID)]
        assert await half_made_channels(runtime) == 0
    else:
        assert isinstance(other.exception(), ConflictError)
        assert await half_made_channels(runtime) == 1


async def test_an_account_being_unbound_goes_to_whoever_waits_for_it(
    start_process: StartRacingProcess, runtime: Runtime
) -> None:
    mine = await bind(runtime, APP_ID, robot_id="mine")
    first, second = await start_process("first"), await start_process("second")
    unbound = first.pause_before("lock_channel_state")
    leaving = first.start(unbind_channel(first.runtime, admin("mine"), mine.channel_id))
    await unbound.wait_reached()
    binding = start_binding(second, robot_id="theirs")
    assert await second.blocked(binding)
    unbound.release()
    await leaving

    assert await open_channels(runtime, mine, await binding) == [False, True]


async def test_an_account_is_not_bound_again_under_another_robot_that_has_it_by_now(
    start_process: StartRacingProcess, runtime: Runtime
) -> None:
    mine = await bind(runtime, APP_ID, robot_id="mine")
    await unbind_channel(runtime, admin("mine"), mine.channel_id)
    first, second = await start_process("first"), await start_process("second")
    inserted = first.pause_before("lock_channel_state")
    theirs = start_binding(first, robot_id="theirs")
    await inserted.wait_reached()
    again = start_binding(second, robot_id="mine")
    assert await second.blocked(again)
    inserted.release()
    await asyncio.wait([again])

    assert isinstance(again.exception(), ConflictError)
    assert await open_channels(runtime, mine, await theirs) == [False, True]


async def half_made_channels(runtime: Runtime) -> int:
    """Return channels without their state or without all of their tags."""
    return int(
        await runtime.pool.fetchval(
            "select count(*) from channel c left join channel_state s using (channel_id) "
            "where s.channel_id is null or (select count(*) from tag t where t.channel_id = c.channel_id) <> 8"
        )
    )


async def test_unbinding_and_binding_at_once_end_as_one_after_the_other(
    start_process: StartRacingProcess, runtime: Runtime
) -> None:
    """The gate is what the bindings say, whoever came last."""
    account, mini_program = await bind(runtime), await bind(runtime, kind=ChannelKind.MINI_PROGRAM)
    hosts = [await start_process(f"host-{number}") for number in range(3)]
    for turn in range(6):
        async with asyncio.TaskGroup() as group:
            for number, host in enumerate(hosts):
                if (number + turn) % 2:
                    group.create_task(unbind_channel(host.runtime, admin(), account.channel_id))
                else:
                    group.create_task(bind(host.runtime, account.app_id))
        bound = await runtime.pool.fetchval(
            "select unbound_at is null from channel where channel_id = $1", account.channel_id
        )
        assert await open_channels(runtime, account, mini_program) == [bound, bound]
