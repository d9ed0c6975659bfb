"""Say in one line what keeps a command from its work: the database, the port, a file."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import pytest

from service.cli.commands import main
from service.dev.stack.servers import EmbeddedServers
from tests.support.processes import environment, reset_environment
from tests.support.servers import free_port

Complaint = Callable[..., str]

COMMANDS: Final = (
    ("serve", "--port", "PORT"),
    ("worker",),
    ("verify",),
    ("refresh",),
    ("forget", "--channel", "c", "--openid", "o"),
    ("acting",),
    ("import-csv", "people.csv", "--channel", "c", "--category", "Level", "--label", "Gold"),
)
each_command = pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])


@pytest.fixture
def complaint(monkeypatch: pytest.MonkeyPatch) -> Complaint:
    """Run a command in this process, and give the line with which it ends."""

    def run(given: Mapping[str, str], *arguments: str) -> str:
        for name in ("DATABASE_URL", "REDIS_URL"):
            monkeypatch.setenv(name, given[name])
        reset_environment(
            monkeypatch,
            **{
                name.removeprefix("USER_TAGS_"): value for name, value in given.items() if name.startswith("USER_TAGS_")
            },
        )
        with pytest.raises(SystemExit) as stopped:
            main([str(free_port()) if word == "PORT" else word for word in arguments])
        said = str(stopped.value.code)
        assert said.startswith("user-tags: ")
        assert "\n" not in said
        return said

    return run


def complaint_of_process(given: Mapping[str, str], *arguments: str) -> str:
    """Run the program until it ends with an error; return the one line that it writes."""
    words = [str(free_port()) if word == "PORT" else word for word in arguments]
    done = subprocess.run(
        [sys.executable, "-m", "service", *words], env=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("user-tags: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture
async def unmigrated_url(servers: EmbeddedServers) -> str:
    connection = await asyncpg.connect(servers.database_url)
    try:
        await connection.execute("drop database if exists unmigrated")
        await connection.execute("create database unmigrated")
    finally:
        await connection.close()
    return urlsplit(servers.database_url)._replace(path="/unmigrated").geturl()


@each_command
async def test_an_unmigrated_database(
    unmigrated_url: str, redis_url: str, arguments: tuple[str, ...], complaint: Complaint
) -> None:
    said = await asyncio.to_thread(complaint, environment(unmigrated_url, redis_url), *arguments)
    assert "run `user-tags migrate` first" in said


@pytest.mark.parametrize("arguments", [("migrate",), *COMMANDS], ids=lambda arguments: arguments[0])
def test_a_database_that_does_not_answer(arguments: tuple[str, ...], complaint: Complaint) -> None:
    nowhere = environment("postgresql://nobody@127.0.0.1:9/nothing", "redis://127.0.0.1:9")
    assert "does not answer" in complaint(nowhere, *arguments)


@pytest.mark.parametrize("arguments", [("migrate",), ("serve", "--port", "PORT"), ("worker",), ("verify",)])
def test_a_wrong_password(
    servers: EmbeddedServers, redis_url: str, arguments: tuple[str, ...], complaint: Complaint
) -> None:
    url = urlsplit(servers.database_url)
    wrong = url._replace(netloc=url.netloc.replace(url.password or "", "wrong")).geturl()
    assert "refuses the account or the password" in complaint(environment(wrong, redis_url), *arguments)


def test_a_database_that_does_not_exist(servers: EmbeddedServers, redis_url: str, complaint: Complaint) -> None:
    missing = urlsplit(servers.database_url)._replace(path="/missing").geturl()
    assert 'database "missing" does not exist' in complaint(environment(missing, redis_url), "verify")


def test_a_missing_file(database_url: str, redis_url: str, complaint: Complaint) -> None:
    given = environment(database_url, redis_url)
    said = complaint(
        given, "import-csv", "/no/people.csv", "--channel", "Q2hhbm5lbDox", "--category", "a", "--label", "b"
    )
    assert "/no/people.csv" in said


def test_a_port_that_is_taken(database_url: str, redis_url: str, complaint: Complaint) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert f"Port {port} on" in complaint(environment(database_url, redis_url), "serve", "--port", port)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_documents_that_cannot_be_trusted(database_url: str, redis_url: str, tmp_path: Path, workers: str) -> None:
    file = tmp_path / "documents.json"
    file.write_text('{"a": "{ nothing }"}', encoding="utf-8")
    given = environment(database_url, redis_url, TRUSTED_DOCUMENTS=str(file), TRUSTED_DOCUMENTS_MODE="only")
    assert str(file) in complaint_of_process(given, "serve", "--port", "PORT", "--workers", workers)


def test_up_says_at_once_that_documents_cannot_be_trusted(database_url: str, redis_url: str, tmp_path: Path) -> None:
    file = tmp_path / "missing.json"
    given = environment(
        database_url, redis_url,
        TRUSTED_DOCUMENTS=str(file), TRUSTED_DOCUMENTS_MODE="only", DATA_DIR=str(tmp_path / "data"),
    )  # fmt: skip
    assert str(file) in complaint_of_process(given, "up", "--port", "PORT")


def test_up_with_a_wrong_password(servers: EmbeddedServers, redis_url: str, tmp_path: Path) -> None:
    url = urlsplit(servers.database_url)
    wrong = url._replace(netloc=url.netloc.replace(url.password or "", "wrong")).geturl()
    given = environment(wrong, redis_url, DATA_DIR=str(tmp_path / "data"))
    assert "refuses the account or the password" in complaint_of_process(given, "up", "--port", "PORT")
