"""Run the commands of `user-tags` that need a database."""

import asyncio
import socket
from pathlib import Path

import pytest

from service.cli.commands import main
from service.domain.events.recorder import record_events
from service.entities.ids import channel_gid
from service.entities.users import EventKind, UserEvent
from service.foundation.clock import system_clock
from tests.support.audit import audit_rows_at
from tests.support.clock import FrozenClock
from tests.support.processes import reset_environment
from tests.support.runtime import bind, open_runtime
from tests.unit.foundation.test_production_settings import PRODUCTION

SECRET = "a secret of the tests that is long enough"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reset_environment(monkeypatch, JWT_SECRET=SECRET, SECRETS_KEY=SECRET, DATA_DIR=str(tmp_path))


def test_a_second_demo_that_cannot_start_leaves_the_first_one_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "demo.json"
    file.write_text("{}", encoding="utf-8")
    monkeypatch.setenv("USER_TAGS_DEMO_FILE", str(file))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert main(["up", "--demo", "--port", str(other.getsockname()[1])]) == 1
    assert "cannot be used" in capsys.readouterr().err
    assert file.exists()


def test_production_refuses_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="production refuses it"):
        main(["up", "--demo"])


def test_migrate_says_what_it_did(
    servers: object, database_url: str, redis_url: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out == "the database is up to date\n"


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


async def test_import_csv_takes_the_encoding_and_the_column_and_never_overwrites_its_file(
    database_url: str, redis_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path, clock: FrozenClock,
) -> None:  # fmt: skip
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    async with open_runtime(database_url, clock) as runtime:
        channel = channel_gid((await bind(runtime)).channel_id)
    file = tmp_path / "people.csv"
    file.write_bytes("昵称;用户\r张三;oAda\r".encode("gb18030"))
    command = ["import-csv", str(file), "--category", "Level", "--label", "Gold", "--channel", channel]

    with pytest.raises(SystemExit, match="column of the openids"):
        await asyncio.to_thread(main, [*command, "--encoding", "gb18030"])
    given = [*command, "--encoding", "gb18030", "--column", "用户"]
    with pytest.raises(SystemExit, match="file of their own"):
        await asyncio.to_thread(main, [*given, "--rejects", str(file)])
    assert await asyncio.to_thread(main, given) == 0
    assert "1 rows in 1 batches (0 written before); 1 added" in capsys.readouterr().out


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
    assert capsys.readouterr().out == "forgotten\nthis openid is unknown\n"
    entries = [each for each in asyncio.run(audit_rows_at(database_url, "robot-1")) if each["action"] == "forgetUser"]
    assert [each["after"]["forgotten"] for each in entries] == [True, False]
    assert {(each["subject"], each["request_id"]) for each in entries} == {("operator", "user-tags forget")}
    assert "'ann'" not in str(entries)
    with pytest.raises(SystemExit, match="no such channel"):
        main(["forget", "--channel", "nothing", "--openid", "ann"])


def test_a_repair_is_on_record(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)

    async def somebody_is_counted_twice() -> None:
        async with open_runtime(database_url, system_clock) as runtime:
            channel = await bind(runtime)
            await record_events(runtime, channel, [UserEvent("ann", EventKind.FOLLOW, runtime.clock())])
            await runtime.pool.execute("update tag_member_count set members = members + 1")

    asyncio.run(somebody_is_counted_twice())
    assert main(["verify"]) == main(["verify", "--repair"]) == 1
    assert main(["verify", "--repair"]) == 0
    [entry] = [each for each in asyncio.run(audit_rows_at(database_url, "robot-1")) if each["action"] == "repair"]
    assert (entry["subject"], entry["after"]) == ("operator", {"wrongCounts": 4})


def test_acting_says_who_acts_and_lets_another_installation_act(
    database_url: str, redis_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)

    def acting(public_url: str, *arguments: str) -> tuple[int, str]:
        monkeypatch.setenv("USER_TAGS_PUBLIC_URL", public_url)
        return main(["acting", *arguments]), capsys.readouterr().out.strip()

    assert acting("https://a.example") == (0, "on: nobody has acted by this database so far")
    assert acting("https://a.example", "--confirm") == (0, "on: this database is that of https://a.example")
    code, said = acting("https://b.example")
    assert (code, said.partition(";")[0]) == (
        1,
        "off: this database is that of https://a.example, and USER_TAGS_PUBLIC_URL is https://b.example",
    )
    assert "user-tags acting --confirm" in said
    assert acting("https://b.example", "--confirm") == (0, "on: this database is that of https://b.example")
    assert acting("https://a.example")[0] == 1
    monkeypatch.setenv("USER_TAGS_ACTING", "off")
    assert acting("https://a.example") == (
        0,
        "off: USER_TAGS_ACTING is off (this database is that of https://b.example)",
    )
