"""Run the commands of `user-tags` that need no database."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest
from graphql import build_schema

from service.cli.commands import COMMANDS, Command, main
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
    main(["token", "--robot", "r1", "--role", "admin"])
    main(["token", "--robot", "r1", "--role", "admin"])
    first, second = capsys.readouterr().out.split()
    assert jwt.get_unverified_header(first)["alg"] == "HS256"
    assert {"secrets.json"} <= {path.name for path in tmp_path.iterdir()}
    assert first.split(".")[1][:20] == second.split(".")[1][:20]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["token", "--robot", "bad robot", "--role", "admin"], "robot id"),
        (["token", "--robot", "r1", "--role", "king"], "invalid choice"),
        (["token", "--robot", "r1", "--role", "admin", "--ttl", "0"], "at least 1"),
        (["serve", "--workers", "0"], "at least 1"),
        ([], "required"),
    ],
)
def test_wrong_words_are_one_clear_line(arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code != 0
    assert error in f"{stopped.value.code} {capsys.readouterr().err}"


def test_a_wrong_environment_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER_TAGS_DEFAULT_TAGS_EVERY", "7m")
    with pytest.raises(SystemExit, match="USER_TAGS_DEFAULT_TAGS_EVERY must divide"):
        main(["migrate"])


def test_a_database_that_does_not_answer_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9")
    with pytest.raises(SystemExit, match="does not answer"):
        main(["migrate"])


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
