"""Run the commands of `user-tags` that need no database."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest
from graphql import build_schema

from service import __version__
from service.cli.commands import COMMANDS, Command, main
from service.dev.stack.servers import embedded_secrets
from tests.support.processes import reset_environment

SECRET = "a secret of the tests that is long enough"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reset_environment(monkeypatch, JWT_SECRET=SECRET, SECRETS_KEY=SECRET, DATA_DIR=str(tmp_path))


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
    used = tmp_path / "used"
    secret = embedded_secrets(used).jwt_secret
    assert main(["token", "--robot", "r1", "--role", "admin", "--data-dir", str(used)]) == 0
    assert jwt.decode(capsys.readouterr().out.strip(), secret, algorithms=["HS256"])["robot"] == "r1"


@pytest.mark.parametrize(
    "arguments",
    [
        ["token", "--robot", "r1", "--role", "admin"],
        ["verify"],
        ["refresh"],
        ["forget", "--channel", "c", "--openid", "o"],
        ["import-csv", "people.csv", "--channel", "c", "--category", "Level", "--label", "Gold"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_nothing_is_made_where_nobody_ran(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("USER_TAGS_JWT_SECRET")
    monkeypatch.delenv("USER_TAGS_SECRETS_KEY")
    elsewhere = tmp_path / "elsewhere"
    with pytest.raises(SystemExit, match=r"^user-tags: Nothing has run in the data directory .*elsewhere"):
        main([*arguments, "--data-dir", str(elsewhere)])
    assert not elsewhere.exists()


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert (stopped.value.code, capsys.readouterr().out) == (0, f"user-tags {__version__}\n")


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = capsys.readouterr().out
    assert all(command.name in said for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["token", "--robot", "bad robot", "--role", "admin"], "robot id"),
        (["token", "--robot", "r1", "--role", "king"], "invalid choice"),
        (["token", "--robot", "r1", "--role", "admin", "--ttl", "0"], "at least 1"),
        (["token", "--robot", "r1", "--role", "admin", "--ttl", "-5"], "at least 1"),
        (["token", "--robot", "r1", "--role", "admin", "--ttl", "9" * 30], "whole number"),
        (["token", "--robot", "r1", "--role", "admin", "--ttl", "999999999999"], "ten years"),
        (["serve", "--workers", "0"], "at least 1"),
        (["serve", "--port", "99999"], "from 1 to 65535"),
        (["up", "--port", "99999"], "from 1 to 65535"),
        (["up", "--port", "http"], "whole number"),
        (["nonsense"], "invalid choice"),
    ],
)
def test_wrong_words_are_one_clear_line(arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code != 0
    said = capsys.readouterr().err
    assert error in f"{stopped.value.code} {said}"
    assert said.count("\n") <= 1


def test_a_wrong_environment_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER_TAGS_DEFAULT_TAGS_EVERY", "7m")
    with pytest.raises(SystemExit, match="USER_TAGS_DEFAULT_TAGS_EVERY must divide"):
        main(["migrate"])


def test_a_wrong_setting_of_the_demo_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER_TAGS_DEMO_PORT", "99999")
    with pytest.raises(SystemExit, match="USER_TAGS_DEMO_PORT must be a port"):
        main(["up", "--demo", "--data-dir", str(tmp_path / "data")])
    assert not (tmp_path / "data").exists()


def test_a_database_that_does_not_answer_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9")
    with pytest.raises(SystemExit, match="does not answer"):
        main(["migrate"])


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "postgresql://nobody:s3cr3t@127.0.0.1:port/nothing"),
        ("REDIS_URL", "redis://:s3cr3t@127.0.0.1:port/0"),
    ],
)
def test_an_address_that_cannot_be_read_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9")
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit, match=f"{variable} cannot be used") as stopped:
        main(["migrate"])
    assert "s3cr3t" not in str(stopped.value.code)


def test_export_schema_prints_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export-schema"]) == 0
    schema = build_schema(capsys.readouterr().out)
    assert schema.subscription_type is not None


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_and_argument_is_explained(command: Command) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.help
    assert [action.dest for action in parser._actions if not action.help] == []
