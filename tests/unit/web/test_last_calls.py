"""Write the time of a caller's last call once a minute."""

from datetime import UTC, datetime, timedelta

from service.web.endpoints.last_calls import MIN_INTERVAL, LastCalls

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_the_first_call_is_due_and_then_none_for_a_minute() -> None:
    calls: LastCalls[str] = LastCalls()
    times = [NOON, NOON + SECOND, NOON + MIN_INTERVAL - SECOND, NOON + MIN_INTERVAL]
    assert [calls.is_due("ada", at) for at in times] == [True, False, False, True]


def test_callers_do_not_share_a_minute() -> None:
    calls: LastCalls[str] = LastCalls()
    assert calls.is_due("ada", NOON)
    assert calls.is_due("bob", NOON)


def test_after_the_clock_was_set_back_a_call_is_due() -> None:
    calls: LastCalls[str] = LastCalls()
    assert calls.is_due("ada", NOON)
    assert calls.is_due("ada", NOON - SECOND)
