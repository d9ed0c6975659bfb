"""Claim chunks: in order, of those who can be sent to at that instant, never leaving or taking one person alone."""

from dataclasses import replace

import pytest

from service.domain.broadcasts.sending.claims import (
    ClaimedChunk,
    SendingTurnLostError,
    claim_chunk,
)
from service.domain.jobs.running import JobLeaseLostError
from service.entities.bitmaps import ordinals_in
from service.entities.broadcasts import HeldReason, MessageKind
from service.entities.jobs import Job
from tests.domain.broadcasts.sending.book import NO_LIMITS, Book

MASS = MessageKind.MASS_TEXT


async def claim(book: Book, job: Job, most: int = 10_000) -> ClaimedChunk | None:
    return await claim_chunk(book.runtime, book.channel, NO_LIMITS, job, most=most)


async def claimed(book: Book, job: Job, most: int = 10_000) -> list[int] | None:
    found = await claim(book, job, most)
    return None if found is None else ordinals_in(found.people)


async def test_a_chunk_has_the_next_people_of_all_blocks(book: Book) -> None:
    people = [5, 31_999, 32_000, 70_000, 70_001]
    await book.follow(people)
    job = await book.start(MASS, people)

    assert await claimed(book, job, 3) == people[:3]
    assert await book.counts(job) == {"planned": 2, "sent": 0, "failed": 0, "uncertain": 3, "held": 0}
    assert await book.people(job, "TAKEN") == people[:3]
    assert await claimed(book, job, 3) == people[3:]
    assert await claimed(book, job, 3) is None
    assert await book.people(job, "TAKEN") == people


async def test_ten_thousand_and_one_are_not_cut_so_that_one_is_left(book: Book) -> None:
    people = range(10_001)
    await book.follow(people)
    job = await book.start(MASS, people)

    first, second = await claimed(book, job), await claimed(book, job)

    assert first == list(range(9_999))
    assert second == [9_999, 10_000]


async def test_one_who_is_left_in_another_block_is_not_left_alone_either(book: Book) -> None:
    people = [*range(10_000), 64_000]
    await book.follow(people)
    job = await book.start(MASS, people)

    assert await claimed(book, job) == people[:9_999]
    assert await claimed(book, job) == people[9_999:]


async def test_who_cannot_be_sent_to_any_more_is_held_when_passed_over(book: Book) -> None:
    await book.follow([0, 2, 4, 5, 6, 7])
    job = await book.start(MASS, range(9))

    assert await claimed(book, job, 3) == [0, 2, 4]
    assert await book.held(job, HeldReason.NOT_FOLLOWING) == [1, 3]
    await book.follow([0, 2, 4, 5, 6, 7, 8])
    assert await claimed(book, job, 4) == [5, 6, 7, 8]
    assert await book.counts(job) == {"planned": 0, "sent": 0, "failed": 0, "uncertain": 7, "held": 2}


async def test_the_last_one_alone_is_held(book: Book) -> None:
    await book.follow([0, 1, 2, 4])
    job = await book.start(MASS, range(5))

    assert await claimed(book, job, 3) == [0, 1, 2]
    assert await claimed(book, job, 3) is None
    assert await book.held(job, HeldReason.AUDIENCE_TOO_SMALL) == [4]
    assert await book.held(job, HeldReason.NOT_FOLLOWING) == [3]
    assert await book.runtime.pool.fetchval("select count(*) from send_count where members <> 0::bit(32000)") == 2


async def test_whoever_had_enough_is_held_and_others_take_the_place(book: Book) -> None:
    people = range(6)
    await book.follow(people)
    first = await book.start(MASS, [0, 1, 3])
    capped = replace(NO_LIMITS, per_person_per_day=1)
    await claim_chunk(book.runtime, book.channel, capped, first)
    await book.runtime.pool.execute("update wechat_account set messaging_job = null, messaging_until = null")
    job = await book.start(MASS, people)

    found = await claim_chunk(book.runtime, book.channel, capped, job, most=3)

    assert found is not None
    assert ordinals_in(found.people) == [2, 4, 5]
    assert await book.held(job, HeldReason.FREQUENCY_CAP) == [0, 1, 3]


async def test_a_chunk_is_not_claimed_for_a_job_that_was_taken_away(book: Book) -> None:
    await book.follow(range(3))
    job = await book.start(MASS, range(3))
    await book.runtime.pool.execute("update job set state = 'PAUSED'")

    with pytest.raises(JobLeaseLostError):
        await claim(book, job)

    assert (await book.counts(job))["planned"] == 3


async def test_broadcasts_of_a_channel_send_one_after_the_other(book: Book) -> None:
    await book.follow(range(3))
    job, other = await book.start(MASS, range(3)), await book.start(MASS, range(3))
    assert await claim(book, job) is not None

    with pytest.raises(SendingTurnLostError):
        await claim(book, other)

    assert (await book.counts(other))["planned"] == 3


async def test_ids_of_chunks_differ_and_are_short(book: Book) -> None:
    await book.follow(range(6))
    job = await book.start(MASS, range(6), token="x" * 20)

    chunks = [await claim(book, job, 3) for _ in range(2)]

    assert [each and each.client_id for each in chunks] == ["x" * 20 + "-1", "x" * 20 + "-2"]
