"""Read what receivers answer, of which nothing is to be believed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.entities.webhooks import WebhookError
from service.webhooks.answers import printable, read_answer, read_retry_after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_acknowledges(status: int) -> None:
    assert read_answer(status, b"fine", None, NOW).acknowledged


@pytest.mark.parametrize(
    ("status", "error"),
    [(301, WebhookError.REDIRECT), (307, WebhookError.REDIRECT), (304, WebhookError.REDIRECT)]
    + [(each, WebhookError.STATUS) for each in (400, 404, 410, 429, 500, 503, 600, 999)],
)
def test_nothing_else_does(status: int, error: WebhookError) -> None:
    answer = read_answer(status, b"no", "7", NOW)

    assert (answer.error, answer.acknowledged, answer.gone) == (error, False, status == 410)
    assert answer.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0),
        (" 120 ", 120),
        ("9" * 400, 86_400),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("soon", None),
        ("-5", None),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2026 999999999999999:00:00 GMT", None),
        ("Mon, 01 Jan 2026 00:00:00 +99999999999", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0),
        ("1.5", None),
        ("١٢", None),
        ("", None),
    ],
)
def test_how_long_to_wait(value: str | None, seconds: int | None) -> None:
    assert read_retry_after(value, NOW) == (None if seconds is None else timedelta(seconds=seconds))


@given(st.text(max_size=60))
def test_no_header_breaks_it(value: str) -> None:
    wait = read_retry_after(value, NOW)

    assert wait is None or timedelta(0) <= wait <= timedelta(days=1)


@given(st.binary(max_size=3_000))
def test_what_is_kept_of_an_answer_can_be_printed(body: bytes) -> None:
    kept = printable(body)

    assert kept.isprintable()
    assert len(kept.encode()) <= 1_024


def test_texts_stay_readable() -> None:
    assert printable("<p>Nicht\r\n\tgefunden \u202e茶\x00</p>".encode()) == "<p>Nicht gefunden 茶 </p>"
