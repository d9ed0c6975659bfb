"""The small commands of `user-tags`."""

import argparse
import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest
from graphql import build_schema

from service.cli.commands import COMMANDS, Command, main
from service.domain.events.recorder import record_events
from service.entities.enums import EventKind
from service.entities.ids import channel_gid
from service.entities.users import UserEvent
from service.foundation.clock import system_clock
from tests.support.clock import FrozenClock
from tests.support.runtime import bind, open_runtime

SECRET = "a secret of the tests that is long enough"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("USER_TAGS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("USER_TAGS_JWT_SECRET", SECRET)
    monkeypatch.setenv("USER_TAGS_SECRETS_KEY", SECRET)
    monkeypatch.setenv("USER_TAGS_DATA_DIR", str(tmp_path))


def test_token_is_signed_for_the_robot_and_role(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--robot", "r1", "--role", "agent", "--sub", "desk", "--ttl", "60"]) == 0
    claims = jwt.decode(capsys.readouterr().out.strip(), SECRET, algorithms=["HS256"])
    assert (claims["robot"], claims["role"], claims["sub"]) == ("r1", "agent", "desk")
    assert 50 < claims["exp"] - datetime.now(UTC).timestamp() <= 60
    assert "channels" not in claims


def test_token_can_be_narrowed_to_channels(capsys: pytest.CaptureFixture[str]) -> None:
    main(["token", "--robot", "r1", "--role", "integrator", "--channels", "a,b"])
    assert jwt.decode(capsys.readouterr().out.strip(), SECRET, algorithms=["HS256"])["channels"] == ["a", "b"]


def test_token_without_any_secret_uses_the_one_of_the_data_directory(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("USER_TAGS_JWT_SECRET")
    main(["token", "--robot", "r1", "--role", "admin"])
    main(["token", "--robot", "r1", "--role", "admin"])
    first, second = capsys.readouterr().out.split()
    assert jwt.get_unverified_header(first)["alg"] == "HS256"
    assert {"secrets.json"} <= {path.name for path in tmp_path.iterdir()}
    assert first.split(".")[1][:20] == second.split(".")[1][:20]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["token", "--robot", "bad robot", "--role", "admin"], "robot id"),
        (["token", "--robot", "r1", "--role", "king"], "invalid choice"),
        (["token", "--robot", "r1", "--role", "admin", "--ttl", "0"], "at least 1"),
        (["serve", "--workers", "0"], "at least 1"),
        ([], "required"),
    ],
)
def test_wrong_words_are_one_clear_line(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code != 0
    assert complaint in f"{stopped.value.code} {capsys.readouterr().err}"


def test_a_wrong_environment_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER_TAGS_DEFAULT_TAGS_EVERY", "7m")
    with pytest.raises(SystemExit, match="USER_TAGS_DEFAULT_TAGS_EVERY must divide"):
        main(["migrate"])


def test_a_database_that_does_not_answer_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9")
    with pytest.raises(SystemExit, match="does not answer"):
        main(["migrate"])


def test_migrate_says_what_it_did(
    servers: object, database_url: str, redis_url: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out == "the database is up to date\n"


def test_export_schema_prints_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export-schema"]) == 0
    schema = build_schema(capsys.readouterr().out)
    assert schema.subscription_type is not None


async def test_import_csv_hands_a_file_back_and_writes_what_was_refused(
    database_url: str, redis_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path, clock: FrozenClock,
) -> None:  # fmt: skip
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    async with open_runtime(database_url, clock) as runtime:
        channel = channel_gid((await bind(runtime)).channel_id)
    (tmp_path / "people.csv").write_text("name,openid\nAda,oAda\nBob,o Bob\n", encoding="utf-8")
    rejects = tmp_path / "rejects.csv"
    command = ["import-csv", str(tmp_path / "people.csv"), "--category", "Level", "--label", "Gold", "--key", "k"]
    given = [*command, "--channel", channel, "--rejects", str(rejects)]

    assert await asyncio.to_thread(main, given) == 1
    assert "2 rows in 1 batches (0 written before); 1 added" in capsys.readouterr().out
    assert "o Bob,3," in rejects.read_text(encoding="utf-8")
    assert await asyncio.to_thread(main, given) == 1
    assert "(1 written before)" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no such channel"):
        await asyncio.to_thread(main, [*command, "--channel", "nobodys"])


def test_forget_deletes_one_person_and_says_so(
    database_url: str, redis_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)

    async def somebody_follows() -> tuple[str, int]:
        async with open_runtime(database_url, system_clock) as runtime:
            channel = await bind(runtime)
            await record_events(runtime, channel, [UserEvent("ann", EventKind.FOLLOW, runtime.clock())])
            return channel_gid(channel.channel_id), channel.channel_id

    async def known(channel_id: int) -> int:
        async with open_runtime(database_url, system_clock) as runtime:
            query = "select count(*) from channel_user where channel_id = $1"
            return int(await runtime.pool.fetchval(query, channel_id))

    gid, channel_id = asyncio.run(somebody_follows())
    assert main(["forget", "--channel", gid, "--openid", "ann"]) == 0
    assert asyncio.run(known(channel_id)) == 0
    assert main(["forget", "--channel", gid, "--openid", "ann"]) == 1
    assert capsys.readouterr().out == "forgotten\nnobody is known by this openid\n"
    with pytest.raises(SystemExit, match="no such channel"):
        main(["forget", "--channel", "nothing", "--openid", "ann"])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_and_argument_is_explained(command: Command) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.help
    assert [action.dest for action in parser._actions if not action.help] == []
