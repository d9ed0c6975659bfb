"""Refusals are counted where they happen, and written together: few entries, however many there are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.domain.audit import refusals
from service.domain.audit.refusals import MAX_KINDS_PER_ROBOT, MAX_ROBOTS, OTHER_SUBJECTS, RefusalLog
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import ErrorCode
from service.entities.principal import Principal, RequestOrigin
from tests.support.audit import audit_rows
from tests.support.clock import FrozenClock
from tests.support.runtime import admin, bind
from tests.support.waiting import wait_until

SUBJECT = replace(admin(), origin=RequestOrigin("the first", "203.0.113.7"))


@pytest.fixture
def counted(runtime: Runtime) -> RefusalLog:
    return RefusalLog(runtime)


async def written(runtime: Runtime) -> list[dict[str, Any]]:
    return [row for row in await audit_rows(runtime) if row["minute"] is not None]


def refuse(counted: RefusalLog, principal: Principal = SUBJECT, action: str = "delete_tag", times: int = 1) -> None:
    for _ in range(times):
        counted.count(principal, action, ErrorCode.FORBIDDEN)


async def test_denials_of_a_minute_are_one_entry_that_says_how_many_there_were(
    runtime: Runtime, channel: Channel, counted: RefusalLog, clock: FrozenClock
) -> None:
    first = clock()
    refuse(counted, times=3)
    clock.advance(timedelta(seconds=20))
    refuse(counted, replace(SUBJECT, origin=RequestOrigin("the fourth")), times=4)
    await counted.write()
    [entry] = await written(runtime)
    assert (entry["outcome"], entry["error_code"], entry["count"]) == ("DENIED", "FORBIDDEN", 7)
    assert (entry["subject"], entry["role"], entry["action"]) == ("tests", "admin", "deleteTag")
    assert (entry["at"], entry["minute"], entry["channel_id"]) == (first, first, channel.channel_id)
    assert (entry["request_id"], entry["client_address"]) == ("the first", "203.0.113.7")


@pytest.mark.usefixtures("channel")
async def test_subjects_acts_codes_and_minutes_are_told_apart(
    runtime: Runtime, counted: RefusalLog, clock: FrozenClock
) -> None:
    refuse(counted)
    refuse(counted, replace(SUBJECT, subject="another"))
    refuse(counted, action="rename_tag")
    counted.count(SUBJECT, "delete_tag", ErrorCode.UPSTREAM, "errcode 48001")
    clock.advance(timedelta(minutes=1))
    refuse(counted)
    await counted.write()
    entries = await written(runtime)
    assert [each["count"] for each in entries] == [1] * 5
    assert [(each["error_code"], each["detail"]) for each in entries if each["outcome"] == "FAILED"] == [
        ("UPSTREAM", "errcode 48001")
    ]


@pytest.mark.usefixtures("channel")
async def test_what_several_processes_counted_is_added_up(runtime: Runtime, counted: RefusalLog) -> None:
    other = RefusalLog(runtime)
    for each in (counted, other, counted):
        refuse(each, times=2)
        await each.write()
    assert [each["count"] for each in await written(runtime)] == [6]


@pytest.mark.usefixtures("channel")
async def test_a_sealed_entry_is_left_alone(runtime: Runtime, counted: RefusalLog) -> None:
    refuse(counted)
    await counted.write()
    async with runtime.pool.acquire() as conn:
        await conn.execute("update audit_entry set number = 1 where minute is not null")
    refuse(counted)
    await counted.write()
    assert [(each["count"], each["number"]) for each in await written(runtime)] == [(1, 1), (1, None)]


async def test_nothing_is_written_for_a_robot_that_never_bound_an_account(
    runtime: Runtime, counted: RefusalLog
) -> None:
    refuse(counted)
    await counted.write()
    assert await audit_rows(runtime) == []


@pytest.mark.usefixtures("channel")
async def test_more_subjects_than_are_kept_apart_are_counted_as_others(runtime: Runtime, counted: RefusalLog) -> None:
    many = MAX_KINDS_PER_ROBOT + 100
    for number in range(many):
        refuse(counted, replace(SUBJECT, subject=f"subject {number}"))
    await counted.write()
    entries = await written(runtime)
    assert len(entries) == MAX_KINDS_PER_ROBOT + 1
    assert {each["subject"]: each["count"] for each in entries}[OTHER_SUBJECTS] == 100
    assert sum(each["count"] for each in entries) == many


@pytest.mark.usefixtures("channel")
async def test_no_more_subjects_of_a_minute_are_kept_apart_however_often_they_are_written(
    runtime: Runtime, counted: RefusalLog, clock: FrozenClock
) -> None:
    for third in range(3):
        for number in range(200):
            refuse(counted, replace(SUBJECT, subject=f"subject {third} {number}"))
            refuse(counted, replace(SUBJECT, subject="subject 0 0"))
        await counted.write()
        clock.advance(timedelta(seconds=3))
    entries = {each["subject"]: each["count"] for each in await written(runtime)}
    assert len(entries) == MAX_KINDS_PER_ROBOT + 1
    assert (entries[OTHER_SUBJECTS], entries["subject 0 0"]) == (100, 601)
    clock.advance(timedelta(minutes=1))
    refuse(counted, replace(SUBJECT, subject="another"))
    await counted.write()
    assert {each["subject"]: each["count"] for each in await written(runtime)}["another"] == 1


async def test_robots_that_are_written_make_room_for_others(
    runtime: Runtime, counted: RefusalLog, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    for part in range(2):
        for number in range(MAX_ROBOTS - 1):
            refuse(counted, replace(SUBJECT, robot_id=f"unbound {part} {number}"))
        refuse(counted, replace(SUBJECT, robot_id=channel.robot_id), times=part + 1)
        await counted.write()
    assert [each["count"] for each in await written(runtime)] == [3]
    assert "missing" not in caplog.text


@asynccontextmanager
async def outage(runtime: Runtime) -> AsyncIterator[None]:
    async with runtime.pool.acquire() as conn:
        await conn.execute("alter table audit_entry rename to away")
    yield
    async with runtime.pool.acquire() as conn:
        await conn.execute("alter table away rename to audit_entry")


@pytest.mark.usefixtures("channel")
async def test_what_cannot_be_written_is_written_later_and_once(runtime: Runtime, counted: RefusalLog) -> None:
    async with outage(runtime):
        for _ in range(2):
            refuse(counted, times=2)
            await counted.write()
    await counted.write()
    await counted.write()
    assert [each["count"] for each in await written(runtime)] == [4]


@pytest.mark.usefixtures("channel")
async def test_memory_is_bounded_however_long_nothing_can_be_written(
    runtime: Runtime, counted: RefusalLog, clock: FrozenClock
) -> None:
    async with outage(runtime):
        for minute in range(5):
            for number in range(MAX_KINDS_PER_ROBOT):
                refuse(counted, replace(SUBJECT, subject=f"subject {minute} {number}"), action=f"act_{number}")
            await counted.write()
            clock.advance(timedelta(minutes=1))
    await counted.write()
    assert len(await written(runtime)) == 2 * MAX_KINDS_PER_ROBOT


@pytest.mark.usefixtures("channel")
async def test_they_are_written_every_few_seconds_and_at_the_end(
    runtime: Runtime, counted: RefusalLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "WRITE_EVERY", 0.01)

    async def is_written() -> bool:
        return len(await written(runtime)) == 1

    async with counted.written():
        refuse(counted)
        await wait_until(is_written)
        monkeypatch.setattr(refusals, "WRITE_EVERY", 3600)
        refuse(counted, action="rename_tag")
    assert {each["action"] for each in await written(runtime)} == {"deleteTag", "renameTag"}


async def test_acts_of_a_robot_are_kept_apart_from_those_of_another(runtime: Runtime, counted: RefusalLog) -> None:
    for robot in ("robot-1", "robot-2"):
        await bind(runtime, robot_id=robot)
        refuse(counted, replace(SUBJECT, robot_id=robot))
    await counted.write()
    assert [len(await audit_rows(runtime, robot)) for robot in ("robot-1", "robot-2")] == [2, 2]
