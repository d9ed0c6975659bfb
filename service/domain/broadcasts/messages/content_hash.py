"""Tell which messages are alike (docs/specification.md §6.6)."""

import hashlib

import orjson

from service.entities.broadcast_messages import BroadcastMessage


def content_hash(message: BroadcastMessage) -> bytes:
    """Return the SHA-256 of the kind and content of a checked message: equal for those that say the same."""
    return hashlib.sha256(orjson.dumps(message.to_json(), option=orjson.OPT_SORT_KEYS)).digest()
