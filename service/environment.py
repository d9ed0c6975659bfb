"""Variables of the environment as typed values; whatever is malformed is refused by its name."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, TypeVar

DURATION: Final = re.compile(r"(\d{1,12})\s*(ms|s|m|h|d)")
LONGEST: Final = timedelta(days=3660)
UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

Choice = TypeVar("Choice", bound=str)


class SettingsError(Exception):
    """The environment is incomplete or wrong; the message names the variable and what would be right."""


class EnvironmentReader:
    """Typed access to the variables that carry our prefix."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def text(self, name: str, prefix: str = "USER_TAGS_") -> str | None:
        return self.environment.get(prefix + name, "").strip() or None

    def url(self, name: str, *schemes: str, prefix: str = "USER_TAGS_") -> str | None:
        """Read a URL of one of these schemes; the refusal does not repeat it: it may hold a password."""
        text = self.text(name, prefix)
        if text is not None and text.partition("://")[0].lower() not in schemes:
            raise SettingsError(f"{prefix}{name} must start with {schemes[0]}://.")
        return text

    def names(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in (self.text(name) or "").split(",") if part.strip())

    def count(self, name: str, default: int) -> int:
        text = self.text(name)
        if text is None:
            return default
        if not text.isdecimal() or int(text) == 0:
            raise SettingsError(f"USER_TAGS_{name} must be a whole number of at least 1, not {text!r}.")
        return int(text)

    def duration(self, name: str, default: timedelta) -> timedelta:
        """Read a number with a unit (ms, s, m, h, d), or a bare 0; at most ten years."""
        text = self.text(name)
        if text is None:
            return default
        found = DURATION.fullmatch("0s" if text == "0" else text)
        if found is None:
            raise SettingsError(f"USER_TAGS_{name} must look like 30m, 48h or 5s, not {text!r}.")
        seconds = int(found[1]) * UNITS[found[2]]
        if seconds > LONGEST.total_seconds():
            raise SettingsError(f"USER_TAGS_{name} must be at most {LONGEST.days}d, not {text!r}.")
        return timedelta(seconds=seconds)

    def positive(self, name: str, default: timedelta) -> timedelta:
        """Read a duration that would mean nothing, or a busy loop, if it were zero."""
        duration = self.duration(name, default)
        if duration <= timedelta(0):
            raise SettingsError(f"USER_TAGS_{name} must be longer than zero.")
        return duration

    def cadence(self, name: str, default: timedelta) -> timedelta:
        """Read a duration that fits the clock face: it divides a minute, an hour or a day."""
        every = self.duration(name, default)
        seconds = every.total_seconds()
        fits = seconds >= 1 and any(
            seconds <= whole and whole % seconds == 0 and seconds % unit == 0
            for whole, unit in ((60, 1), (3600, 60), (86400, 3600))
        )
        if not fits:
            raise SettingsError(
                f"USER_TAGS_{name} must divide a minute, an hour or a day evenly (5s, 15m, 6h), not {every}."
            )
        return every

    def choice(self, name: str, choices: tuple[Choice, ...], default: Choice) -> Choice:
        """Read one of a few words, in any case."""
        text = (self.text(name) or default).lower()
        for each in choices:
            if each == text:
                return each
        raise SettingsError(f"USER_TAGS_{name} must be {' or '.join(choices)}, not {text!r}.")
