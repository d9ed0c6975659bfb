"""Tell who can be sent to as a plain reading of WeChat's rules does, for random people, messages and consents.

The rule: docs/specification.md §6.6.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pytest
from asyncpg import BitString
from hypothesis import given
from hypothesis import strategies as st

from service.domain.broadcasts.audience.sendable import unsendable_now
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.entities.bitmaps import bitmaps_of, ordinals_in
from service.entities.blocks import BLOCK_SIZE
from service.entities.broadcasts import Broadcast, HeldReason, MessageKind
from service.entities.channels import Channel, ChannelKind
from service.entities.users import EventKind, UserEvent
from service.storage.broadcasts.broadcasts import broadcast
from tests.support.broadcast_rows import finish, insert_broadcast_of
from tests.support.database_state import skip_ordinals
from tests.support.examples import compared_with_model
from tests.support.runtime import bind, ordinals_for

MINUTE: Final = timedelta(minutes=1)
HOURS: Final = timedelta(hours=48)
TEMPLATE: Final = "template-1"
# At, just before and just after the ends of windows and of each other.
AGO: Final = st.sampled_from(
    [timedelta(), MINUTE, 2 * MINUTE, 3 * MINUTE, HOURS - timedelta(seconds=1), HOURS, HOURS + MINUTE, 3 * HOURS]
)
KINDS: Final = {
    ChannelKind.SERVICE_ACCOUNT: (
        MessageKind.MASS_TEXT,
        MessageKind.TEMPLATE,
        MessageKind.CUSTOMER_SERVICE_TEXT,
        MessageKind.SERVICE_SUBSCRIPTION,
    ),
    ChannelKind.SUBSCRIPTION_ACCOUNT: (MessageKind.MASS_TEXT, MessageKind.CUSTOMER_SERVICE_TEXT),
    ChannelKind.MINI_PROGRAM: (MessageKind.CUSTOMER_SERVICE_TEXT, MessageKind.MINI_PROGRAM_SUBSCRIPTION),
}


@dataclass(frozen=True)
class Person:
    """Hold what happened to somebody, and how long ago; `sends` are customer-service messages and their states."""

    events: frozenset[tuple[EventKind, timedelta]]
    sends: tuple[tuple[str, timedelta], ...]
    accepted: timedelta | None
    rejected: timedelta | None
    used: timedelta | None
    blacklisted: bool


PEOPLE = st.lists(
    st.builds(
        Person,
        events=st.frozensets(st.tuples(st.sampled_from(EventKind), AGO), max_size=4),
        sends=st.lists(
            st.tuples(st.sampled_from(["SENT", "SENT", "UNKNOWN", "CLAIMED", "REFUSED"]), AGO), max_size=7
        ).map(tuple),
        accepted=st.none() | AGO,
        rejected=st.none() | AGO,
        used=st.none() | AGO,
        blacklisted=st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


def why_not(person: Person, kind: MessageKind, account: ChannelKind) -> HeldReason | None:
    """Return why somebody cannot be sent a message, read off from all that happened; the first reason counts."""
    consents = person.accepted is not None and all(
        person.accepted < other for other in (person.rejected, person.used) if other is not None
    )
    consents = consents and kind.subscription
    if account is ChannelKind.MINI_PROGRAM:
        present = bool({kind for kind, _ in person.events} - {EventKind.FOLLOW, EventKind.UNFOLLOW}) or consents
    else:
        unfollows = [ago for kind, ago in person.events if kind is EventKind.UNFOLLOW]
        signs = [ago for kind, ago in person.events if kind not in {EventKind.UNFOLLOW, EventKind.PAYMENT}]
        present = bool(signs) and (not unfollows or min(signs) <= min(unfollows))
    if not present:
        return HeldReason.NOT_FOLLOWING
    if person.blacklisted:
        return HeldReason.BLACKLISTED
    if kind.subscription:
        return None if consents else HeldReason.NO_CONSENT
    if kind is MessageKind.CUSTOMER_SERVICE_TEXT:
        return _why_no_answer(person, account)
    return None


def _why_no_answer(person: Person, account: ChannelKind) -> HeldReason | None:
    def last(kind: EventKind) -> timedelta | None:
        return min((ago for each, ago in person.events if each is kind and ago < HOURS), default=None)

    wrote, paid = last(EventKind.MESSAGE), last(EventKind.PAYMENT)
    if account is ChannelKind.SERVICE_ACCOUNT and paid is not None:
        return None
    if wrote is None:
        return HeldReason.OUT_OF_WINDOW
    answers = sum(state != "REFUSED" and ago <= wrote for state, ago in person.sends)
    return None if answers < 5 else HeldReason.WINDOW_USED_UP


async def write_down(runtime: Runtime, channel: Channel, job_id: int, people: dict[str, Person]) -> dict[str, int]:
    """Let all of it have happened, and return the ordinals of the people."""
    now, channel_id = runtime.clock(), channel.channel_id
    ordinals = await ordinals_for(runtime, channel, people)
    events = [
        UserEvent(openid, kind, now - ago)
        for openid, person in people.items()
        for kind, ago in person.events
        if channel.kind is not ChannelKind.MINI_PROGRAM or kind not in {EventKind.FOLLOW, EventKind.UNFOLLOW}
    ]
    await record_events(runtime, channel, events)
    sends = [
        (channel_id, job_id, ordinals[openid], attempt, "CUSTOMER_SERVICE_TEXT", state, "", now - ago, now)
        for openid, person in people.items()
        for attempt, (state, ago) in enumerate(person.sends)
    ]
    columns = ["channel_id", "job_id", "ordinal", "attempt", "kind", "state", "client_id", "claimed_at", "written_at"]
    consents = [
        (channel_id, TEMPLATE, ordinals[openid], *(instant(now, ago) for ago in each))
        for openid, person in people.items()
        for each in [(person.accepted, person.rejected, person.used)]
    ]
    async with runtime.pool.acquire() as conn:
        await conn.copy_records_to_table("broadcast_send", records=sends, columns=columns)
        await conn.copy_records_to_table("template_consent", records=consents)
        for block, bits in bitmaps_of(ordinals[openid] for openid, each in people.items() if each.blacklisted).items():
            await conn.execute(
                "insert into blacklisted values ($1, $2, $3) on conflict (channel_id, block) do update"
                " set members = blacklisted.members | excluded.members",
                channel_id,
                block,
                BitString.frombytes(bits.to_bytes(BLOCK_SIZE // 8), BLOCK_SIZE),
            )
    return ordinals


def instant(now: datetime, ago: timedelta | None) -> datetime | None:
    return None if ago is None else now - ago


async def stored(runtime: Runtime, channel: Channel, kind: MessageKind) -> Broadcast:
    job = await insert_broadcast_of(runtime, channel, kind=kind, message={"template_id": TEMPLATE})
    # No more jobs are begun than may be unfinished at once.
    await finish(runtime, job)
    async with runtime.pool.acquire() as conn:
        found = await broadcast(conn, job.channel_id, job.job_id)
    assert found is not None
    return found


async def reasons(
    runtime: Runtime, channel: Channel, made: Broadcast, ordinals: Iterable[int]
) -> dict[int, HeldReason]:
    """Return why people cannot be sent to, `{ordinal: reason}`, each of whom is named once."""
    async with runtime.pool.acquire() as conn:
        found = await unsendable_now(conn, runtime, channel, made, bitmaps_of(ordinals))
    named = [(ordinal, reason) for reason, people in found.items() for ordinal in ordinals_in(people)]
    assert len(named) == len(dict(named))
    return dict(named)


@pytest.mark.parametrize("account", ChannelKind)
@compared_with_model(examples=30)
@given(people=PEOPLE)
async def test_whoever_can_be_sent_to_is_who_the_rules_say(
    runtime: Runtime, channel: Channel, account: ChannelKind, people: list[Person]
) -> None:
    mine = channel if account is ChannelKind.SERVICE_ACCOUNT else await bind(runtime, kind=account)
    made = [await stored(runtime, mine, kind) for kind in KINDS[account]]
    prefix = f"job-{made[0].job_id}"
    named = {f"{prefix}-{number}": person for number, person in enumerate(people)}
    ordinals = await write_down(runtime, mine, made[0].job_id, named)
    for each in made:
        expected = {
            ordinals[openid]: reason
            for openid, person in named.items()
            if (reason := why_not(person, each.kind, account)) is not None
        }
        assert await reasons(runtime, mine, each, ordinals.values()) == expected


@pytest.mark.parametrize("kind", KINDS[ChannelKind.SERVICE_ACCOUNT])
async def test_of_many_people_the_same_is_said_as_of_few(runtime: Runtime, channel: Channel, kind: MessageKind) -> None:
    """One is in another block than all others, and nobody but those asked for is named."""
    people = {
        f"person-{number}": Person(
            frozenset({(EventKind.FOLLOW, MINUTE)} | ({(EventKind.MESSAGE, MINUTE)} if number % 2 else set())),
            (),
            MINUTE if number % 3 else None,
            None,
            None,
            number % 5 == 0,
        )
        for number in range(1_200)
    }
    made = await stored(runtime, channel, kind)
    ordinals = await write_down(runtime, channel, made.job_id, people)
    await skip_ordinals(runtime, channel, 2 * BLOCK_SIZE)
    far = {"far": Person(frozenset({(EventKind.FOLLOW, MINUTE)}), (), None, None, None, blacklisted=True)}
    ordinals |= await write_down(runtime, channel, made.job_id, far)
    asked = [ordinals[openid] for openid in ordinals if openid != "person-0"]

    together = await reasons(runtime, channel, made, asked)

    assert len(asked) == 1_200
    few = [await reasons(runtime, channel, made, asked[start : start + 400]) for start in range(0, 1_200, 400)]
    assert together == {ordinal: reason for each in few for ordinal, reason in each.items()}
    assert together.keys() <= set(asked)
