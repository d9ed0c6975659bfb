"""One data directory, one owner; and any account may own one, wherever it lies."""

import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from service.dev.stack.account import Account
from service.dev.stack.servers import (
    DataDirectoryInUseError,
    EmbeddedError,
    embedded_secrets,
    environment_with_ourselves,
    start_embedded,
)
from tests.embedded.families import are_gone, owner, with_data
from tests.waiting import wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change accounts")


async def test_a_second_owner_is_refused_by_name(place: Path) -> None:
    with owner(with_data(place)) as mine:
        with pytest.raises(DataDirectoryInUseError, match=f"in use by process {mine.process.pid}") as refused:
            start_embedded(place, fast=True)
        assert "--data-dir" in str(refused.value)
        await (await asyncpg.connect(mine.database_url)).close()
    await wait_until(lambda: are_gone(mine.family))


async def test_a_new_owner_waits_for_the_servers_of_a_killed_one(place: Path) -> None:
    with owner(with_data(place)) as mine:
        mine.process.kill()
        mine.process.wait()
        with start_embedded(place, fast=True) as servers:
            await (await asyncpg.connect(servers.database_url)).close()
            assert are_gone(mine.family)


def test_a_place_that_cannot_be_a_directory_is_explained(place: Path) -> None:
    (place / "file").touch()
    with pytest.raises(EmbeddedError, match=r"cannot be used: Not a directory.*--data-dir"):
        start_embedded(place / "file" / "data")


@as_root
def test_somebody_elses_directory_is_refused(place: Path) -> None:
    embedded_secrets(place)
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        with pytest.raises(EmbeddedError, match=r"cannot be used: Permission denied"):
            start_embedded(place)
    finally:
        os.seteuid(0)


@as_root
def test_root_may_use_a_directory_that_only_root_can_enter(place: Path) -> None:
    place.chmod(0o700)
    with start_embedded(place / "deep" / "data", fast=True) as servers:
        assert servers.database_url
    assert stat.S_IMODE(place.stat().st_mode) == 0o700, "it did not open the directory to everybody"


@as_root
async def test_the_servers_never_run_as_root(place: Path) -> None:
    with owner(with_data(place)) as mine:
        assert all(child.uids().real != 0 for child in mine.guard.children())
    await wait_until(lambda: are_gone(mine.family))


@as_root
async def test_an_ordinary_account_may_use_it_and_then_root_too(place: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home = place / "home"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    # Python itself may be installed where only root can enter (below its home), hence the one capability.
    account = Account(nobody.pw_uid, nobody.pw_gid, passes_everywhere=sys.platform == "linux")
    with owner(home / "data", become=account.become, home=home) as mine:
        assert {process.uids().real for process in mine.family} == {nobody.pw_uid}
        await (await asyncpg.connect(mine.database_url)).close()
    await wait_until(lambda: are_gone(mine.family))
    with start_embedded(home / "data", fast=True) as servers:
        await (await asyncpg.connect(servers.database_url)).close()


def test_secrets_are_made_once_and_kept_private(place: Path) -> None:
    jwt_secret, secrets_key = embedded_secrets(place / "data")
    assert len(jwt_secret) == len(secrets_key) == 64
    assert jwt_secret != secrets_key
    assert embedded_secrets(place / "data") == (jwt_secret, secrets_key)
    assert stat.S_IMODE((place / "data" / "secrets.json").stat().st_mode) == 0o600
    assert not list((place / "data").glob("*.new"))


def test_processes_that_begin_together_agree_on_the_secrets(place: Path) -> None:
    ask = f"import service.dev.stack.servers as e, pathlib; print(e.embedded_secrets(pathlib.Path({str(place)!r})))"
    asked = [
        subprocess.Popen(
            [sys.executable, "-c", ask], stdout=subprocess.PIPE, env=environment_with_ourselves(), text=True
        )
        for _ in range(3)
    ]
    answers = {one.communicate()[0] for one in asked}
    assert len(answers) == 1
    assert str(embedded_secrets(place)) in answers.pop()
