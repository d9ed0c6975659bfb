"""Hold that whatever is done to a row of a sealed log is found, and its number named."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.audit.checking import BreakKind, ChainBreak, ChainReport, check_chain
from service.domain.audit.exporting import audit_lines
from service.domain.runtime import Runtime
from service.entities.audit_chain import AuditFilter, AuditFormat
from service.entities.channels import Channel
from tests.domain.audit.tampering import EDITS, WAYS, SealedLog
from tests.support.audit import sealed_log, write_entries
from tests.support.clock import FrozenClock
from tests.support.examples import compared_with_model
from tests.support.runtime import bind

_robots = itertools.count(2)


async def sealed(runtime: Runtime, length: int) -> SealedLog:
    """Seal a log of a robot of its own."""
    robot = f"robot-{next(_robots)}"
    channels = [await bind(runtime, robot_id=robot) for _ in range(2)]
    await runtime.pool.execute("delete from audit_entry where robot_id = $1", robot)
    await sealed_log(runtime, *channels, count=length)
    return SealedLog(runtime, channels, length)


async def check(log: SealedLog) -> ChainReport:
    return await check_chain(log.runtime, log.channels[0].robot_id)


def named(report: ChainReport) -> set[int]:
    return {number for each in report.breaks for number in range(each.number, each.last + 1)}


async def test_a_log_that_nobody_touched_is_clean(runtime: Runtime) -> None:
    log = await sealed(runtime, 5)
    report = await check(log)
    assert (report.clean, report.entries, report.ends.last_number) == (True, 5, 5)


async def test_a_robot_without_a_channel_has_no_chain(runtime: Runtime) -> None:
    report = await check_chain(runtime, "nobody")
    assert (report.clean, report.entries) == (True, 0)


async def test_a_channel_without_entries_has_an_empty_chain(runtime: Runtime, channel: Channel) -> None:
    report = await check_chain(runtime, channel.robot_id)
    assert (report.clean, report.ends.last_number) == (True, 0)


@pytest.mark.parametrize("column", EDITS)
async def test_a_column_that_was_edited_is_found(runtime: Runtime, column: str) -> None:
    log = await sealed(runtime, 3)
    assert await log.edit(2, column) <= named(await check(log))


async def test_every_column_is_edited(runtime: Runtime) -> None:
    rows = await runtime.pool.fetch(
        "select column_name from information_schema.columns where table_name = 'audit_entry'"
    )
    assert {name for (name,) in rows} == set(EDITS)


@compared_with_model(examples=160)
@given(
    length=st.integers(1, 7),
    place=st.integers(0, 6),
    tamper=st.one_of(
        st.sampled_from(WAYS),
        st.sampled_from([*EDITS]).map(lambda column: partial(SealedLog.edit, column=column)),
    ),
)
async def test_whatever_is_done_to_a_row_is_found_and_named(
    runtime: Runtime, length: int, place: int, tamper: Callable[[SealedLog, int], Awaitable[set[int]]]
) -> None:
    log = await sealed(runtime, length)
    expected = await tamper(log, place % length + 1)
    report = await check(log)
    assert not report.clean
    assert expected & named(report), report


async def test_what_is_wrong_is_said_of_each_number_and_of_no_other(runtime: Runtime) -> None:
    log = await sealed(runtime, 9)
    await log.edit(2, "subject")
    await log.delete(5)
    await log.delete(6)
    await log.append(8)
    assert (await check(log)).breaks == [
        ChainBreak(2, 2, BreakKind.ALTERED),
        ChainBreak(5, 6, BreakKind.MISSING),
        ChainBreak(10, 10, BreakKind.FOREIGN),
    ]


async def test_the_end_of_the_chain_itself_cannot_be_moved_forward_or_renamed(runtime: Runtime) -> None:
    log = await sealed(runtime, 3)
    home = log.channels[0].channel_id
    await runtime.pool.execute("update audit_chain set last_hash = '\\x00' where channel_id = $1", home)
    assert named(await check(log)) == {3}
    await runtime.pool.execute("update audit_chain set last_number = 4 where channel_id = $1", home)
    assert named(await check(log)) == {4}
    await runtime.pool.execute("delete from audit_chain where channel_id = $1", home)
    assert named(await check(log)) == {1, 2, 3}


async def test_a_great_many_breaks_are_counted_and_some_are_listed(runtime: Runtime) -> None:
    log = await sealed(runtime, 30)
    await runtime.pool.execute("update audit_entry set detail = 'x' where robot_id = $1", log.channels[0].robot_id)
    report = await check(log)
    assert (report.broken, len(report.breaks)) == (30, 20)


@pytest.mark.parametrize(("base", "last"), [(0, 2**62), (-(2**62), 5)])
async def test_ends_that_are_moved_as_far_as_numbers_go_hold_nobody_up(runtime: Runtime, base: int, last: int) -> None:
    log = await sealed(runtime, 5)
    await log.edit(4, "number")
    home = log.channels[0].channel_id
    await runtime.pool.execute(
        "update audit_chain set base_number = $2, last_number = $3 where channel_id = $1", home, base, last
    )
    async with asyncio.timeout(20):
        report = await check(log)
        lines = [
            each async for each in audit_lines(runtime, log.channels[0].robot_id, AuditFilter(), AuditFormat.PLAIN)
        ]
    assert not report.clean
    assert {4} <= {each.number for each in report.breaks} or base < 0
    assert b"".join(lines).count(b"\n") == (5 if last > 5 else 4)


async def test_what_should_be_sealed_by_now_is_counted(runtime: Runtime, clock: FrozenClock) -> None:
    log = await sealed(runtime, 2)
    await write_entries(runtime, log.channels[1], count=2)
    assert (await check(log)).unsealed == 0
    clock.advance(timedelta(minutes=6))
    report = await check(log)
    assert (report.clean, report.unsealed) == (True, 2)
