"""Claim messages to one person each: a few at a time, each with what is known of the person."""

from datetime import timedelta

import pytest

from service.domain.broadcasts.sending.claims import ClaimedSends, claim_sends
from service.domain.broadcasts.sending.outcomes import plan_sends_anew
from service.domain.broadcasts.sending.writing import LetterWriter
from service.domain.jobs.running import JobLeaseLostError
from service.entities.broadcast_ledger import SendId
from service.entities.broadcasts import HeldReason, MessageKind
from service.entities.jobs import Job
from service.storage.broadcasts import broadcasts
from tests.domain.broadcasts.sending.book import MESSAGES, NO_LIMITS, Book
from tests.support.clock import FrozenClock
from tests.support.runtime import ordinals_for

TEMPLATE, SUBSCRIPTION = MessageKind.TEMPLATE, MessageKind.SERVICE_SUBSCRIPTION
CONSENTS = (
    "insert into template_consent (channel_id, template_id, ordinal, accepted_at) values ($1, 'template-2', $2, $3)"
)


async def claim(book: Book, job: Job, most: int = 32) -> ClaimedSends | None:
    async with book.runtime.pool.acquire() as conn:
        found = await broadcasts.broadcast(conn, job.channel_id, job.job_id)
    assert found is not None
    return await claim_sends(book.runtime, book.channel, NO_LIMITS, job, LetterWriter(found), most=most)


async def people(book: Book, count: int) -> list[int]:
    ordinals = await ordinals_for(book.runtime, book.channel, [f"oPerson{number:03}" for number in range(count)])
    await book.follow(ordinals.values())
    return sorted(ordinals.values())


async def test_no_more_than_thirty_two_are_claimed_at_once(book: Book) -> None:
    job = await book.start(TEMPLATE, await people(book, 50))

    found = [await claim(book, job) for _ in range(3)]

    assert [each and len(each.messages) for each in found] == [32, 18, None]
    assert await book.counts(job) == {"planned": 0, "sent": 0, "failed": 0, "uncertain": 50, "held": 0}


async def test_each_message_has_its_person_and_an_id_of_its_own(book: Book) -> None:
    ordinals = await people(book, 2)
    job = await book.start(TEMPLATE, ordinals, token="t")

    found = await claim(book, job)

    assert found is not None
    bodies = {each.send_id: each.call.body or {} for each in found.messages}
    assert {send_id: body["client_msg_id"] for send_id, body in bodies.items()} == {
        SendId(ordinal, 1): f"t-{ordinal}-1" for ordinal in ordinals
    }
    assert {body["touser"] for body in bodies.values()} == {"oPerson000", "oPerson001"}


async def test_who_has_no_value_for_a_placeholder_is_held(book: Book) -> None:
    ordinals = await people(book, 3)
    message = MESSAGES[TEMPLATE] | {"data": [{"key": "thing1", "value": "Dear {{tag:Level}}"}]}
    job = await book.start(TEMPLATE, ordinals, message=message)

    found = await claim(book, job)

    assert found is not None
    assert found.messages == ()
    assert await book.held(job, HeldReason.NO_VALUE) == ordinals
    assert await book.counts(job) == {"planned": 0, "sent": 0, "failed": 0, "uncertain": 0, "held": 3}
    assert await book.runtime.pool.fetchval("select count(*) from send_count where members <> 0::bit(32000)") == 0


async def test_what_people_allowed_is_used_up_by_the_claim(book: Book) -> None:
    ordinals = await people(book, 2)
    now = book.runtime.clock()
    for ordinal in ordinals:
        await book.runtime.pool.execute(CONSENTS, book.channel.channel_id, ordinal, now)
    job = await book.start(SUBSCRIPTION, ordinals)

    await claim(book, job, 1)

    rows = await book.runtime.pool.fetch("select ordinal, sent_at from template_consent order by ordinal")
    assert [row["sent_at"] for row in rows] == [now, None]


async def test_nobody_is_claimed_for_a_job_that_was_cancelled(book: Book) -> None:
    job = await book.start(TEMPLATE, await people(book, 2))
    await book.runtime.pool.execute("update job set state = 'CANCELLED'")

    with pytest.raises(JobLeaseLostError):
        await claim(book, job)

    assert (await book.counts(job))["planned"] == 2


async def test_what_another_worker_has_claimed_since_stays_claimed(book: Book, clock: FrozenClock) -> None:
    """The database was lost while a worker gave people back, so it does that again: another one calls them by now."""
    job = await book.start(TEMPLATE, await people(book, 2))
    first = await claim(book, job)
    assert first is not None
    key, ids = (job.channel_id, job.job_id), [each.send_id for each in first.messages]
    async with book.runtime.pool.acquire() as conn, conn.transaction():
        assert await plan_sends_anew(conn, *key, ids, first.claimed_at) == 2
    clock.advance(timedelta(seconds=1))
    second = await claim(book, job)
    assert second is not None
    assert [each.send_id for each in second.messages] == ids

    async with book.runtime.pool.acquire() as conn, conn.transaction():
        assert await plan_sends_anew(conn, *key, ids, first.claimed_at) == 0

    assert await book.counts(job) == {"planned": 0, "sent": 0, "failed": 0, "uncertain": 2, "held": 0}
    async with book.runtime.pool.acquire() as conn, conn.transaction():
        assert await plan_sends_anew(conn, *key, ids, second.claimed_at) == 2
