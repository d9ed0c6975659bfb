"""Damage what is right: values of any JSON, and bytes."""

from random import Random
from typing import Any, Final

from tests.fuzz.damage import TEXTS

LONELY_HALF: Final = "\ud83d"
ODD_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**400,
    1.5,
    1e308,
    200.0,
    "",
    [],
    {},
    [None],
    [[]],
    {"": None},
    {"__proto__": {}},
    LONELY_HALF,
)
MANY: Final = (201, 1_001, 10_001, 60_000)
ODD_BYTES: Final = (
    b"\0",
    b"\x02",
    b"\x08",
    b"\xff",
    b"\xef\xbf\xbe",
    b"\xed\xa0\xbd",
    b"]]>",
    b"\r",
    b"\n",
    b"\xf0\x9f",
)


def damaged(value: Any, random: Random) -> Any:
    """Return the value with something else in one place of it."""
    children: list[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    if not children or random.random() < 0.3:
        return odd_value(value, random)
    key = random.choice(children)
    if isinstance(value, list):
        return [damaged(each, random) if index == key else each for index, each in enumerate(value)]
    kind = random.randrange(6)
    if kind == 0:
        return {name: each for name, each in value.items() if name != key}
    if kind == 1:
        return {**value, str(key) + "x": value[key]}
    return {**value, key: damaged(value[key], random)}


def odd_value(value: Any, random: Random) -> Any:
    """Return a value of another kind or size: now and then a list of very many, or one that is very deep."""
    kind = random.randrange(8)
    if kind == 0:
        return random.choice(TEXTS)
    if kind == 1:
        return [value] * random.choice(MANY)
    if kind == 2:
        for _ in range(random.choice((3, 30, 300))):
            value = random.choice(([value], {"all": [value]}, {"a": value}))
        return value
    if kind == 3:
        return "e\u0301" * random.choice((10, 40_000))
    return random.choice(ODD_VALUES)


def damaged_bytes(data: bytes, random: Random) -> bytes:
    """Return the bytes cut, flipped, doubled, or with odd ones between."""
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(data))
        kind = random.randrange(5)
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + random.choice(ODD_BYTES) + data[at:]
        elif kind == 2:
            data = data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
        elif kind == 3:
            end = random.randint(at, min(len(data), at + 40))
            data = data[:end] + data[at:]
        else:
            data = data[:at] + random.choice((b"<", b"&", b"<!--", b"<![CDATA[", b'"', b"{", b"\\u", b",")) + data[at:]
    return data
