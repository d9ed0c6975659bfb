"""Hand back lists of any size as a file with `POST /import/return-data`."""

import csv
import gzip
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from tests.support.robot import Robot, table_digests

TOTALS = """
query($c: ID!) { channel(id: $c) { userCount tags(kind: RETURN) { nodes {
  memberCount ... on ReturnTag { receipts { nodes { id } } }
} } } }
"""


@pytest.fixture
async def channel(robot: Robot) -> str:
    identifier: str = (await robot.bind())["id"]
    return identifier


async def send(
    robot: Robot, channel: str, content: "bytes | AsyncIterator[bytes]", role: str = "integrator", **given: Any
) -> httpx.Response:
    accept, more = given.pop("accept", "*/*"), given.pop("headers", {})
    query = {"channelId": channel, "category": "Level", "label": "Gold", **given}
    headers = {"authorization": f"Bearer {robot.token(role)}", "accept": accept, "content-type": "text/csv"}
    return await robot.web.http.post("/import/return-data", params=query, content=content, headers={**headers, **more})


def people(first: int, last: int) -> bytes:
    return "".join(f"person-{number}\n" for number in range(first, last)).encode()


async def test_a_large_file_is_submitted_in_batches_as_it_arrives(robot: Robot, channel: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"openid\n"
        for first in range(0, 12_000, 500):
            yield people(first, first + 500)
        yield b"not an openid\nperson-1\n"

    answer = (await send(robot, channel, pieces())).json()

    assert (answer["rows"], answer["batches"], answer["replayed"]) == (12_002, 2, 0)
    assert (answer["added"], answer["unchanged"], answer["newUsers"]) == (12_000, 1, 12_000)
    assert [(each["line"], each["openid"]) for each in answer["rejects"]] == [(12_002, "not an openid")]
    (tag,) = (await robot.ask(TOTALS, c=channel))["channel"]["tags"]["nodes"]
    assert tag["memberCount"] == 12_000
    assert [each["id"] for each in tag["receipts"]["nodes"]] == answer["receipts"][::-1]


async def test_a_broken_upload_is_sent_again_with_its_key(robot: Robot, channel: str) -> None:
    whole = people(0, 10_500)
    first = (await send(robot, channel, whole[: len(people(0, 10_000))], idempotencyKey="night")).json()
    again = (await send(robot, channel, whole, idempotencyKey="night")).json()

    assert (again["batches"], again["replayed"]) == (2, 1)
    assert again["receipts"][0] == first["receipts"][0]
    (tag,) = (await robot.ask(TOTALS, c=channel))["channel"]["tags"]["nodes"]
    assert (tag["memberCount"], len(tag["receipts"]["nodes"])) == (10_500, 2)
    other = await send(robot, channel, people(5, 10_005), idempotencyKey="night")
    assert (other.status_code, other.json()["code"]) == (409, "CONFLICT")


async def test_rejects_come_as_a_file_that_can_be_mended_and_sent_again(robot: Robot, channel: str) -> None:
    answer = await send(robot, channel, b"openid,name\noAda,a\no Bob,b\n\n=1+1,c\n", accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.headers["content-type"].startswith("text/csv")
    assert (answer.headers["x-import-added"], answer.headers["x-import-rejected"]) == ("1", "2")
    assert [(row["openid"], row["line"]) for row in rows] == [("o Bob", "3"), ("'=1+1", "5")]
    (tag,) = (await robot.ask(TOTALS, c=channel))["channel"]["tags"]["nodes"]
    assert answer.headers["x-import-lastReceipt"] == tag["receipts"]["nodes"][0]["id"]
    mended = answer.text.replace("o Bob", "oBob").replace("'=1+1", "oEve")
    assert (await send(robot, channel, mended.encode())).json()["added"] == 2


async def test_remove_empty_files_and_openids_of_another_channel(robot: Robot, channel: str) -> None:
    assert (await send(robot, channel, b"")).json()["batches"] == 1
    await send(robot, channel, people(0, 3))
    assert (await send(robot, channel, people(1, 9), mode="REMOVE")).json()["removed"] == 2
    mini = (await robot.bind(2, kind="MINI_PROGRAM"))["id"]
    answer = (await send(robot, channel, people(0, 2), openidsOf=mini)).json()
    assert (answer["unmatched"], answer["rejects"][1]["line"]) == (2, 2)


async def test_what_is_refused_writes_nothing(robot: Robot, channel: str) -> None:
    foreign = (await Robot(robot.web, f"{robot.name}b").bind())["id"]
    before = await table_digests(robot.web)

    async def refused(
        status: int, code: str, content: bytes = b"oAda\n", *, failing: Sequence[str] = (), **given: Any
    ) -> None:
        answer = await send(robot, given.pop("channel", channel), content, **given)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert [each["path"] for each in answer.json()["fields"]] == list(failing)

    await refused(403, "FORBIDDEN", role="agent")
    await refused(404, "NOT_FOUND", channel=foreign)
    await refused(404, "NOT_FOUND", openidsOf=foreign)
    await refused(400, "BAD_USER_INPUT", failing=["label"], label="")
    await refused(400, "BAD_USER_INPUT", failing=["mode"], mode="REPLACE")
    await refused(400, "BAD_USER_INPUT", failing=["mode"], mode="add")
    await refused(400, "BAD_USER_INPUT", failing=["expiresAt"], expiresAt="2030-01-01T00:00:00")
    await refused(400, "BAD_USER_INPUT", failing=["expiresAt"], expiresAt="2020-01-01T00:00:00Z")
    await refused(400, "BAD_USER_INPUT", failing=["expiresAt"], expiresAt="9999-12-31T23:59:59-14:00")
    await refused(400, "BAD_USER_INPUT", failing=["expiresAt"], expiresAt="9999-12-31T23:59:59-14:00")
    await refused(400, "BAD_USER_INPUT", failing=["expiresAt"], expiresAt="0001-01-01T00:00:00+14:00")
    await refused(400, "BAD_USER_INPUT", failing=["idempotencyKey"], idempotencyKey="x" * 101)
    await refused(400, "BAD_USER_INPUT", failing=["pageSize", "mode"], pageSize="x", mode="add")
    await refused(400, "BAD_USER_INPUT", failing=["category"], category=["Level", "Other"])
    await refused(400, "BAD_USER_INPUT", failing=["encoding"], encoding="latin-1")
    await refused(400, "BAD_USER_INPUT", failing=["column"], column="")
    await refused(400, "NO_OPENID_COLUMN", b"name,mobile\nAnn,1\n", failing=["column"])
    await refused(415, "NO_CSV", b"x" * 100_000, failing=["body"])
    await refused(415, "NO_CSV", gzip.compress(b"oAda\n"), failing=["body"])
    await refused(415, "NO_CSV", b"--x\r\nContent-Disposition: form-data\r\n\r\noAda\r\n--x--", failing=["body"])
    await refused(415, "NO_CSV", failing=["body"], headers={"content-type": "Multipart/form-data; boundary=x"})
    await refused(415, "NO_CSV", failing=["body"], headers={"content-type": "application/json"})
    await refused(415, "NO_CSV", failing=["body"], headers={"content-encoding": "gzip"})
    await refused(409, "NAME_TAKEN", failing=["label"], category="Opening", label="Opened")
    anonymous = await robot.web.http.post("/import/return-data", content=b"oAda\n")
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "UNAUTHENTICATED")
    assert await table_digests(robot.web) == before


async def test_a_stray_carriage_return_ends_a_line_and_not_the_import(robot: Robot, channel: str) -> None:
    content = people(0, 11_000).replace(b"person-10500\n", b"person\r-10500\r\n") + b"a\x00b\n"
    answer = (await send(robot, channel, content)).json()

    assert (answer["batches"], answer["added"]) == (2, 11_001)
    assert [(each["line"], each["openid"]) for each in answer["rejects"]] == [(11_002, "a\x00b")]


@pytest.mark.parametrize(
    ("content", "given"),
    [
        ("\r\nsep=;\r\n昵称;Open_ID\r\n张三;oAda\r\n".encode("utf-16"), {}),
        ("昵称,用户\n张三,oAda\n".encode("gb18030"), {"encoding": "GB18030", "column": "用户"}),
        ("昵称,openid\n张三,oAda\n".encode("gb18030"), {"headers": {"content-type": 'Text/CSV; Charset="gbk"'}}),
    ],
)
async def test_what_spreadsheets_save_is_read(
    robot: Robot, channel: str, content: bytes, given: dict[str, Any]
) -> None:
    answer = (await send(robot, channel, content, **given)).json()
    assert (answer["rows"], answer["added"], answer["rejected"]) == (1, 1, 0)
    assert await robot.tags(channel, "oAda") == {"Gold"}


async def test_the_columns_are_told_where_none_is_that_of_the_openids(robot: Robot, channel: str) -> None:
    answer = (await send(robot, channel, "昵称,手机\n张三,1\n".encode())).json()
    assert answer["columns"] == ["昵称", "手机"]
    assert answer["summary"]["batches"] == 0


async def test_a_long_cell_is_shown_by_its_beginning(robot: Robot, channel: str) -> None:
    answer = (await send(robot, channel, b"oAda\n" + b"x" * 60_000 + b"\n")).json()
    assert [each["openid"] for each in answer["rejects"]] == ["x" * 200]
