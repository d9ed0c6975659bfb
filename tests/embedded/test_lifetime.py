"""However the process that started the servers ends, nothing is left running."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from service.dev.stack.servers import start_embedded
from tests.embedded.families import are_gone, owner, with_data
from tests.waiting import wait_until


@pytest.mark.parametrize("last_word", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
async def test_the_servers_go_with_their_owner(place: Path, last_word: signal.Signals) -> None:
    with owner(with_data(place)) as mine:
        assert {process.name() for process in mine.family} > {"postgres", "valkey-server"}
        os.killpg(mine.process.pid, last_word)
        mine.process.wait()
        await wait_until(lambda: are_gone(mine.family))
    assert not (place / "postgres" / "postmaster.pid").exists(), "they stopped cleanly"
    assert not (place / "valkey" / "valkey.pid").exists(), "they stopped cleanly"


async def test_ctrl_c_leaves_them_to_their_owner(place: Path) -> None:
    with owner(with_data(place), "ignore-interrupts") as mine:
        os.killpg(mine.process.pid, signal.SIGINT)
        assert mine.says() == "interrupted"
        assert not any(os.getpgid(process.pid) == mine.process.pid for process in mine.family)
        await (await asyncpg.connect(mine.database_url)).close()
    await wait_until(lambda: are_gone(mine.family))


async def test_the_guard_outlives_a_polite_signal(place: Path) -> None:
    with owner(with_data(place)) as mine:
        mine.guard.terminate()
        mine.guard.send_signal(signal.SIGINT)
        await (await asyncpg.connect(mine.database_url)).close()
        mine.process.kill()
        await wait_until(lambda: are_gone(mine.family))


async def test_a_killed_guard_takes_the_servers_with_it_or_the_next_start_does(place: Path) -> None:
    with start_embedded(with_data(place), fast=True) as first:
        os.kill(first.pid, signal.SIGKILL)
        await wait_until(lambda: not first.are_guarded())
    with start_embedded(place, fast=True) as second:
        await (await asyncpg.connect(second.database_url)).close()


async def test_everything_killed_at_once_heals(place: Path) -> None:
    with owner(with_data(place)) as mine:
        mine.process.kill()
        for process in mine.family:
            # Some may already follow the guard, whose death the kernel tells them.
            with suppress(psutil.NoSuchProcess):
                process.kill()
        mine.process.wait()
        await wait_until(lambda: are_gone(mine.family))
    assert (place / "postgres" / "postmaster.pid").exists(), "the crash left its traces"
    with start_embedded(place, fast=True) as servers:
        await (await asyncpg.connect(servers.database_url)).close()


async def test_a_pid_file_that_names_a_stranger_is_no_obstacle(place: Path) -> None:
    with_data(place)
    lines = [str(os.getpid()), str(place / "postgres"), "1", "5432", "", "127.0.0.1", "0 0", "ready", ""]
    (place / "postgres" / "postmaster.pid").write_text("\n".join(lines))
    (place / "valkey" / "valkey.pid").write_text(f"{os.getpid()}\n")
    with start_embedded(place, fast=True) as servers:
        await (await asyncpg.connect(servers.database_url)).close()
