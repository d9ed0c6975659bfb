"""Tell before each call whether a broadcast may still send."""

import pytest

from service.domain.broadcasts.sending.calling import Gate
from service.domain.runtime import Runtime
from service.entities.broadcasts import MessageKind
from service.entities.jobs import JobState
from tests.domain.broadcasts.sending.book import Book


async def test_a_look_that_fails_lets_nobody_pass_and_the_next_one_does(book: Book, runtime: Runtime) -> None:
    gate = Gate(runtime, await book.start(MessageKind.TEMPLATE, [1, 2, 3]))
    assert await gate.is_open()

    await runtime.pool.execute("alter table job rename to job_elsewhere")
    assert not await gate.is_open()
    await runtime.pool.execute("alter table job_elsewhere rename to job")

    # Otherwise everybody would be claimed, not called and planned again until the slice is over.
    assert await gate.is_open()


@pytest.mark.parametrize("state", [JobState.PAUSED, JobState.CANCELLED])
async def test_it_stays_shut_once_a_broadcast_was_stopped(book: Book, runtime: Runtime, state: JobState) -> None:
    gate = Gate(runtime, await book.start(MessageKind.TEMPLATE, [1, 2, 3]))
    await runtime.pool.execute("update job set state = $1", state)
    assert not await gate.is_open()
    await runtime.pool.execute("update job set state = 'RUNNING'")
    assert not await gate.is_open()


async def test_nobody_passes_once_it_was_shut(book: Book, runtime: Runtime) -> None:
    gate = Gate(runtime, await book.start(MessageKind.TEMPLATE, [1, 2, 3]))
    gate.shut()
    assert not await gate.is_open()
