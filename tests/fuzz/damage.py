"""Make values that are nearly right: ids and cursors with other numbers inside, and texts that often go wrong."""

import base64
import binascii
import re
from random import Random
from typing import Final

NUMBERS: Final = ("0", "-1", "01", str(2**31), str(2**32), "9" * 18, str(2**63), "1.5", "")
TEXTS: Final = (
    "\0",
    "a\0b",
    " ",
    "\n",
    "\u202e\u200b",
    "👨‍👩‍👧",
    "e\u0301",
    "İıſß",
    "\ufffe\uffff",
    "%_\\",
    "'; --",
    '"}',
    "$1",
    "{0}",
    "null",
    "x" * 5_000,
    "汉" * 65,
)


def mutated(value: str, random: Random) -> str:
    """Return something made of the value, or of nothing."""
    kind = random.randrange(4)
    if kind == 0:
        return random.choice(TEXTS)
    if kind == 1:
        return value + random.choice(("=", " ", "\0", value))
    if kind == 2 or not (inside := _inside(value)):
        return value[: random.randrange(len(value))] if value else value
    numbers = list(re.finditer(r"\d+", inside))
    if not numbers:
        return value.swapcase()
    found = random.choice(numbers)
    changed = inside[: found.start()] + random.choice(NUMBERS) + inside[found.end() :]
    return base64.urlsafe_b64encode(changed.encode()).decode().rstrip("=")


def _inside(value: str) -> str | None:
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
