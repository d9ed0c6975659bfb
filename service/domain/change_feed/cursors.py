"""Encode and decode cursors of numbered feeds, which are opaque text to clients.

No number of an entry is ever used again, so a cursor from before a restored backup names an entry that is not there.
"""

import base64
import binascii
from typing import Final

import orjson

from service.entities.change_feed import FeedPosition
from service.entities.errors import BadInputError, FieldError

MAX_CURSOR_LENGTH: Final = 200
# What the columns hold, and of entries what is an instant: the microsecond of one, to the year 9892.
MAX_SEQ: Final = 250_000_000_000_000_000
MAX_VERSION: Final = 2**53
MAX_OFFSET: Final = 2**31 - 1


def encode_cursor(channel_id: int, position: FeedPosition) -> str:
    """Return the text of a position in the feed of a channel."""
    seq, version, offset = position
    text = f'["f1",{channel_id},{seq},{version},{offset}]'
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str, channel_id: int, path: str) -> FeedPosition:
    """Return the position of a cursor of this channel.

    Raises BadInputError, which names the input at `path`, for anything that `encode_cursor` does not write, and for
    cursors of other channels.
    """
    match _decode(text):
        case ["f1", int(channel), int(seq), int(version), int(offset)] if channel == channel_id and (
            0 <= seq <= MAX_SEQ and 0 <= version <= MAX_VERSION and 0 <= offset <= MAX_OFFSET
        ):
            return FeedPosition(seq, version, offset)
        case _:
            raise BadInputError(FieldError((path,), "BAD_CURSOR", "This is no cursor of the channel's feed."))


def _decode(text: str) -> object:
    if len(text) > MAX_CURSOR_LENGTH:
        return None
    try:
        parts: object = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return None
    return parts
