"""Unite two users in the broadcasts that they are in: nobody is sent to twice, and all counts close."""

from itertools import product

import pytest

from service.domain.account_migration.migrating import migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.broadcasts.results.recording import record_results
from service.domain.broadcasts.sending.outcomes import record_sends
from service.domain.runtime import Runtime
from service.domain.verification.broadcasts import verify_broadcasts
from service.entities.bitmaps import bitmaps_of
from service.entities.blocks import BLOCK_SIZE
from service.entities.broadcast_ledger import Outcome, SendId
from service.entities.broadcasts import HeldReason, MessageKind, PeopleRole, SendState, held, unsendable
from service.entities.channels import Channel
from service.entities.jobs import Job
from service.entities.message_results import ConsentChange
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.broadcasts.broadcast_ledger import CountChanges
from tests.domain.broadcasts.results.sent import SentMessages
from tests.domain.broadcasts.sending.book import Book
from tests.support.clock import START
from tests.support.database_state import skip_ordinals
from tests.support.runtime import ordinals_for

TEMPLATE, MASS = MessageKind.TEMPLATE, MessageKind.MASS_TEXT
REFUSED = Outcome(SendState.REFUSED, 43101, "refused")
PLACES = ("PLANNED", "TAKEN", "REFUSED", "HELD", "UNSENDABLE", "ABSENT")


@pytest.fixture
def sent(runtime: Runtime, channel: Channel) -> SentMessages:
    return SentMessages(Book(runtime, channel))


async def two_users(sent: SentMessages, *, two_blocks: bool) -> tuple[int, int]:
    """Return the ordinals of the older and the newer user who are one person, and let both follow."""
    runtime, channel = sent.book.runtime, sent.book.channel
    older = (await ordinals_for(runtime, channel, ["oOld"]))["oOld"]
    if two_blocks:
        await skip_ordinals(runtime, channel, BLOCK_SIZE)
    newer = (await ordinals_for(runtime, channel, ["oNew"]))["oNew"]
    return older, newer


async def put(sent: SentMessages, kind: MessageKind, older: tuple[int, str], newer: tuple[int, str]) -> Job:
    """Start a broadcast in which each of them, and two others, are in a place, `(ordinal, place)`."""
    book = sent.book
    others = list((await ordinals_for(book.runtime, book.channel, ["oOther1", "oOther2"])).values())
    both = [older, newer]
    await book.follow([*others, older[0], newer[0]])
    takes_part = [ordinal for ordinal, place in both if place != "ABSENT"]
    claimed = [*others, *(ordinal for ordinal, place in both if place in {"TAKEN", "REFUSED"})]
    job = await book.start(kind, sorted({*others, *takes_part}))
    async with book.runtime.pool.acquire() as conn, conn.transaction():
        roles = {"HELD": held(HeldReason.HOLD_OUT), "UNSENDABLE": unsendable(HeldReason.OUT_OF_WINDOW)}
        aside = [(ordinal, place) for ordinal, place in both if place in {"PLANNED", *roles}]
        for ordinal, place in aside:
            # Out of reach of the claim for a moment.
            await ledger.take_out_people(conn, job.channel_id, job.job_id, PeopleRole.PLANNED, bitmaps_of([ordinal]))
            if place in roles:
                people = {roles[place]: bitmaps_of([ordinal])}
                await ledger.add_people(conn, job.channel_id, job.job_id, people)
        await ledger.change_counts(conn, job.channel_id, job.job_id, CountChanges(planned=-len(aside)))
    await sent.claim_all(job)
    async with book.runtime.pool.acquire() as conn, conn.transaction():
        planned = [ordinal for ordinal, place in both if place == "PLANNED"]
        people = {PeopleRole.PLANNED: bitmaps_of(planned)}
        await ledger.add_people(conn, job.channel_id, job.job_id, people)
        await ledger.change_counts(conn, job.channel_id, job.job_id, CountChanges(planned=len(planned)))
        if not kind.mass:
            refused = {ordinal for ordinal, place in both if place == "REFUSED"}
            outcomes = {
                SendId(each, 1): REFUSED if each in refused else Outcome(SendState.SENT, msg_id=str(each))
                for each in claimed
            }
            await record_sends(conn, job.channel_id, job.job_id, outcomes, sent.now, conclusive=False)
    return job


