"""Encode and decode cursors, which are opaque text to clients (docs/architecture/04-cursors.md).

Text that was not encoded here decodes to None, and the feed then begins with a reset.
"""

import base64
import binascii
import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import orjson

from service.entities.feed import Cursor, PanelPosition
from service.entities.revision import Revision

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MAX_CURSOR_LENGTH: Final = 64_000
MAX_DEPTH: Final = 3


def openid_hash(openid: str) -> str:
    """Return 16 hexadecimal digits that tie a cursor to a user without carrying the openid."""
    return hashlib.sha256(openid.encode()).hexdigest()[:16]


def encode_cursor(cursor: Cursor) -> str:
    """Return the text of a cursor in a user's feed."""
    block, tags = cursor.block_revision, cursor.tag_revision
    return _encode(
        [
            "u1",
            cursor.channel_id,
            cursor.openid_hash,
            cursor.ordinal,
            None if block is None else block.version,
            None if block is None else _to_micros(block.at),
            tags.version,
            _to_micros(tags.at),
        ]
    )


def decode_cursor(text: str) -> Cursor | None:
    """Return the cursor in a text; None for anything that `encode_cursor` does not write."""
    match _decode(text):
        case ["u1", int(channel_id), str(person), None, None, None, int(tags), int(tags_at)]:
            return Cursor(channel_id, person, None, None, _revision(tags, tags_at))
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
            return Cursor(channel_id, person, ordinal, _revision(block, block_at), _revision(tags, tags_at))
        case _:
            return None


def encode_panel_cursor(positions: dict[int, PanelPosition]) -> str:
    """Return the text of a cursor in a tag panel's feed, from `{channel_id: position}`."""
    return _encode(
        [
            "p1",
            [
                [channel_id, *_numbers(position.tag_revision), _to_micros(position.counts_at)]
                for channel_id, position in sorted(positions.items())
            ],
        ]
    )


def decode_panel_cursor(text: str) -> dict[int, PanelPosition] | None:
    """Return `{channel_id: position}` from a text; None for anything that `encode_panel_cursor` does not write."""
    match _decode(text):
        case ["p1", list(rows)]:
            positions = {}
            for row in rows:
                match row:
                    case [int(channel_id), int(version), int(at), int(counts_at)]:
                        positions[channel_id] = PanelPosition(_revision(version, at), _from_micros(counts_at))
                    case _:
                        return None
            return positions
        case _:
            return None


def _encode(parts: list[object]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def _decode(text: str) -> object:
    if len(text) > MAX_CURSOR_LENGTH:
        return None
    try:
        parts: object = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return None
    return parts if _in_range(parts) else None


def _in_range(parts: object, depth: int = MAX_DEPTH) -> bool:
    """Tell whether every number fits into what PostgreSQL and datetime hold."""
    if isinstance(parts, list):
        return depth > 0 and all(_in_range(part, depth - 1) for part in parts)
    return not isinstance(parts, bool) and (not isinstance(parts, int) or 0 <= parts < 2**56)


@lru_cache(1_000)
def _to_micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _numbers(revision: Revision) -> tuple[int, int]:
    return revision.version, _to_micros(revision.at)


def _revision(version: int, micros: int) -> Revision:
    return Revision(version, _from_micros(micros))


def _from_micros(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)
