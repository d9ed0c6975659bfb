"""Forget people who are in every part of broadcasts: nobody is named any more, and every count stays."""

from collections.abc import Mapping
from typing import Any

import pytest

from service.domain.privacy.forgetting import forget_user
from service.domain.runtime import Runtime
from service.entities.bitmaps import bitmaps_of
from service.entities.broadcast_ledger import Outcome, PeopleBlock, SendId
from service.entities.broadcast_reports import BroadcastReport
from service.entities.broadcasts import Broadcast, HeldReason, MessageKind, PeopleRole, SendState, held, unsendable
from service.entities.channels import Channel
from service.storage.broadcasts import broadcast_chunks, broadcast_sends
from service.storage.broadcasts.broadcast_ledger import people_of_role
from service.storage.broadcasts.broadcast_reports import broadcast_reports
from tests.domain.broadcasts.control.followers import follow
from tests.support.broadcasts import add_broadcast, freeze
from tests.support.runtime import admin

OPENIDS = [f"person{each}" for each in range(6)]
CAPPED, GONE = held(HeldReason.FREQUENCY_CAP), unsendable(HeldReason.NOT_FOLLOWING)
ROLES = {
    PeopleRole.FROZEN: range(6),
    PeopleRole.PLANNED: [0, 1],
    PeopleRole.TAKEN: [2, 3],
    CAPPED: [4],
    GONE: [5],
}
SEND_COUNT = (
    "insert into send_count (channel_id, class, day, block, plane, members) "
    "values ($1, 'ALL', '2026-03-01', 0, 0, set_bit(0::bit(32000), 2, 1))"
)
CONSENT = "insert into template_consent (channel_id, template_id, ordinal, accepted_at) values ($1, 't', $2, now())"
BLACKLISTED = "insert into blacklisted (channel_id, block, members) values ($1, 0, set_bit(0::bit(32000), 2, 1))"
RESULT = (
    "insert into push_result (channel_id, event, msg_id, ordinal, result, received_at) "
    "values ($1, 'e', '1', $2, '{}', now())"
)


async def make(runtime: Runtime, channel: Channel, kind: MessageKind) -> Broadcast:
    await follow(runtime, channel, *OPENIDS)
    async with runtime.pool.acquire() as conn, conn.transaction():
        made = await add_broadcast(conn, channel.channel_id, kind=kind)
        await freeze(conn, made, ROLES, sent=1)
    return made


async def report(runtime: Runtime, made: Broadcast) -> BroadcastReport:
    async with runtime.pool.acquire() as conn:
        return (await broadcast_reports(conn, made.channel_id, [made.job_id]))[made.job_id]


async def roles(runtime: Runtime, made: Broadcast) -> Mapping[str, tuple[int, int]]:
    """Return how many of each role can be named, and how many were forgotten."""
    found = {}
    async with runtime.pool.acquire() as conn:
        for role in (*ROLES, held(HeldReason.FORGOTTEN)):
            blocks = await people_of_role(conn, made.channel_id, made.job_id, role)
            named = sum(each.members.bit_count() for each in blocks.values())
            found[str(role)] = (named, sum(each.forgotten for each in blocks.values()))
    return found


def closes(found: BroadcastReport) -> bool:
    beside = sum(each.count for each in (*found.held, *found.unsendable))
    return found.broadcast.matched == beside + found.total


@pytest.mark.parametrize(
    ("person", "changed"),
    [
        (0, {"PLANNED": (1, 0), "HELD:FORGOTTEN": (0, 1)}),
        (2, {"TAKEN": (1, 1)}),
        (4, {CAPPED: (0, 1)}),
        (5, {GONE: (0, 1)}),
    ],
)
async def test_counts_stay_and_names_go(
    runtime: Runtime, channel: Channel, person: int, changed: dict[str, tuple[int, int]]
) -> None:
    made = await make(runtime, channel, MessageKind.MASS_TEXT)
    before, counts_before = await roles(runtime, made), await report(runtime, made)

    await forget_user(runtime, admin(), channel.channel_id, OPENIDS[person])

    assert await roles(runtime, made) == {**before, "FROZEN": (5, 1), **changed}
    after = await report(runtime, made)
    assert closes(counts_before)
    assert closes(after)
    assert after.broadcast.planned == (1 if person == 0 else 2)
    assert (after.broadcast.sent, after.broadcast.uncertain, after.broadcast.matched) == (1, 1, 6)


