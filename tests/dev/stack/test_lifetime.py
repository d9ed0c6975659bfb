"""Leave nothing running, however the process that started the servers ends."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from service.dev.stack.servers import start_embedded
from tests.dev.stack.server_owners import all_exited, copy_initialised_data, owner
from tests.support.waiting import wait_until


@pytest.mark.parametrize("last_word", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
async def test_the_servers_go_with_their_owner(accessible_dir: Path, last_word: signal.Signals) -> None:
    with owner(copy_initialised_data(accessible_dir)) as mine:
        assert {process.name() for process in mine.processes} > {"postgres", "valkey-server"}
        os.killpg(mine.process.pid, last_word)
        mine.process.wait()
        await wait_until(lambda: all_exited(mine.processes))
    assert not (accessible_dir / "postgres" / "postmaster.pid").exists(), "they stopped cleanly"
    assert not (accessible_dir / "valkey" / "valkey.pid").exists(), "they stopped cleanly"


async def test_ctrl_c_leaves_them_to_their_owner(accessible_dir: Path) -> None:
    with owner(copy_initialised_data(accessible_dir), "ignore-interrupts") as mine:
        os.killpg(mine.process.pid, signal.SIGINT)
        assert mine.read_line() == "interrupted"
        assert not any(os.getpgid(process.pid) == mine.process.pid for process in mine.processes)
        await (await asyncpg.connect(mine.database_url)).close()
    await wait_until(lambda: all_exited(mine.processes))


async def test_the_guard_outlives_a_polite_signal(accessible_dir: Path) -> None:
    with owner(copy_initialised_data(accessible_dir)) as mine:
        mine.guard.terminate()
        mine.guard.send_signal(signal.SIGINT)
        await (await asyncpg.connect(mine.database_url)).close()
        mine.process.kill()
        await wait_until(lambda: all_exited(mine.processes))


async def test_a_killed_guard_takes_the_servers_with_it_or_the_next_start_does(accessible_dir: Path) -> None:
    with start_embedded(copy_initialised_data(accessible_dir), fast=True) as first:
        os.kill(first.pid, signal.SIGKILL)
        await wait_until(lambda: not first.is_guard_alive())
    with start_embedded(accessible_dir, fast=True) as second:
        await (await asyncpg.connect(second.database_url)).close()


async def test_everything_killed_at_once_heals(accessible_dir: Path) -> None:
    with owner(copy_initialised_data(accessible_dir)) as mine:
        # The servers first: of the death of its guard the kernel tells PostgreSQL, which would end in good order.
        for process in mine.processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        mine.process.kill()
        mine.process.wait()
        await wait_until(lambda: all_exited(mine.processes))
    assert (accessible_dir / "postgres" / "postmaster.pid").exists(), "the crash left its traces"
    with start_embedded(accessible_dir, fast=True) as servers:
        await (await asyncpg.connect(servers.database_url)).close()


async def test_a_pid_file_that_names_a_stranger_is_no_obstacle(accessible_dir: Path) -> None:
    copy_initialised_data(accessible_dir)
    lines = [str(os.getpid()), str(accessible_dir / "postgres"), "1", "5432", "", "127.0.0.1", "0 0", "ready", ""]
    (accessible_dir / "postgres" / "postmaster.pid").write_text("\n".join(lines))
    (accessible_dir / "valkey" / "valkey.pid").write_text(f"{os.getpid()}\n")
    with start_embedded(accessible_dir, fast=True) as servers:
        await (await asyncpg.connect(servers.database_url)).close()
