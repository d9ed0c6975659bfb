"""Tell until when, and how often, customer service may still write to people, by the rule that broadcasts follow.

Source: developers.weixin.qq.com `/doc/service/guide/product/kf/intro`; docs/specification.md §6.6.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from service.domain.broadcasts.audience.sendable import ANSWER_WITHIN, MAX_ANSWERS
from service.entities.bitmaps import bitmaps_of
from service.entities.channels import ChannelKind
from service.entities.users import ChannelUser
from service.storage.broadcasts import broadcast_audiences
from service.storage.database.pool import Connection


@dataclass(frozen=True, slots=True)
class OwnMessages:
    """Hold how often we wrote since the person wrote last, at most as often as is allowed, and who is blacklisted."""

    since_last_message: int = 0
    blacklisted: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """Hold until when customer service may write, None if it may not; and how often, None for as often as it likes."""

    until: datetime | None
    left: int | None


NO_ANSWERS = Answers(None, 0)


async def own_messages(
    conn: Connection, channel_id: int, ordinals: Collection[int], now: datetime
) -> dict[int, OwnMessages]:
    """Return what decides beside facts for people, by ordinal."""
    people = bitmaps_of(ordinals)
    _, blacklisted = await broadcast_audiences.following_and_blacklisted(conn, channel_id, people)
    found = await broadcast_audiences.answerable(conn, channel_id, people, now - ANSWER_WITHIN, most_sends=MAX_ANSWERS)
    sends = {each.ordinal: each.sends for each in found if each.wrote}
    barred = {each for each in ordinals if blacklisted and _is_in(blacklisted, each)}
    return {each: OwnMessages(sends.get(each, 0), each in barred) for each in ordinals}


def answers(kind: ChannelKind, person: ChannelUser, own: OwnMessages, now: datetime) -> Answers:
    """Return until when and how often a person may be written to in a channel of this kind.

    A message allows 5 answers for 48 hours; with a service account a payment allows any number for as long.
    """
    if own.blacklisted or (not person.following and kind is not ChannelKind.MINI_PROGRAM):
        return NO_ANSWERS
    wrote, paid = (_until(at, now) for at in (person.facts.messaged_at, person.facts.paid_at))
    left = MAX_ANSWERS - own.since_last_message
    answered = wrote if left else None
    if kind is ChannelKind.SERVICE_ACCOUNT and paid is not None:
        return Answers(max(paid, answered or paid), None)
    return NO_ANSWERS if answered is None else Answers(answered, left)


def _until(at: datetime | None, now: datetime) -> datetime | None:
    return None if at is None or at + ANSWER_WITHIN <= now else at + ANSWER_WITHIN


def _is_in(people: dict[int, int], ordinal: int) -> bool:
    return any(people.get(block, 0) & bits for block, bits in bitmaps_of([ordinal]).items())
