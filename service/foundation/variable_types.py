"""Parse the text of a variable into a value, or say what would be accepted.

The messages follow the name of the variable ("USER_TAGS_HEAD_BYTES must be …") and never repeat a URL or a secret.
"""

import math
import re
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Final, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from pydantic import BeforeValidator
from pydantic_core import PydanticUseDefault

DURATION: Final = re.compile(r"(\d{1,12})\s*(ms|s|m|h|d)")
MAX_DURATION: Final = timedelta(days=3660)
MAX_PORT: Final = 65_535
ANY_ORIGIN: Final = "*"
ORIGIN: Final = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?")
MIN_SECRET_BYTES: Final = 32
UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _url(*schemes: str, base: bool = False) -> BeforeValidator:
    """Accept URLs with one of these schemes; with `base`, to which paths are appended, without the last slash."""

    def parse(text: str) -> str:
        if text.partition("://")[0].lower() not in schemes:
            raise ValueError(f"must start with {schemes[0]}://")
        if base and not _can_be_continued(text):
            raise ValueError("must have a host, and neither a user nor a query: paths are appended to it")
        return text.rstrip("/") if base else text

    return BeforeValidator(parse)


def _can_be_continued(url: str) -> bool:
    try:
        host, _ = (parts := urlsplit(url)).hostname, parts.port
    except ValueError:
        return False
    return bool(host) and "@" not in parts.netloc and "?" not in url and "#" not in url


def _word(*words: str, value: Callable[[str], object] = str) -> BeforeValidator:
    """Accept one of a few words, in upper or lower case."""

    def parse(text: str) -> object:
        if text.lower() not in words:
            raise ValueError(f"must be {' or '.join(words)}, not {text.lower()!r}")
        return value(text.lower())

    return BeforeValidator(parse)


def _secret(text: str) -> str:
    if len(text.encode()) < MIN_SECRET_BYTES:
        raise ValueError(f"must have at least {MIN_SECRET_BYTES} bytes")
    return text


def _names(text: str) -> tuple[str, ...]:
    """Split at commas; a text without any name leaves the default."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not names:
        raise PydanticUseDefault
    return names


def _secrets(text: str) -> tuple[str, ...]:
    return tuple(_secret(each) for each in _names(text))


def _networks(text: str) -> tuple[str, ...]:
    names = _names(text)
    for each in names:
        try:
            ip_network(each)
        except ValueError:
            raise ValueError(f"must list addresses and networks like 10.0.0.0/8, not {each!r}") from None
    return names


def _origins(*, any_origin: bool) -> BeforeValidator:
    """Accept a list of origins; with `any_origin` also the sign that stands for all of them."""
    otherwise = f", or be {ANY_ORIGIN}" if any_origin else ""

    def parse(text: str) -> tuple[str, ...]:
        origins = tuple(each.lower() for each in _names(text))
        for each in origins:
            if not (any_origin and each == ANY_ORIGIN) and ORIGIN.fullmatch(each) is None:
                raise ValueError(f"must list origins like https://tags.example.com{otherwise}, not {each!r}")
        return origins

    return BeforeValidator(parse)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_PORT:
        raise ValueError(f"must be a port from 0 (any free one) to {MAX_PORT}, not {text!r}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise ValueError(f"must be a number above 0, not {text!r}")
    return rate


def _duration(text: str) -> timedelta:
    """Parse a number with a unit (ms, s, m, h, d), or a bare 0; at most ten years."""
    found = DURATION.fullmatch("0s" if text == "0" else text)
    if found is None:
        raise ValueError(f"must look like 30m, 48h or 5s, not {text!r}")
    seconds = int(found[1]) * UNITS[found[2]]
    if seconds > MAX_DURATION.total_seconds():
        raise ValueError(f"must be at most {MAX_DURATION.days}d, not {text!r}")
    return timedelta(seconds=seconds)


def _positive(text: str) -> timedelta:
    duration = _duration(text)
    if duration <= timedelta(0):
        raise ValueError("must be longer than zero")
    return duration


def _at_least_a_second(text: str) -> timedelta:
    duration = _duration(text)
    if duration < timedelta(seconds=1):
        raise ValueError("must be at least 1s")
    return duration


def _cadence(text: str) -> timedelta:
    every = _duration(text)
    seconds = every.total_seconds()
    fits = seconds >= 1 and any(
        seconds <= whole and whole % seconds == 0 and seconds % unit == 0
        for whole, unit in ((60, 1), (3600, 60), (86400, 3600))
    )
    if not fits:
        raise ValueError(f"must divide a minute, an hour or a day evenly (5s, 15m, 6h), not {every}")
    return every


TrustMode: TypeAlias = Literal["off", "allowed", "only"]

DatabaseUrl: TypeAlias = Annotated[str, _url("postgresql", "postgres")]
RedisUrl: TypeAlias = Annotated[str, _url("redis", "rediss", "unix")]
WebUrl: TypeAlias = Annotated[str, _url("https", "http")]
BaseUrl: TypeAlias = Annotated[str, _url("https", "http", base=True)]
Secret: TypeAlias = Annotated[str, BeforeValidator(_secret)]
Secrets: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_secrets)]
Origins: TypeAlias = Annotated[tuple[str, ...], _origins(any_origin=True)]
NamedOrigins: TypeAlias = Annotated[tuple[str, ...], _origins(any_origin=False)]
Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_names)]
Networks: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_networks)]
Count: TypeAlias = Annotated[int, BeforeValidator(_count)]
Port: TypeAlias = Annotated[int, BeforeValidator(_port)]
Rate: TypeAlias = Annotated[float, BeforeValidator(_rate)]
Trust: TypeAlias = Annotated[TrustMode, _word(*get_args(TrustMode))]
Switch: TypeAlias = Annotated[bool, _word("on", "off", value="on".__eq__)]
Allowance: TypeAlias = Annotated[bool, _word("on", "off", "1", "0", value={"on", "1"}.__contains__)]
Production: TypeAlias = Annotated[bool, _word("development", "production", value="production".__eq__)]
Duration: TypeAlias = Annotated[timedelta, BeforeValidator(_duration)]
Positive: TypeAlias = Annotated[timedelta, BeforeValidator(_positive)]
"""A duration above zero."""
AtLeastASecond: TypeAlias = Annotated[timedelta, BeforeValidator(_at_least_a_second)]
Cadence: TypeAlias = Annotated[timedelta, BeforeValidator(_cadence)]
"""A duration that divides a minute, an hour or a day evenly, so that it can be a schedule."""
