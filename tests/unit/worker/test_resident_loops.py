"""Keep what is resident in a worker running, whatever happens to it."""

import asyncio
import logging

import pytest

from service.worker.resident_loops import loops_running


async def test_a_loop_that_fails_begins_again_and_the_others_do_not_notice(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="service.worker.resident_loops")
    begun: list[str] = []
    third_time, ended = asyncio.Event(), asyncio.Event()

    async def failing() -> None:
        begun.append("failing")
        if begun.count("failing") == 1:
            raise OSError
        if begun.count("failing") == 2:
            raise LookupError
        third_time.set()
        await asyncio.Event().wait()

    async def steady() -> None:
        begun.append("steady")
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with loops_running({"one": failing, "the other": steady}, restart_delay=0):
        async with asyncio.timeout(10):
            await third_time.wait()
        assert not ended.is_set()
    assert ended.is_set()
    assert begun.count("steady") == 1
    assert [record.getMessage() for record in caplog.records] == [
        "one wait for the database: OSError",
        "one failed, and begin again",
    ]
