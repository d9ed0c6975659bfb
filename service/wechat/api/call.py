"""Describe a call to WeChat's server API, apart from how it is sent and with which token."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

Answer = TypeVar("Answer")
DIGITS: Final = re.compile(r"-?[0-9]{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Generic[Answer]):
    """Hold what is sent, and `read`, which makes the answer of the JSON object that comes.

    With a `body` it is a POST, without one a GET. `repeatable` says whether doing it twice is as doing it once, so that
    it may be repeated when no answer came; `exclusive`, whether an account makes one such call at a time;
    `mini_programs`, whether a Mini Program may make it too. `read` raises ValueError if the object lacks what is
    documented.
    """

    path: str
    read: Callable[[Mapping[str, Any]], Answer]
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    repeatable: bool = True
    exclusive: bool = False
    mini_programs: bool = False


def read_nothing(answer: Mapping[str, Any]) -> None:
    """Read the answer of a call that says no more than that it is done."""


def read_message_id(answer: Mapping[str, Any]) -> str | None:
    """Return the id of a message in an answer, as text since it may exceed 2^53; None where there is none."""
    for name in ("msg_id", "msgid"):
        match answer.get(name):
            case bool():
                continue
            case int() as found:
                return str(found)
            case str() as found if DIGITS.fullmatch(found):
                return found
    return None
