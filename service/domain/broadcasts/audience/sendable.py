"""Tell who of some people cannot be sent to at an instant, and why, as far as facts and our own messages tell.

The month's limit of mass messages is counted with the caps, in `service.domain.broadcasts.policy.caps`.

Source: developers.weixin.qq.com `/doc/service/guide/product/kf/intro`; docs/specification.md §6.6.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps, bitmaps_of, both, united, without
from service.entities.broadcast_messages import BroadcastMessage, SubscriptionMessage
from service.entities.broadcasts import Broadcast, HeldReason, MessageKind
from service.entities.channels import Channel, ChannelKind
from service.storage.broadcasts import broadcast_audiences
from service.storage.database.pool import Connection

# Customer service may answer a message, and a payment, for less than that.
ANSWER_WITHIN: Final = timedelta(hours=48)
MAX_ANSWERS: Final = 5


@dataclass(frozen=True, slots=True)
class Sending:
    """Hold what decides who can be sent to: the channel, the kind of message with its template, and the instant.

    `template_id` is None unless people have to allow messages of the kind.
    """

    channel: Channel
    kind: MessageKind
    template_id: str | None
    at: datetime

    @classmethod
    def of(cls, channel: Channel, broadcast: Broadcast, at: datetime) -> "Sending":
        """Return what decides for a broadcast."""
        template_id = broadcast.message["template_id"] if broadcast.kind.subscription else None
        return cls(channel, broadcast.kind, template_id, at)

    @classmethod
    def of_message(cls, channel: Channel, message: BroadcastMessage, at: datetime) -> "Sending":
        """Return what decides for a message."""
        template_id = message.template_id if isinstance(message, SubscriptionMessage) else None
        return cls(channel, message.kind, template_id, at)


async def unsendable_now(
    conn: Connection, runtime: Runtime, channel: Channel, broadcast: Broadcast, people: Bitmaps
) -> dict[HeldReason, dict[int, int]]:
    """Return who of some people cannot be sent a broadcast's message now, by reason, each person for one."""
    sending = Sending.of(channel, broadcast, runtime.clock())
    following, blacklisted = await broadcast_audiences.following_and_blacklisted(conn, channel.channel_id, people)
    return await unsendable_by_reason(conn, sending, people, following=following, blacklisted=blacklisted)


async def unsendable_by_reason(
    conn: Connection, sending: Sending, people: Bitmaps, *, following: Bitmaps, blacklisted: Bitmaps
) -> dict[HeldReason, dict[int, int]]:
    """Return who of some people cannot be sent to, by reason, each person for the first that applies.

    `following` and `blacklisted` hold who follows and who is on the account's blacklist.
    """
    reasons: dict[HeldReason, dict[int, int]] = {}
    left = dict(people)

    def leave_out(reason: HeldReason, those: dict[int, int]) -> None:
        nonlocal left
        if those:
            reasons[reason] = those
            left = without(left, those)

    allowed = await _consenting(conn, sending, left)
    if sending.channel.mini_program:
        # Whoever allowed it a message has used it, though nothing else tells so.
        following = united(following, allowed)
    leave_out(HeldReason.NOT_FOLLOWING, without(left, following))
    leave_out(HeldReason.BLACKLISTED, both(left, blacklisted))
    if sending.kind.subscription:
        leave_out(HeldReason.NO_CONSENT, without(left, allowed))
    if sending.kind is MessageKind.CUSTOMER_SERVICE_TEXT and left:
        open_windows, used_up = await _windows(conn, sending, left)
        leave_out(HeldReason.WINDOW_USED_UP, both(left, used_up))
        leave_out(HeldReason.OUT_OF_WINDOW, without(left, open_windows))
    return reasons


async def _consenting(conn: Connection, sending: Sending, people: Bitmaps) -> dict[int, int]:
    if sending.template_id is None or not people:
        return {}
    found = await broadcast_audiences.consenting(conn, sending.channel.channel_id, sending.template_id, people)
    return bitmaps_of(found)


async def _windows(conn: Connection, sending: Sending, people: Bitmaps) -> tuple[dict[int, int], dict[int, int]]:
    """Return whom customer service may write to, and to whom it has written as often as it may."""
    found = await broadcast_audiences.answerable(
        conn, sending.channel.channel_id, people, sending.at - ANSWER_WITHIN, most_sends=MAX_ANSWERS
    )
    pays = sending.channel.kind is ChannelKind.SERVICE_ACCOUNT
    free = [each.ordinal for each in found if (each.wrote and each.sends < MAX_ANSWERS) or (pays and each.paid)]
    wrote = [each.ordinal for each in found if each.wrote]
    open_windows = bitmaps_of(free)
    return open_windows, without(bitmaps_of(wrote), open_windows)
