"""Global ids: what is written is read again, and nothing else is."""

import base64
from collections.abc import Callable

import pytest

from service.entities.errors import NotFoundError
from service.entities.ids import (
    channel_gid,
    gid,
    parse_channel_gid,
    parse_job_gid,
    parse_receipt_gid,
    parse_tag_gid,
    parse_user_gid,
    receipt_gid,
    tag_gid,
    user_gid,
)
from service.entities.jobs import JobKind

LARGEST = 10**18 - 1
EXPORT = JobKind.AUDIENCE_EXPORT
PARSERS: dict[str, Callable[[str], object]] = {
    channel_gid(LARGEST): parse_channel_gid,
    tag_gid(LARGEST, 0): parse_tag_gid,
    user_gid(0, LARGEST): parse_user_gid,
    receipt_gid(1, 2): parse_receipt_gid,
    gid(EXPORT, 1, 2): parse_job_gid,
}


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


GARBAGE = [
    "",
    "nonsense",
    "\u4e2d",
    "1",
    channel_gid(1) + "=",
    channel_gid(1) + "\n",
    encoded("Channel"),
    encoded("Channel:"),
    encoded("Channel:01"),
    encoded("Channel:-1"),
    encoded("Channel:1:"),
    encoded(f"Channel:{10**18}"),
    encoded("Channel:1:2"),
    encoded("Tag:1"),
    encoded("Tag:1:2:3"),
    encoded("User:1"),
    encoded("AUDIENCE_EXPORT:1:2"),
    encoded("AudienceExport:1"),
    encoded("Nothing:1:2"),
    "Q" * 300,
]


def test_each_id_is_read_as_it_was_written() -> None:
    assert parse_channel_gid(channel_gid(LARGEST)) == LARGEST
    assert parse_tag_gid(tag_gid(7, LARGEST)) == (7, LARGEST)
    assert parse_user_gid(user_gid(7, 0)) == (7, 0)
    assert parse_receipt_gid(receipt_gid(7, 12)) == (7, 12)
    assert parse_job_gid(gid(EXPORT, 7, 12)) == (EXPORT, 7, 12)


@pytest.mark.parametrize("text", PARSERS)
def test_an_id_is_of_one_type_only(text: str) -> None:
    for own, parse in PARSERS.items():
        if own != text:
            with pytest.raises(NotFoundError):
                parse(text)


@pytest.mark.parametrize("text", GARBAGE)
def test_what_was_never_written_is_nothing(text: str) -> None:
    for parse in PARSERS.values():
        with pytest.raises(NotFoundError):
            parse(text)
