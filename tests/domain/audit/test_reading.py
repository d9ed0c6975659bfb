"""Hold that a long log is read page by page without reading it all, and exported a little at a time."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from service.domain.audit import in_order
from service.domain.audit.exporting import LINES_PER_CHUNK, audit_lines
from service.domain.audit.reading import audit_page, position_of
from service.domain.audit.sealing import seal_audit_logs
from service.domain.runtime import Runtime
from service.entities.audit_chain import AuditFilter, AuditFormat, AuditPosition
from service.entities.channels import Channel
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS
from tests.support.clock import START, FrozenClock
from tests.support.runtime import admin, bind, counted_statements

LENGTH = 3_000


@pytest.fixture
async def long_log(runtime: Runtime, channel: Channel, clock: FrozenClock) -> AsyncIterator[list[Channel]]:
    """Write a log of some thousand entries to two channels, some of them at the same instant, and seal it."""
    channels = [channel, await bind(runtime)]
    await runtime.pool.execute("delete from audit_entry")
    for each in channels:
        await runtime.pool.execute(
            """insert into audit_entry (channel_id, entry_id, robot_id, at, subject, role, action, outcome, request_id)
            select $1, n, 'robot-1', $2::timestamptz + n / 3 * interval '1 s', 'ada', 'admin', 'renameTag', 'DONE', ''
            from generate_series(1, $3::int) n""",
            each.channel_id,
            START - timedelta(days=1),
            LENGTH,
        )
    await seal_audit_logs(runtime)
    await runtime.pool.execute("analyze audit_entry")
    yield channels
    await runtime.pool.execute("truncate audit_entry")


async def generic_plan(conn: Connection, name: str, arguments: str) -> str:
    """Return how a statement is executed when it has been prepared once for all arguments, with what it read."""
    await conn.execute("set local plan_cache_mode = force_generic_plan")
    await conn.execute(f"prepare planned as {STATEMENTS[name]}")
    rows = await conn.fetch(f"explain (analyze, costs off, timing off, summary off) execute planned ({arguments})")
    await conn.execute("deallocate planned")
    return "\n".join(line for (line,) in rows)


async def test_a_page_in_the_middle_reads_no_more_than_its_entries(runtime: Runtime, long_log: list[Channel]) -> None:
    channel_id = long_log[0].channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        at = await conn.fetchval("select at from audit_entry where channel_id = $1 and entry_id = 1500", channel_id)
        place = f"{channel_id}, '{at.isoformat()}', 1500, {channel_id}, null, null, null, null, null, null, 50"
        plan = await generic_plan(conn, "audit_page", place)
    assert "Index Scan Backward using audit_entry_at" in plan
    assert "Rows Removed by Filter" not in plan, plan
    assert "Sort" not in plan


async def test_an_export_and_a_check_read_the_numbers_that_are_next(runtime: Runtime, long_log: list[Channel]) -> None:
    channel_id = long_log[0].channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        exported = await generic_plan(
            conn, "exported_entries", f"{channel_id}, 3000, 3100, null, null, null, null, null, null"
        )
        sealed = await generic_plan(conn, "sealed_entries", f"{channel_id}, 3000, 3100")
    for plan in (exported, sealed):
        assert "audit_entry_number" in plan, plan
        assert "Rows Removed by Filter" not in plan, plan


async def test_pages_hold_every_entry_of_both_channels_once(runtime: Runtime, long_log: list[Channel]) -> None:
    found: list[AuditPosition] = []
    after, more = None, True
    while more:
        page = await audit_page(runtime, admin(), AuditFilter(), after=after, limit=199)
        found += map(position_of, page.items)
        after, more = found[-1], page.has_more
    assert found == sorted(set(found), reverse=True)
    assert len(found) == 2 * LENGTH


@pytest.mark.usefixtures("long_log")
async def test_an_export_holds_a_part_of_the_log_at_a_time(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_order, "NUMBERS_AT_ONCE", 100)
    with counted_statements() as sent:
        pieces = audit_lines(runtime, "robot-1", AuditFilter(), AuditFormat.PLAIN)
        first = await anext(pieces)
        assert sent.count("exported_entries") == 2, "no more is read than is written"
        rest = [each async for each in pieces]
    assert [piece.count(b"\n") for piece in (first, *rest)] == [LINES_PER_CHUNK] * (2 * LENGTH // LINES_PER_CHUNK)


@pytest.mark.usefixtures("long_log")
async def test_an_export_ends_with_what_was_the_last_entry_when_it_began(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    pieces = audit_lines(runtime, "robot-1", AuditFilter(), AuditFormat.PLAIN)
    lines = (await anext(pieces)).count(b"\n")
    await runtime.pool.execute(
        """insert into audit_entry (channel_id, entry_id, robot_id, at, subject, role, action, outcome, request_id)
        values ($1, 999999, 'robot-1', $2, 'late', 'admin', 'renameTag', 'DONE', '')""",
        channel.channel_id,
        clock(),
    )
    clock.advance(timedelta(minutes=1))
    assert await seal_audit_logs(runtime) == 1
    assert lines + sum([each.count(b"\n") async for each in pieces]) == 2 * LENGTH


async def test_a_robot_that_never_bound_a_channel_has_nothing_to_export(runtime: Runtime) -> None:
    assert [each async for each in audit_lines(runtime, "nobody", AuditFilter(), AuditFormat.PLAIN)] == []
