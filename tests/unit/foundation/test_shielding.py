"""Let work go on when whoever waits for it is cancelled, and wait for it at the end."""

import asyncio

import pytest

from service.foundation.shielding import ShieldedWork


async def begun(shielded: ShieldedWork, work: asyncio.Event, done: list[str]) -> asyncio.Task[None]:
    """Begin some work that ends with an event, and return who waits for it."""

    async def run() -> None:
        started.set()
        await work.wait()
        done.append("done")

    started = asyncio.Event()
    waiting = asyncio.create_task(shielded.run(run(), "some work"))
    await started.wait()
    return waiting


async def test_the_result_is_passed_on() -> None:
    async def run() -> int:
        return 3

    assert await ShieldedWork().run(run(), "some work") == 3


async def test_work_goes_on_after_a_cancellation_and_is_waited_for() -> None:
    shielded, work, done = ShieldedWork(), asyncio.Event(), list[str]()
    waiting = await begun(shielded, work, done)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert done == []

    work.set()
    await shielded.drain(10)

    assert done == ["done"]


async def test_what_takes_too_long_is_cancelled_in_the_end() -> None:
    shielded, done = ShieldedWork(), list[str]()
    waiting = await begun(shielded, asyncio.Event(), done)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    await shielded.drain(0)

    assert done == []


async def test_a_failure_that_nobody_waits_for_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        started.set()
        await work.wait()
        raise RuntimeError("broken")

    shielded, started, work = ShieldedWork(), asyncio.Event(), asyncio.Event()
    waiting = asyncio.create_task(shielded.run(fail(), "some work"))
    await started.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    work.set()
    await shielded.drain(10)

    assert "some work failed" in caplog.text
