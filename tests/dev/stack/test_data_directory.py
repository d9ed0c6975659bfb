"""Give a data directory one owner at a time, of any account, wherever it lies."""

import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from service.dev.stack.account import OsAccount
from service.dev.stack.servers import (
    DataDirectoryInUseError,
    EmbeddedError,
    embedded_secrets,
    environment_with_package_path,
    start_embedded,
)
from tests.dev.stack.server_owners import all_exited, copy_initialised_data, owner
from tests.support.waiting import wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change accounts")


async def test_a_second_owner_is_refused_by_name(accessible_dir: Path) -> None:
    with owner(copy_initialised_data(accessible_dir)) as mine:
        with pytest.raises(DataDirectoryInUseError, match=f"in use by process {mine.process.pid}") as refused:
            start_embedded(accessible_dir, fast=True)
        assert "--data-dir" in str(refused.value)
        await (await asyncpg.connect(mine.database_url)).close()
    await wait_until(lambda: all_exited(mine.processes))


async def test_a_new_owner_waits_for_the_servers_of_a_killed_one(accessible_dir: Path) -> None:
    with owner(copy_initialised_data(accessible_dir)) as mine:
        mine.process.kill()
        mine.process.wait()
        with start_embedded(accessible_dir, fast=True) as servers:
            await (await asyncpg.connect(servers.database_url)).close()
            assert all_exited(mine.processes)


@as_root
def test_somebody_elses_directory_is_refused(accessible_dir: Path) -> None:
    embedded_secrets(accessible_dir)
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        with pytest.raises(EmbeddedError, match=r"cannot be used: Permission denied"):
            start_embedded(accessible_dir)
    finally:
        os.seteuid(0)


@as_root
def test_root_may_use_a_directory_that_only_root_can_enter(accessible_dir: Path) -> None:
    accessible_dir.chmod(0o700)
    with start_embedded(accessible_dir / "deep" / "data", fast=True) as servers:
        assert servers.database_url
    assert stat.S_IMODE(accessible_dir.stat().st_mode) == 0o700, "it did not open the directory to everybody"


@as_root
async def test_the_servers_never_run_as_root(accessible_dir: Path) -> None:
    with owner(copy_initialised_data(accessible_dir)) as mine:
        assert all(child.uids().real != 0 for child in mine.guard.children())
    await wait_until(lambda: all_exited(mine.processes))


@as_root
async def test_an_ordinary_account_may_use_it_and_then_root_too(accessible_dir: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home = accessible_dir / "home"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    # Python itself may be installed where only root can enter (below its home), hence the one capability.
    account = OsAccount(nobody.pw_uid, nobody.pw_gid, bypasses_permissions=sys.platform == "linux")
    with owner(home / "data", preexec_fn=account.drop_privileges, home=home) as mine:
        assert {process.uids().real for process in mine.processes} == {nobody.pw_uid}
        await (await asyncpg.connect(mine.database_url)).close()
    await wait_until(lambda: all_exited(mine.processes))
    with start_embedded(home / "data", fast=True) as servers:
        await (await asyncpg.connect(servers.database_url)).close()


def test_processes_that_begin_together_agree_on_the_secrets(accessible_dir: Path) -> None:
    ask = (
        "import service.dev.stack.servers as e, pathlib;"
        f" print(e.embedded_secrets(pathlib.Path({str(accessible_dir)!r})))"
    )
    asked = [
        subprocess.Popen(
            [sys.executable, "-c", ask], stdout=subprocess.PIPE, env=environment_with_package_path(), text=True
        )
        for _ in range(3)
    ]
    answers = {one.communicate()[0] for one in asked}
    assert len(answers) == 1
    assert str(embedded_secrets(accessible_dir)) in answers.pop()