async def test_everybody_can_be_forgotten(runtime: Runtime, channel: Channel) -> None:
    made = await make(runtime, channel, MessageKind.MASS_TEXT)
    for each in OPENIDS:
        await forget_user(runtime, admin(), channel.channel_id, each)
    found = await roles(runtime, made)
    assert {named for named, _ in found.values()} == {0}
    assert found["HELD:FORGOTTEN"] == (0, 2)
    assert closes(await report(runtime, made))


async def test_a_chunk_keeps_its_number_of_people(runtime: Runtime, channel: Channel) -> None:
    made = await make(runtime, channel, MessageKind.MASS_TEXT)
    people = {block: PeopleBlock(bits, 0) for block, bits in bitmaps_of([2, 3]).items()}
    async with runtime.pool.acquire() as conn:
        await broadcast_chunks.insert_chunk(
            conn, made.channel_id, made.job_id, 1, "c-1", people, claimed_at=runtime.clock(), counted_on=None
        )
    await forget_user(runtime, admin(), channel.channel_id, OPENIDS[2])
    async with runtime.pool.acquire() as conn:
        blocks = await broadcast_chunks.people_of_chunk(conn, made.channel_id, made.job_id, 1)
    assert blocks == {0: PeopleBlock(bitmaps_of([3])[0], 1)}


async def test_messages_to_one_person_keep_only_their_outcome(runtime: Runtime, channel: Channel) -> None:
    made = await make(runtime, channel, MessageKind.TEMPLATE)
    job = made.channel_id, made.job_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        await broadcast_sends.claim_sends(
            conn, *job, [2, 3], made.kind, made.token, claimed_at=runtime.clock(), counted_on=None
        )
        sent = {SendId(2, 1): Outcome(SendState.SENT, msg_id="9007199254740993")}
        await broadcast_sends.settle_sends(conn, *job, sent, runtime.clock(), conclusive=True)
    for each in (2, 3):
        await forget_user(runtime, admin(), channel.channel_id, OPENIDS[each])

    rows = await runtime.pool.fetch("select ordinal, attempt, state, client_id, msg_id from broadcast_send order by 1")
    assert [tuple(row) for row in rows] == [(-2, 1, "UNKNOWN", "", None), (-1, 1, "SENT", "", None)]
    assert closes(await report(runtime, made))


async def test_nothing_beside_the_ledger_knows_the_person(runtime: Runtime, channel: Channel) -> None:
    await make(runtime, channel, MessageKind.TEMPLATE)
    statements: tuple[tuple[str, tuple[Any, ...]], ...] = (
        (SEND_COUNT, ()),
        (CONSENT, (2,)),
        (CONSENT, (3,)),
        (BLACKLISTED, ()),
        (RESULT, (2,)),
    )
    for statement, arguments in statements:
        await runtime.pool.execute(statement, channel.channel_id, *arguments)

    await forget_user(runtime, admin(), channel.channel_id, OPENIDS[2])

    assert await runtime.pool.fetchval("select sum(bit_count(members)) from send_count") == 0
    assert await runtime.pool.fetchval("select sum(bit_count(members)) from blacklisted") == 0
    assert await runtime.pool.fetchval("select array_agg(ordinal) from template_consent") == [3]
    assert await runtime.pool.fetchval("select count(*) from push_result") == 0


async def test_a_broadcast_without_the_person_is_left_alone(runtime: Runtime, channel: Channel) -> None:
    made = await make(runtime, channel, MessageKind.MASS_TEXT)
    await follow(runtime, channel, "stranger")
    before = await roles(runtime, made)
    await forget_user(runtime, admin(), channel.channel_id, "stranger")
    assert await roles(runtime, made) == before
