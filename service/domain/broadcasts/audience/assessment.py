"""Tell of everybody in an audience whether they are sent to, cannot be sent to, or are held back, and why.

Each person counts once: for the first reason that applies. Source: docs/specification.md §6.6.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from service.domain.broadcasts.audience.hold_out import held_out
from service.domain.broadcasts.audience.sendable import Sending, unsendable_by_reason
from service.domain.broadcasts.policy.caps import CountedMessage, over_caps
from service.entities.bitmaps import Bitmaps, both, count_people, without
from service.entities.broadcasts import BroadcastPolicy, HeldReason
from service.entities.expressions import Expression
from service.storage.broadcasts import broadcast_audiences
from service.storage.broadcasts.broadcast_audiences import AudienceBlock
from service.storage.database.pool import Connection

# 8 million people: a few megabytes for each of what is known of them.
BLOCKS_PER_STATEMENT: Final = 256
ALONE: Final = 1


@dataclass(frozen=True, slots=True)
class Terms:
    """Hold what decides who of an audience is sent to.

    `excluded` are people who got, or will get, the message by another broadcast, by reason.
    """

    sending: Sending
    policy: BroadcastPolicy
    hold_out_percent: int = 0
    ignore_caps: bool = False
    excluded: Mapping[HeldReason, Bitmaps] = field(default_factory=dict)

    @property
    def counted_message(self) -> CountedMessage:
        """Return how a message to each of them counts for the caps."""
        return CountedMessage(self.policy, self.sending.kind, self.sending.at, self.ignore_caps)


@dataclass(slots=True)
class Assessment:
    """Hold who of an audience is planned to be sent to, who cannot be, and who is held back, by reason.

    Always: matched = Σ unsendable + Σ held + planned, and nobody is in two of them.
    """

    matched: int = 0
    planned: dict[int, int] = field(default_factory=dict, repr=False)
    unsendable: dict[HeldReason, dict[int, int]] = field(default_factory=dict, repr=False)
    held: dict[HeldReason, dict[int, int]] = field(default_factory=dict, repr=False)

    @property
    def following(self) -> int:
        """Return how many people of the audience follow."""
        return self.matched - count_people(self.unsendable.get(HeldReason.NOT_FOLLOWING, {}))

    @property
    def sendable(self) -> int:
        """Return how many people of the audience can be sent to, those who are held back included."""
        return self.matched - sum(map(count_people, self.unsendable.values()))

    def add(self, other: "Assessment") -> None:
        """Add what is known of other blocks."""
        self.matched += other.matched
        self.planned |= other.planned
        for mine, theirs in ((self.unsendable, other.unsendable), (self.held, other.held)):
            for reason, people in theirs.items():
                mine.setdefault(reason, {}).update(people)

    def hold_whoever_is_alone(self) -> None:
        """Hold a single person to whom no mass message can be sent; only when all of the audience was assessed."""
        if count_people(self.planned) == ALONE:
            self.held[HeldReason.AUDIENCE_TOO_SMALL], self.planned = self.planned, {}


async def assess_audience(conn: Connection, terms: Terms, expression: Expression) -> Assessment:
    """Assess everybody in an expression.

    The transaction must be REPEATABLE READ for all of it to be of one instant.
    """
    whole = Assessment()
    start = 0
    channel_id = terms.sending.channel.channel_id
    while True:
        blocks = await broadcast_audiences.audience_blocks(
            conn, channel_id, expression, start=start, limit=BLOCKS_PER_STATEMENT
        )
        whole.add(await _assess_blocks(conn, terms, blocks))
        if len(blocks) < BLOCKS_PER_STATEMENT:
            break
        start = blocks[-1].block + 1
    if terms.sending.kind.mass:
        whole.hold_whoever_is_alone()
    return whole


async def assess_people(conn: Connection, terms: Terms, people: Bitmaps) -> Assessment:
    """Assess these people, of whom there may be more in other blocks."""
    following, blacklisted = await broadcast_audiences.following_and_blacklisted(
        conn, terms.sending.channel.channel_id, people
    )
    return await _assess(conn, terms, people, following=following, blacklisted=blacklisted)


async def _assess_blocks(conn: Connection, terms: Terms, blocks: list[AudienceBlock]) -> Assessment:
    return await _assess(
        conn,
        terms,
        {each.block: each.members for each in blocks if each.members},
        following={each.block: each.following for each in blocks},
        blacklisted={each.block: each.blacklisted for each in blocks},
    )


async def _assess(
    conn: Connection, terms: Terms, people: Bitmaps, *, following: Bitmaps, blacklisted: Bitmaps
) -> Assessment:
    channel_id = terms.sending.channel.channel_id
    unsendable = await unsendable_by_reason(conn, terms.sending, people, following=following, blacklisted=blacklisted)
    left = dict(people)
    for unreachable in unsendable.values():
        left = without(left, unreachable)
    over = await over_caps(conn, channel_id, terms.counted_message, left) if left else {}
    if monthly := over.get(HeldReason.MONTHLY_LIMIT):
        unsendable[HeldReason.MONTHLY_LIMIT] = monthly
        left = without(left, monthly)
    held: dict[HeldReason, dict[int, int]] = {}
    key, percent = terms.policy.hold_out_key, terms.hold_out_percent
    reasons: tuple[tuple[HeldReason, Bitmaps], ...] = (
        *terms.excluded.items(),
        (HeldReason.HOLD_OUT, held_out(left, key=key, channel_id=channel_id, percent=percent)),
        (HeldReason.FREQUENCY_CAP, over.get(HeldReason.FREQUENCY_CAP, {})),
    )
    for reason, those in reasons:
        if found := both(left, those):
            held[reason] = found
            left = without(left, found)
    return Assessment(count_people(people), left, unsendable, held)
