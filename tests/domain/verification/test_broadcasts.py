"""Recompute what is counted of broadcasts: differences are found, and counts are corrected."""

import pytest

from service.domain.broadcasts.sending.claims import claim_chunk
from service.domain.broadcasts.sending.outcomes import record_chunk
from service.domain.runtime import Runtime
from service.domain.verification.broadcasts import verify_broadcasts
from service.entities.broadcast_ledger import Outcome
from service.entities.broadcasts import MessageKind, SendState
from service.entities.channels import Channel
from tests.domain.broadcasts.sending.book import NO_LIMITS, Book


@pytest.fixture
async def book(runtime: Runtime, channel: Channel) -> Book:
    """Claim three chunks of a broadcast, of which one is sent, one refused and one uncertain."""
    book = Book(runtime, channel)
    await book.follow(range(20))
    job = await book.start(MessageKind.MASS_TEXT, range(20))
    for state, code in ((SendState.SENT, None), (SendState.REFUSED, 40003), (SendState.UNKNOWN, None)):
        chunk = await claim_chunk(runtime, channel, NO_LIMITS, job, most=5)
        assert chunk is not None
        outcome, key = Outcome(state, code), (job.channel_id, job.job_id, chunk.number)
        async with runtime.pool.acquire() as conn, conn.transaction():
            await record_chunk(conn, *key, outcome, runtime.clock(), conclusive=False)
    return book


async def verify(book: Book, *, repair: bool = False) -> int:
    return await verify_broadcasts(book.runtime, book.channel.channel_id, repair=repair)


async def test_what_is_right_is_found_right(book: Book) -> None:
    assert await verify(book) == 0


@pytest.mark.parametrize(
    "corruption",
    [
        "update broadcast set sent = sent + 1",
        "update broadcast set planned = planned - 1, failed = failed + 1",
        "update broadcast set uncertain = 0",
        "update broadcast_failure set people = people + 1",
        "delete from broadcast_failure",
    ],
)
async def test_wrong_counts_are_found_and_corrected(book: Book, corruption: str) -> None:
    await book.runtime.pool.execute(corruption)

    assert await verify(book) == 1
    assert await verify(book, repair=True) == 1
    assert await verify(book) == 0


@pytest.mark.parametrize(
    "corruption",
    [
        "update broadcast_people set members = set_bit(members, 3, 0) where role = 'TAKEN'",
        "update broadcast_people set members = set_bit(members, 18, 0) where role = 'PLANNED'",
        "update broadcast_people set members = set_bit(members, 3, 1) where role = 'PLANNED'",
        "update broadcast_people set members = set_bit(members, 25, 1) where role = 'FROZEN'",
        "update broadcast_chunk_block set members = set_bit(members, 3, 0) where chunk = 1",
        "update broadcast_chunk set state = 'REFUSED' where chunk = 1",
    ],
)
async def test_people_in_the_wrong_place_are_found_and_not_made_up(book: Book, corruption: str) -> None:
    await book.runtime.pool.execute(corruption)

    assert await verify(book, repair=True) == 1
    assert await verify(book) == 1