async def unite(sent: SentMessages) -> None:
    await migrate_openids(sent.book.runtime, sent.book.channel, [OpenidPair("oOld", "oNew")])


@pytest.mark.parametrize(("place_of_older", "place_of_newer"), list(product(PLACES, PLACES)))
async def test_whoever_was_sent_to_under_one_name_is_not_sent_to_under_the_other(
    sent: SentMessages, place_of_older: str, place_of_newer: str
) -> None:
    older, newer = await two_users(sent, two_blocks=True)
    job = await put(sent, TEMPLATE, (older, place_of_older), (newer, place_of_newer))
    assert await verify_broadcasts(sent.book.runtime, job.channel_id, repair=False) == 0

    await unite(sent)

    assert await verify_broadcasts(sent.book.runtime, job.channel_id, repair=False) == 0
    await sent.book.counts(job)
    planned, taken = await sent.book.people(job, "PLANNED"), await sent.book.people(job, "TAKEN")
    assert newer not in {*planned, *taken, *await sent.book.people(job, "FROZEN")}
    places = {place_of_older, place_of_newer}
    if "TAKEN" in places:
        assert older not in planned
        assert older in taken, "also if they were refused it under the older name: a retry would send it twice"
    else:
        free = place_of_older in {"REFUSED", "UNSENDABLE", "ABSENT"}
        assert (older in planned) is (place_of_older == "PLANNED" or (place_of_newer == "PLANNED" and free))


@pytest.mark.parametrize("two_blocks", [False, True])
@pytest.mark.parametrize(
    ("place_of_older", "place_of_newer"), [("PLANNED", "TAKEN"), ("TAKEN", "TAKEN"), ("ABSENT", "TAKEN")]
)
async def test_so_it_is_with_a_message_to_many(
    sent: SentMessages, place_of_older: str, place_of_newer: str, two_blocks: bool
) -> None:
    older, newer = await two_users(sent, two_blocks=two_blocks)
    job = await put(sent, MASS, (older, place_of_older), (newer, place_of_newer))

    await unite(sent)

    assert await verify_broadcasts(sent.book.runtime, job.channel_id, repair=False) == 0
    await sent.book.counts(job)
    assert older in await sent.book.people(job, "TAKEN")
    assert newer not in await sent.book.people(job, "TAKEN")


async def test_what_was_allowed_and_told_is_the_older_ones(sent: SentMessages) -> None:
    older, newer = await two_users(sent, two_blocks=True)
    runtime, channel_id = sent.book.runtime, sent.book.channel.channel_id
    await record_results(
        runtime,
        channel_id,
        [
            ConsentChange("oOld", "t1", True, START),
            ConsentChange("oNew", "t1", False, START),
            ConsentChange("oNew", "t2", True, START),
            sent.result("77", "oNew"),
        ],
    )
    await runtime.pool.execute(
        "insert into blacklisted (channel_id, block, members) values ($1, $2, set_bit(0::bit(32000), $3, 1))",
        channel_id,
        newer // BLOCK_SIZE,
        newer % BLOCK_SIZE,
    )

    await unite(sent)

    consents = "select template_id, accepted_at, rejected_at from template_consent where ordinal = $1 order by 1"
    assert [tuple(row) for row in await runtime.pool.fetch(consents, older)] == [
        ("t1", START, START),
        ("t2", START, None),
    ]
    assert await runtime.pool.fetch(consents, newer) == []
    assert await runtime.pool.fetchval("select ordinal from push_result") == older
    listed = "select block * 32000 + position(B'1' in members) - 1 from blacklisted where bit_count(members) > 0"
    assert [row[0] for row in await runtime.pool.fetch(listed)] == [older]
