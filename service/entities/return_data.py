"""Data that integrators hand back: the address it comes in by, batches with their receipts, and whom they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from service.entities.enums import BatchEnd, RejectionCode, ReturnMode, ReturnSource


@dataclass(frozen=True, slots=True)
class ReturnEndpoint:
    """A robot's own APPID, TOKEN and EncodingAESKey; the last two still sealed."""

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
    """An entry of a list that was refused; `index` counts from 0."""

    index: int
    code: RejectionCode
    reason: str


class ReceiptKey(NamedTuple):
    """Name a receipt by the channel and the number of its batch there."""

    channel_id: int
    batch_id: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one batch did. `blocks` are where it holds people; `ended` is None while it does by itself."""

    channel_id: int
    batch_id: int
    tag_id: int
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
    rejected: Sequence[RejectedOpenid]
    unmatched: Sequence[str]
    blocks: Sequence[int]
    ended: BatchEnd | None = None
    ended_at: datetime | None = None
    undo_removed: int | None = None
    undo_kept: int | None = None


@dataclass(frozen=True, slots=True)
class BatchMembers:
    """Whom a batch holds in one place: a list of ordinals, or the bitmap of one block."""

    tag_id: int
    slot: int
    batch_id: int
    ordinals: tuple[int, ...] | None
    members: bytes | None
