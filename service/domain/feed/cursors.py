"""Cursors as clients see them: opaque text. Anything we did not write reads as None, which means `reset`."""

import base64
import binascii
import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import orjson

from service.entities.feed import Cursor, PanelPlace

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST: Final = 64_000
DEEPEST: Final = 3


def openid_hash(openid: str) -> str:
    """Ties a cursor to its person without carrying the openid."""
    return hashlib.sha256(openid.encode()).hexdigest()[:16]


def write_cursor(cursor: Cursor) -> str:
    return _write(
        [
            "u1",
            cursor.channel_id,
            cursor.openid_hash,
            cursor.ordinal,
            cursor.block_version,
            None if cursor.block_at is None else _micros(cursor.block_at),
            cursor.tag_version,
            _micros(cursor.tag_version_at),
        ]
    )


def read_cursor(text: str) -> Cursor | None:
    match _read(text):
        case ["u1", int(channel_id), str(person), None, None, None, int(tags), int(tags_at)]:
            return Cursor(channel_id, person, None, None, None, tags, _instant(tags_at))
        case [
            "u1",
            int(channel_id),
            str(person),
            int(ordinal),
            int(block),
            int(block_at),
            int(tags),
            int(tags_at),
        ]:
            return Cursor(channel_id, person, ordinal, block, _instant(block_at), tags, _instant(tags_at))
        case _:
            return None


def write_places(places: dict[int, PanelPlace]) -> str:
    return _write(
        [
            "p1",
            [
                [channel_id, place.tag_version, _micros(place.tag_version_at), _micros(place.counts_at)]
                for channel_id, place in sorted(places.items())
            ],
        ]
    )


def read_places(text: str) -> dict[int, PanelPlace] | None:
    match _read(text):
        case ["p1", list(rows)]:
            places = {}
            for row in rows:
                match row:
                    case [int(channel_id), int(version), int(at), int(counts_at)]:
                        places[channel_id] = PanelPlace(version, _instant(at), _instant(counts_at))
                    case _:
                        return None
            return places
        case _:
            return None


def _write(parts: list[object]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def _read(text: str) -> object:
    if len(text) > LONGEST:
        return None
    try:
        parts: object = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return None
    return parts if _in_range(parts) else None


def _in_range(parts: object, depth: int = DEEPEST) -> bool:
    """Every number fits what PostgreSQL and datetime hold."""
    if isinstance(parts, list):
        return depth > 0 and all(_in_range(part, depth - 1) for part in parts)
    return not isinstance(parts, bool) and (not isinstance(parts, int) or 0 <= parts < 2**56)


@lru_cache(1_000)
def _micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _instant(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)
