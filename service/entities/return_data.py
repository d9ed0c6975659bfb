"""Describe the data that integrators return: its endpoint, the receipts of batches, and the users they hold.

Source: docs/specification.md §4.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from service.entities.errors import RejectionCode


class ReturnMode(StrEnum):
    """Name what a list does to a tag: add its users, remove them, or make them the only members."""

    ADD = "ADD"
    REMOVE = "REMOVE"
    REPLACE = "REPLACE"


class ReturnSource(StrEnum):
    """Name how a list came in: over GraphQL, over the batchset endpoint, or from a tag of the Official Account."""

    GRAPHQL = "GRAPHQL"
    HTTP = "HTTP"
    OFFICIAL_ACCOUNT = "OFFICIAL_ACCOUNT"


class BatchEnd(StrEnum):
    """Name how a batch ended. After SETTLED its users stay in the tag, and it can no longer be undone."""

    UNDONE = "UNDONE"
    EXPIRED = "EXPIRED"
    REPLACED = "REPLACED"
    SETTLED = "SETTLED"


@dataclass(frozen=True, slots=True)
class ReturnEndpoint:
    """Hold the APPID, TOKEN and EncodingAESKey that a robot hands to its integrators; the last two are encrypted."""

    endpoint_id: int
    robot_id: str
    app_id: str
    encrypted_token: bytes
    encrypted_key: bytes
    obtained_at: datetime
    key_reset_at: datetime | None
    last_call_at: datetime | None


@dataclass(frozen=True, slots=True)
class RejectedOpenid:
    """Describe an entry of a list that was rejected; `index` counts from 0."""

    index: int
    code: RejectionCode
    reason: str


class ReceiptKey(NamedTuple):
    """Name a receipt by the channel and the number of its batch there."""

    channel_id: int
    batch_id: int


@dataclass(frozen=True, slots=True)
class ReceiptHead:
    """Describe what one batch did. `blocks` are those in which it holds users; `ended` is None while it is in force.

    `key_id` is the tag that the key was made for by which it came, and `tag_id` the one that has that key now.
    `openids_of` is the channel of the openids in `unmatched`; None where none were converted, and in old receipts.
    """

    channel_id: int
    batch_id: int
    tag_id: int
    key_id: int
    at: datetime
    mode: ReturnMode
    source: ReturnSource
    subject: str | None
    expires_at: datetime | None
    added: int
    removed: int
    unchanged: int
    duplicates: int
    new_users: int
    blocks: Sequence[int]
    ended: BatchEnd | None = None
    ended_at: datetime | None = None
    undo_removed: int | None = None
    undo_kept: int | None = None
    openids_of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(ReceiptHead):
    """Describe what one batch did, with every entry of its list that was left out."""

    rejected: Sequence[RejectedOpenid]
    unmatched: Sequence[str]


@dataclass(frozen=True, slots=True)
class BatchMembers:
    """Hold users of a batch, by the key by which it came, in one slot: as a list of ordinals, or as one block's bitmap.

    A slot from 0 on is a block; a negative one stands for a run of neighbouring blocks with few such users.
    """

    key_id: int
    slot: int
    batch_id: int
    ordinals: tuple[int, ...] | None
    members: bytes | None
