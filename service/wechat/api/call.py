"""Describe a call to WeChat's server API, apart from how it is sent and with which token."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Generic[Answer]):
    """Hold what is sent, and `read`, which makes the answer of the JSON object that comes.

    With a `body` it is a POST, without one a GET. `repeatable` says whether doing it twice is as doing it once, so that
    it may be repeated when no answer came; `exclusive`, whether an account makes one such call at a time. `read` raises
    ValueError if the object lacks what is documented.
    """

    path: str
    read: Callable[[Mapping[str, Any]], Answer]
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    repeatable: bool = True
    exclusive: bool = False


def read_nothing(answer: Mapping[str, Any]) -> None:
    """Read the answer of a call that says no more than that it is done."""
