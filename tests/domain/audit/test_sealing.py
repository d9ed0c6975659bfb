"""Hold that entries are sealed seconds later, once, without gaps, whatever dies or commits late meanwhile."""

import asyncio
import re
from datetime import timedelta

import pytest

from service.domain.audit import sealing
from service.domain.audit.checking import check_chain
from service.domain.audit.sealing import SEAL_AFTER, SEAL_MINUTE_AFTER, seal_audit_logs
from service.domain.runtime import Runtime
from service.entities.audit import AuditEntry, AuditOutcome
from service.entities.channels import Channel
from service.entities.principal import RequestOrigin
from service.storage import audit_chain
from service.storage.audit_entries import fold_entries
from service.storage.database.statements import STATEMENTS
from tests.support.audit import audit_rows, numbers_of, write_entries
from tests.support.clock import FrozenClock
from tests.support.runtime import bind, counted_statements, open_runtime, patient_transaction


@pytest.fixture(autouse=True)
async def empty_log(runtime: Runtime, channel: Channel) -> None:
    """Begin without what binding the channel wrote."""
    async with runtime.pool.acquire() as conn:
        await conn.execute("delete from audit_entry")


async def is_clean(runtime: Runtime, robot_id: str = "robot-1") -> bool:
    return (await check_chain(runtime, robot_id)).clean


def refusal(channel: Channel, clock: FrozenClock, count: int = 1) -> AuditEntry:
    return AuditEntry(
        channel_id=channel.channel_id,
        entry_id=count,
        robot_id=channel.robot_id,
        at=clock(),
        subject="eve",
        role="agent",
        action="deleteTag",
        outcome=AuditOutcome.DENIED,
        origin=RequestOrigin("request"),
        error_code="FORBIDDEN",
        count=count,
        minute=clock().replace(second=0),
    )


