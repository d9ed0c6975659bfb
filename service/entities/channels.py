"""A robot's channel as it is stored, secrets still sealed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ChannelKind(StrEnum):
    SERVICE_ACCOUNT = "SERVICE_ACCOUNT"
    SUBSCRIPTION_ACCOUNT = "SUBSCRIPTION_ACCOUNT"
    MINI_PROGRAM = "MINI_PROGRAM"


@dataclass(frozen=True, slots=True)
class Channel:
    """An account bound to a robot. `bound_at` is the first binding, in whole seconds."""

    channel_id: int
    robot_id: str
    kind: ChannelKind
    app_id: str
    name: str
    verified: bool
    bound_at: datetime
    unbound_at: datetime | None
    encrypted_app_secret: bytes | None
    encrypted_callback_token: bytes | None
    encrypted_encoding_aes_key: bytes | None
    encrypted_push_secret: bytes
    encrypted_ad_secret: bytes | None

    @property
    def bound(self) -> bool:
        return self.unbound_at is None

    @property
    def mini_program(self) -> bool:
        return self.kind is ChannelKind.MINI_PROGRAM

    @property
    def opens_gate(self) -> bool:
        """A bound, verified Official Account opens its robot's gate."""
        return self.bound and self.verified and not self.mini_program


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What changes about a channel: the gate, the version of its tag states, its counters."""

    open: bool
    tag_version: int
    tag_version_at: datetime
    user_count: int
    next_ordinal: int
    default_tags_as_of: datetime
    last_push_at: datetime | None
    last_ad_call_at: datetime | None
    ad_return_confirmed_at: datetime | None

    @property
    def forgotten(self) -> int:
        """Grows whenever people are forgotten, and only then."""
        return self.next_ordinal - self.user_count
