"""Run `user-tags audit-log`, and `verify` over audit logs."""

import asyncio
import json
from pathlib import Path

import pytest

from service.cli.commands import main
from service.entities.channels import Channel
from tests.support.audit import audit_rows, sealed_log, write_entries
from tests.support.clock import FrozenClock
from tests.support.processes import reset_environment
from tests.support.runtime import bind, open_runtime

SECRET = "a secret of the tests that is long enough"


@pytest.fixture
async def channel(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: FrozenClock
) -> Channel:
    """Seal a log of three entries, a second apart."""
    reset_environment(monkeypatch, JWT_SECRET=SECRET, SECRETS_KEY=SECRET, DATA_DIR=str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    async with open_runtime(database_url, clock) as runtime:
        channel = await bind(runtime)
        await runtime.pool.execute("delete from audit_entry")
        await sealed_log(runtime, channel, count=3)
    return channel


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(main, list(arguments))


async def test_it_writes_a_line_for_each_entry(
    channel: Channel, capfdbinary: pytest.CaptureFixture[bytes], clock: FrozenClock, database_url: str
) -> None:
    assert await run("audit-log", "--robot", channel.robot_id) == 0
    found = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [each["number"] for each in found] == ["1", "2", "3"]
    async with open_runtime(database_url, clock) as runtime:
        last = (await audit_rows(runtime))[-1]
    assert (last["subject"], last["action"], last["request_id"]) == (
        "operator",
        "exportAuditLog",
        "user-tags audit-log",
    )
    chosen = ("--since", found[1]["at"], "--until", found[2]["at"], "--action", "renameTag", "--outcome", "DONE")
    assert await run("audit-log", "--robot", channel.robot_id, *chosen, "--subject", "ada", "--format", "ocsf") == 0
    (line,) = capfdbinary.readouterr().out.splitlines()
    assert (json.loads(line)["class_uid"], json.loads(line)["metadata"]["sequence"]) == (3004, 2)


async def test_what_is_due_is_sealed_first(
    channel: Channel, capfdbinary: pytest.CaptureFixture[bytes], clock: FrozenClock, database_url: str
) -> None:
    async with open_runtime(database_url, clock) as runtime:
        await write_entries(runtime, channel, subject="late")
    assert await run("audit-log", "--robot", channel.robot_id, "--subject", "late") == 0
    assert json.loads(capfdbinary.readouterr().out)["number"] == "4"


async def test_it_says_when_there_is_nothing(channel: Channel, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert await run("audit-log", "--robot", "nobody") == 1
    assert await run("audit-log", "--robot", channel.robot_id, "--target", "nothing") == 1
    assert capfdbinary.readouterr().out == b""


async def test_a_filter_that_no_entry_can_pass_is_refused(channel: Channel) -> None:
    with pytest.raises(SystemExit, match="user-tags: "):
        await run("audit-log", "--robot", channel.robot_id, "--subject", "x" * 257)


async def test_verify_checks_the_log_of_each_robot(
    channel: Channel, capsys: pytest.CaptureFixture[str], clock: FrozenClock, database_url: str
) -> None:
    assert await run("verify") == 0
    said = capsys.readouterr().out
    assert "audit log of robot robot-1: clean; 3 entries, the last is 3 with hash " in said
    async with open_runtime(database_url, clock) as runtime:
        await runtime.pool.execute("update audit_entry set subject = 'mallory' where number = 2")
    assert await run("verify", "--repair") == 1
    assert "audit log of robot robot-1: BROKEN; entry 2 altered\n" in capsys.readouterr().out
    assert await run("verify") == 1, "a log is never repaired"


async def test_verify_says_what_nobody_sealed(
    channel: Channel, capsys: pytest.CaptureFixture[str], clock: FrozenClock, database_url: str
) -> None:
    async with open_runtime(database_url, clock) as runtime:
        await write_entries(runtime, channel, count=2)
    assert await run("verify") == 0
    assert (
        "audit log of robot robot-1: 2 entries have not been sealed for more than 5 minutes" in capsys.readouterr().out
    )