async def test_an_entry_is_sealed_once_it_is_some_seconds_old(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await write_entries(runtime, channel)
    clock.advance(SEAL_AFTER - timedelta(seconds=1))
    assert await seal_audit_logs(runtime) == 0
    clock.advance(timedelta(seconds=1))
    assert await seal_audit_logs(runtime) == 1
    assert await numbers_of(runtime) == [1]
    assert await is_clean(runtime)


async def test_numbers_are_in_the_order_of_time_over_all_channels_of_a_robot(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    other, stranger = await bind(runtime), await bind(runtime, robot_id="robot-2")
    await runtime.pool.execute("delete from audit_entry")
    for _ in range(3):
        for each in (other, channel, stranger):
            await write_entries(runtime, each)
            clock.advance(timedelta(seconds=1))
    clock.advance(SEAL_AFTER)
    assert await seal_audit_logs(runtime) == 9
    assert await numbers_of(runtime) == [1, 2, 3, 4, 5, 6]
    assert await numbers_of(runtime, "robot-2") == [1, 2, 3]
    assert await is_clean(runtime)
    assert await is_clean(runtime, "robot-2")


async def test_an_entry_that_commits_late_gets_a_later_number(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    async with patient_transaction(runtime) as conn:
        await conn.execute(
            """insert into audit_entry (channel_id, entry_id, robot_id, at, subject, role, action, outcome, request_id)
            values ($1, 1, 'robot-1', $2, 'late', 'admin', 'deleteTag', 'DONE', '')""",
            channel.channel_id,
            clock(),
        )
        clock.advance(timedelta(seconds=1))
        await write_entries(runtime, channel)
        clock.advance(timedelta(minutes=1))
        assert await seal_audit_logs(runtime) == 1
    assert await seal_audit_logs(runtime) == 1
    assert {row["subject"]: row["number"] for row in await audit_rows(runtime)} == {"ada": 1, "late": 2}
    assert await is_clean(runtime)


async def test_refusals_of_a_minute_are_sealed_when_nothing_is_added_any_more(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    async with runtime.pool.acquire() as conn:
        await fold_entries(conn, [refusal(channel, clock)])
        clock.advance(timedelta(minutes=1))
        assert await seal_audit_logs(runtime) == 0
        await fold_entries(conn, [refusal(channel, FrozenClock(clock() - timedelta(minutes=1)), count=4)])
        clock.advance(SEAL_MINUTE_AFTER)
        assert await seal_audit_logs(runtime) == 1
        await fold_entries(conn, [refusal(channel, FrozenClock(clock.now - timedelta(seconds=135)), count=2)])
    assert await seal_audit_logs(runtime) == 1
    assert sorted((row["number"], row["count"]) for row in await audit_rows(runtime)) == [(1, 5), (2, 2)]
    assert await is_clean(runtime)


async def test_a_refusal_that_is_being_counted_is_left_for_the_next_time(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    async with runtime.pool.acquire() as conn:
        await fold_entries(conn, [refusal(channel, clock)])
    counted = refusal(channel, clock, count=3)
    clock.advance(SEAL_MINUTE_AFTER)
    async with patient_transaction(runtime) as conn:
        await fold_entries(conn, [counted])
        assert await seal_audit_logs(runtime) == 0
    assert await seal_audit_logs(runtime) == 1
    assert [row["count"] for row in await audit_rows(runtime)] == [4]
    assert await is_clean(runtime)


async def test_a_chain_that_another_process_seals_is_left_to_it(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    async with runtime.pool.acquire() as conn:
        await audit_chain.begin_chain(conn, channel.channel_id)
    await write_entries(runtime, channel)
    clock.advance(SEAL_AFTER)
    async with patient_transaction(runtime) as conn:
        await audit_chain.lock_chain(conn, channel.channel_id)
        assert await seal_audit_logs(runtime) == 0
    assert await seal_audit_logs(runtime) == 1


async def test_processes_that_seal_at_once_make_one_chain(
    runtime: Runtime, channel: Channel, clock: FrozenClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "ENTRIES_PER_SLICE", 3)
    other = await bind(runtime)
    await runtime.pool.execute("delete from audit_entry")
    for each in (channel, other):
        await write_entries(runtime, each, 20)
    clock.advance(timedelta(minutes=1))
    async with open_runtime(database_url, clock) as second:
        counts = await asyncio.gather(*(seal_audit_logs(each) for each in (runtime, second) for _ in range(3)))
        counts.append(await seal_audit_logs(runtime))
    assert sum(counts) == 40
    assert sorted(number or 0 for number in await numbers_of(runtime)) == list(range(1, 41))
    assert await is_clean(runtime)


async def test_a_process_that_dies_while_it_seals_leaves_nothing_half_done(
    runtime: Runtime, channel: Channel, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_entries(runtime, channel, 5)
    clock.advance(timedelta(minutes=1))
    with monkeypatch.context() as patch:

        async def die(*_: object) -> None:
            # The server ends the connection, as it does for a process that was killed.
            async with runtime.pool.acquire() as conn:
                await conn.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )

        patch.setattr(audit_chain, "advance_chain", die)
        assert await seal_audit_logs(runtime) == 0
    assert await numbers_of(runtime) == [None] * 5
    assert await seal_audit_logs(runtime) == 5
    assert await is_clean(runtime)


async def test_a_robot_whose_entries_cannot_be_sealed_does_not_hold_up_others(
    runtime: Runtime, channel: Channel, clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    other = await bind(runtime, robot_id="robot-2")
    await runtime.pool.execute("delete from audit_entry")
    await write_entries(runtime, channel)
    await write_entries(runtime, other)
    await runtime.pool.execute("insert into audit_chain (channel_id) values ($1)", channel.channel_id)
    # The number that comes next is taken: somebody put in a row by hand.
    await write_entries(runtime, channel, subject="mallory")
    await runtime.pool.execute("update audit_entry set number = 1, hash = '\\x00' where subject = 'mallory'")
    clock.advance(SEAL_AFTER)
    assert await seal_audit_logs(runtime) == 1
    assert await numbers_of(runtime, "robot-2") == [1]
    assert "the audit log of robot robot-1 cannot be sealed" in caplog.text


async def test_a_look_for_what_is_due_costs_one_statement_that_reads_no_sealed_entry(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await write_entries(runtime, channel, 100)
    clock.advance(timedelta(hours=1))
    await seal_audit_logs(runtime)
    await bind(runtime, robot_id="robot-2")
    await runtime.pool.execute("delete from audit_entry where number is null")
    with counted_statements() as sent:
        assert await seal_audit_logs(runtime) == 0
    assert sent == ["channels_with_unsealed_entries"]
    await runtime.pool.execute("analyze audit_entry")
    plan = await runtime.pool.fetch("explain " + re.sub(r"\$\d", "now()", STATEMENTS["channels_with_unsealed_entries"]))
    assert "audit_entry_unsealed" in str(plan)


async def test_what_was_written_while_the_clock_was_ahead_is_sealed_when_it_is_right_again(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    ahead = FrozenClock(clock() + timedelta(days=1))
    await write_entries(runtime, channel, at=ahead())
    async with runtime.pool.acquire() as conn:
        await fold_entries(conn, [refusal(channel, ahead)])
    await write_entries(runtime, channel, at=clock() + timedelta(minutes=2))
    assert await seal_audit_logs(runtime) == 2
    assert sorted(each is None for each in await numbers_of(runtime)) == [False, False, True], "clocks differ a little"
    assert await is_clean(runtime)
