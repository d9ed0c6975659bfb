"""Order what becomes of the messages of the next calls, and how WeChat tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

SUCCESSES: Final = frozenset({"sendsuccess", "success"})


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Describe the result of the next `times` calls after the first `skip`; with an `openid`, of those that name it.

    `status` is the word of the result, such as `err(20001)`, `send fail` or `failed:user block`: anything but success
    reaches nobody. `sent_count` lets a mass send reach only so many people. The push that tells of it is `late` or
    `lost`, or comes `repeats` times more; `empty_lists` leaves out what it says of articles.
    """

    status: str | None = None
    sent_count: int | None = None
    late: timedelta = timedelta()
    lost: bool = False
    repeats: int = 0
    empty_lists: bool = False
    times: int | None = 1
    skip: int = 0
    openid: str | None = None


USUAL: Final = Outcome()


def is_success(status: str) -> bool:
    """Say whether a word of a result, however WeChat spells it, means that people were reached."""
    return status.lower().replace(" ", "") in SUCCESSES


def error_of_subscription(status: str) -> Mapping[str, str]:
    """Return how `subscribe_msg_sent_event` says it: an `ErrorCode`, 0 for success, and an `ErrorStatus`."""
    return {"ErrorCode": "0" if is_success(status) else "1", "ErrorStatus": status}
