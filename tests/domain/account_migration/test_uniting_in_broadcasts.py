"""Unite two users in a broadcast whatever became of each: every count stays, and the person gets it once."""

from itertools import product

import pytest

from service.domain.account_migration.migrating import migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.broadcasts.sending.outcomes import record_sends
from service.domain.privacy.forgetting import forget_user
from service.domain.runtime import Runtime
from service.domain.verification.broadcasts import verify_broadcasts
from service.entities.bitmaps import bitmaps_of, ordinals_in
from service.entities.broadcast_ledger import Outcome, PeopleBlock, SendId
from service.entities.broadcasts import Broadcast, HeldReason, MessageKind, PeopleRole, SendState, held, unsendable
from service.entities.channels import Channel
from service.storage.broadcasts import broadcast_chunks, broadcast_sends
from service.storage.broadcasts.broadcast_ledger import people_of_role
from service.storage.broadcasts.broadcast_reports import broadcast_reports
from tests.support.broadcasts import add_broadcast, freeze
from tests.support.database_state import skip_ordinals
from tests.support.runtime import admin, ordinals_for

CAPPED, GONE = held(HeldReason.FREQUENCY_CAP), unsendable(HeldReason.NOT_FOLLOWING)
PLANNED, TAKEN = str(PeopleRole.PLANNED), str(PeopleRole.TAKEN)
ABSENT, FAILED = "absent", "failed"
PARTS = (ABSENT, FAILED, PLANNED, TAKEN, CAPPED, GONE)
CONSENT = (
    "insert into template_consent (channel_id, template_id, ordinal, accepted_at, sent_at) values ($1, 't', $2, $3, $4)"
)


async def two_users(runtime: Runtime, channel: Channel, *, apart: bool) -> tuple[int, int]:
    """Return the ordinals of an older and a newer user, perhaps in different blocks."""
    older = (await ordinals_for(runtime, channel, ["new"]))["new"]
    if apart:
        await skip_ordinals(runtime, channel, 40_000)
    return older, (await ordinals_for(runtime, channel, ["old"]))["old"]


async def unite(runtime: Runtime, channel: Channel) -> None:
    result = await migrate_openids(runtime, channel, [OpenidPair("old", "new")])
    assert result.united == 1


async def sent_to(runtime: Runtime, channel: Channel, kind: MessageKind, parts: dict[int, str]) -> Broadcast:
    """Return a broadcast with users in these parts of it, one more of whom got it."""
    stranger = (await ordinals_for(runtime, channel, ["stranger"]))["stranger"]
    parts = {**parts, stranger: TAKEN}
    called = [ordinal for ordinal, part in parts.items() if part in {TAKEN, FAILED}]
    roles: dict[str, list[int]] = {str(PeopleRole.FROZEN): [each for each in parts if parts[each] != ABSENT]}
    for ordinal, part in parts.items():
        if part not in {ABSENT, FAILED}:
            roles.setdefault(part, []).append(ordinal)
    roles[TAKEN] = called
    async with runtime.pool.acquire() as conn, conn.transaction():
        made = await add_broadcast(conn, channel.channel_id, kind=kind)
        job, now = (made.channel_id, made.job_id), runtime.clock()
        await freeze(conn, made, roles)
        if kind.mass:
            people = {block: PeopleBlock(bits, 0) for block, bits in bitmaps_of(called).items()}
            await broadcast_chunks.insert_chunk(conn, *job, 1, "c-1", people, claimed_at=now, counted_on=None)
            return made
        await broadcast_sends.claim_sends(conn, *job, called, kind, made.token, claimed_at=now, counted_on=None)
        refused = {SendId(each, 1) for each in called if parts[each] == FAILED}
        outcomes = {
            SendId(each, 1): Outcome(SendState.REFUSED, 45015, "late")
            if SendId(each, 1) in refused
            else Outcome(SendState.SENT)
            for each in called
        }
        await record_sends(conn, *job, outcomes, now, conclusive=True)
    return made


async def named(runtime: Runtime, made: Broadcast) -> dict[str, set[int]]:
    """Return who can be named in each role."""
    found = {}
    async with runtime.pool.acquire() as conn:
        for role in (PeopleRole.FROZEN, PLANNED, TAKEN, CAPPED, GONE):
            blocks = await people_of_role(conn, made.channel_id, made.job_id, role)
            found[str(role)] = set(ordinals_in({block: each.members for block, each in blocks.items()}))
    return found


async def figures(runtime: Runtime, made: Broadcast) -> tuple[int, int, int, int, int]:
    """Return how many were matched, sent to, refused and uncertain, and how many all parts have together."""
    async with runtime.pool.acquire() as conn:
        found = (await broadcast_reports(conn, made.channel_id, [made.job_id]))[made.job_id]
    row, beside = found.broadcast, sum(each.count for each in (*found.held, *found.unsendable))
    return row.matched, row.sent, row.failed, row.uncertain, beside + found.total


