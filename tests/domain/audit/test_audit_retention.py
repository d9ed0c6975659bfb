"""Hold that old entries go from the beginning of a chain, which can be checked all the same, and that no break goes."""

from datetime import timedelta

import pytest

from service.domain.audit import retention
from service.domain.audit.checking import check_chain
from service.domain.audit.retention import prune_audit_log
from service.domain.audit.sealing import seal_audit_logs
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from tests.support.audit import numbers_of, sealed_log, write_entries
from tests.support.clock import FrozenClock
from tests.support.runtime import bind, patient_transaction


@pytest.fixture
async def channels(runtime: Runtime, channel: Channel) -> list[Channel]:
    """Bind a second channel, and begin with an empty log."""
    found = [channel, await bind(runtime)]
    await runtime.pool.execute("delete from audit_entry")
    return found


async def is_clean(runtime: Runtime) -> bool:
    return (await check_chain(runtime, "robot-1")).clean


async def test_what_is_older_than_the_retention_goes_and_the_rest_can_be_checked(
    runtime: Runtime, channels: list[Channel], clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ENTRIES_PER_SLICE", 2)
    await sealed_log(runtime, *channels, count=5)
    clock.advance(runtime.settings.audit_retention - timedelta(days=1))
    await sealed_log(runtime, *channels, count=2)
    clock.advance(timedelta(days=2))
    assert await prune_audit_log(runtime, channels[1]) == 0, "the chain is kept in the first channel"
    assert await prune_audit_log(runtime, channels[0]) == 5
    assert await numbers_of(runtime) == [6, 7]
    assert await is_clean(runtime)
    assert await prune_audit_log(runtime, channels[0]) == 0


async def test_a_chain_goes_on_after_all_of_it_was_deleted(
    runtime: Runtime, channels: list[Channel], clock: FrozenClock
) -> None:
    await sealed_log(runtime, *channels, count=3)
    clock.advance(runtime.settings.audit_retention + timedelta(days=1))
    assert await prune_audit_log(runtime, channels[0]) == 3
    assert await is_clean(runtime)
    await sealed_log(runtime, *channels, count=1)
    assert await numbers_of(runtime) == [4]
    assert await is_clean(runtime)


async def test_an_old_entry_that_was_sealed_late_waits_for_those_before_it(
    runtime: Runtime, channels: list[Channel], clock: FrozenClock
) -> None:
    written_at = clock()
    clock.advance(runtime.settings.audit_retention - timedelta(days=1))
    await sealed_log(runtime, channels[0], count=1)
    await write_entries(runtime, channels[0], at=written_at)
    await seal_audit_logs(runtime)
    clock.advance(timedelta(hours=2))
    assert await prune_audit_log(runtime, channels[0]) == 0
    clock.advance(timedelta(days=400))
    assert await prune_audit_log(runtime, channels[0]) == 2


async def test_a_break_does_not_go_with_age(
    runtime: Runtime, channels: list[Channel], clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    await sealed_log(runtime, *channels, count=4)
    await runtime.pool.execute("update audit_entry set subject = 'mallory' where number = 3")
    clock.advance(runtime.settings.audit_retention + timedelta(days=1))
    assert await prune_audit_log(runtime, channels[0]) == 2
    assert await numbers_of(runtime) == [3, 4]
    assert "is broken at entry 3" in caplog.text
    assert not await is_clean(runtime)


async def test_what_was_put_in_among_the_deleted_keeps_anything_from_going(
    runtime: Runtime, channels: list[Channel], clock: FrozenClock
) -> None:
    await sealed_log(runtime, *channels, count=3)
    await write_entries(runtime, channels[0])
    await runtime.pool.execute("update audit_entry set number = 0, hash = '\\x00' where number is null")
    clock.advance(runtime.settings.audit_retention + timedelta(days=1))
    with pytest.raises(LookupError, match="not those that the chain has"):
        await prune_audit_log(runtime, channels[0])
    assert await numbers_of(runtime) == [1, 2, 3, 0]


async def test_a_chain_that_is_being_sealed_is_pruned_another_time(
    runtime: Runtime, channels: list[Channel], clock: FrozenClock
) -> None:
    await sealed_log(runtime, *channels, count=3)
    clock.advance(runtime.settings.audit_retention + timedelta(days=1))
    async with patient_transaction(runtime) as conn:
        await conn.execute("select from audit_chain for update")
        assert await prune_audit_log(runtime, channels[0]) == 0
    assert await prune_audit_log(runtime, channels[0]) == 3
