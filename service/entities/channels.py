"""Describe a channel: what its binding says, and what changes about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from service.entities.revision import Revision

FORMER_OPENID_RETENTION: Final = timedelta(days=90)
"""Say how long the account that a channel was before, and its openids, still stand for what they became."""


class ChannelKind(StrEnum):
    """Name the kinds of WeChat accounts that can be bound; the first two are Official Accounts."""

    SERVICE_ACCOUNT = "SERVICE_ACCOUNT"
    SUBSCRIPTION_ACCOUNT = "SUBSCRIPTION_ACCOUNT"
    MINI_PROGRAM = "MINI_PROGRAM"


@dataclass(frozen=True, slots=True)
class Channel:
    """Describe a WeChat account bound to a robot, as it is stored: its secrets are encrypted.

    `bound_at` is the instant of the first binding, in whole seconds. `former_app_id` is that of the account that was
    migrated to this one at `account_changed_at`.
    """

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
    former_app_id: str | None = None
    account_changed_at: datetime | None = None

    def app_ids(self, now: datetime) -> tuple[str, ...]:
        """Return the app ids by which others know the channel: its own, and for a while that of the account before."""
        if self.former_app_id is None or self.account_changed_at is None:
            return (self.app_id,)
        still_known = now < self.account_changed_at + FORMER_OPENID_RETENTION
        return (self.app_id, self.former_app_id) if still_known else (self.app_id,)

    @property
    def bound(self) -> bool:
        """Tell whether the channel is bound to its robot at present."""
        return self.unbound_at is None

    @property
    def mini_program(self) -> bool:
        """Tell whether it is a Mini Program, which has no followers and four default tags."""
        return self.kind is ChannelKind.MINI_PROGRAM

    @property
    def usable(self) -> bool:
        """Tell whether it goes through an open gate: it is bound, and no unverified subscription account.

        An unverified subscription account cannot be chosen on WeChat's own page either.
        """
        return self.bound and (self.verified or self.kind is not ChannelKind.SUBSCRIPTION_ACCOUNT)

    @property
    def opens_gate(self) -> bool:
        """Tell whether it opens the gate of its robot, as a bound and verified Official Account does."""
        return self.bound and self.verified and not self.mini_program


@dataclass(frozen=True, slots=True)
class ChannelState:
    """Hold what changes about a channel: whether its gate is open, the revision of its tag states, its counters."""

    open: bool
    tag_revision: Revision
    user_count: int
    next_ordinal: int
    default_tags_as_of: datetime
    last_push_at: datetime | None
    last_ad_call_at: datetime | None
    ad_return_confirmed_at: datetime | None

    @property
    def forgotten(self) -> int:
        """Return how many ordinals have lost their users, forgotten or united with others; it never shrinks."""
        return self.next_ordinal - self.user_count