@pytest.mark.parametrize(("of_older", "of_newer"), list(product(PARTS, PARTS)))
async def test_every_count_stays_and_the_person_has_one_part(
    runtime: Runtime, channel: Channel, of_older: str, of_newer: str
) -> None:
    older, newer = await two_users(runtime, channel, apart=PARTS.index(of_older) % 2 == 0)
    made = await sent_to(runtime, channel, MessageKind.CUSTOMER_SERVICE_TEXT, {older: of_older, newer: of_newer})
    before = await figures(runtime, made)
    assert await verify_broadcasts(runtime, channel.channel_id, repair=False) == 0

    await unite(runtime, channel)

    assert await verify_broadcasts(runtime, channel.channel_id, repair=False) == 0
    assert await figures(runtime, made) == before
    assert before[0] == before[-1]
    found = await named(runtime, made)
    assert not any(newer in people for people in found.values())
    assert (older in found["FROZEN"]) == ((of_older, of_newer) != (ABSENT, ABSENT))
    parts = {role for role, people in found.items() if role != "FROZEN" and older in people}
    # Whoever was refused under one name, or could not be sent to, gets it under the other.
    still_planned = of_newer == PLANNED and of_older in {FAILED, GONE}
    wanted = of_newer if of_older == ABSENT or of_newer == TAKEN or still_planned else of_older
    assert parts == ({wanted} if wanted not in {ABSENT, FAILED} else set())
    rows = await runtime.pool.fetch("select ordinal, state from broadcast_send")
    if TAKEN in {of_older, of_newer}:
        assert (older, "REFUSED") not in {tuple(row) for row in rows}, "or a retry would send once more"
    assert newer not in {row["ordinal"] for row in rows}
    assert len(rows) == 1 + sum(part in {TAKEN, FAILED} for part in (of_older, of_newer))
    assert ((older, "SENT") in {tuple(row) for row in rows}) == (TAKEN in {of_older, of_newer})


@pytest.mark.parametrize("kind", [MessageKind.CUSTOMER_SERVICE_TEXT, MessageKind.MASS_TEXT])
@pytest.mark.parametrize("part", PARTS)
async def test_the_ledger_is_right_when_people_were_forgotten(
    runtime: Runtime, channel: Channel, part: str, kind: MessageKind
) -> None:
    older, newer = await two_users(runtime, channel, apart=True)
    if kind.mass and part == FAILED:
        part = PLANNED
    made = await sent_to(runtime, channel, kind, {older: part, newer: part})
    matched, *_ = await figures(runtime, made)
    for openid in ("old", "new", "stranger"):
        assert await forget_user(runtime, admin(), channel.channel_id, openid) is not None
        assert await verify_broadcasts(runtime, channel.channel_id, repair=False) == 0
    after = await figures(runtime, made)
    assert after[0] == after[-1] == matched
    assert not any((await named(runtime, made)).values())


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(
    ("of_older", "of_newer"), [(ABSENT, TAKEN), (PLANNED, TAKEN), (TAKEN, TAKEN), (TAKEN, PLANNED)]
)
async def test_a_chunk_keeps_its_number_and_names_whoever_stays(
    runtime: Runtime, channel: Channel, of_older: str, of_newer: str, apart: bool
) -> None:
    older, newer = await two_users(runtime, channel, apart=apart)
    made = await sent_to(runtime, channel, MessageKind.MASS_TEXT, {older: of_older, newer: of_newer})

    await unite(runtime, channel)

    async with runtime.pool.acquire() as conn:
        blocks = await broadcast_chunks.people_of_chunk(conn, made.channel_id, made.job_id, 1)
    inside = set(ordinals_in({block: each.members for block, each in blocks.items()}))
    forgotten = sum(each.forgotten for each in blocks.values())
    assert older in inside
    assert newer not in inside
    assert len(inside) + forgotten == 1 + sum(part == TAKEN for part in (of_older, of_newer))
    matched, *_, parts = await figures(runtime, made)
    assert matched == parts


async def test_consents_blacklist_and_results_are_those_of_either(runtime: Runtime, channel: Channel) -> None:
    older, newer = await two_users(runtime, channel, apart=True)
    pool, channel_id, now = runtime.pool, channel.channel_id, runtime.clock()
    await pool.execute(CONSENT, channel_id, older, now, None)
    await pool.execute(CONSENT, channel_id, newer, None, now)
    await pool.execute(
        "insert into blacklisted (channel_id, block, members) values ($1, $2, set_bit(0::bit(32000), $3, 1))",
        channel_id,
        newer // 32_000,
        newer % 32_000,
    )
    await pool.execute(
        "insert into push_result (channel_id, event, msg_id, ordinal, result, received_at) "
        "values ($1, 'e', '1', $2, '{}', $3)",
        channel_id,
        newer,
        now,
    )

    await unite(runtime, channel)

    consents = await pool.fetch("select ordinal, accepted_at, sent_at from template_consent")
    assert [tuple(row) for row in consents] == [(older, now, now)]
    black = await pool.fetch("select block, members from blacklisted where bit_count(members) > 0")
    assert [(row["block"], row["members"].bytes) for row in black] == [
        (older // 32_000, bitmaps_of([older])[older // 32_000].to_bytes(4_000))
    ]
    assert await pool.fetchval("select ordinal from push_result") == older
