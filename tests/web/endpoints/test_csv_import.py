"""Hand back lists of any size as a file with `POST /import/return-data`."""

import csv
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
    accept = given.pop("accept", "*/*")
    query = {"channelId": channel, "category": "Level", "label": "Gold", **given}
    headers = {"authorization": f"Bearer {robot.token(role)}", "accept": accept, "content-type": "text/csv"}
    return await robot.web.http.post("/import/return-data", params=query, content=content, headers=headers)


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
    await refused(400, "BAD_USER_INPUT", failing=["expiresAt"], expiresAt="0001-01-01T00:00:00+14:00")
    await refused(400, "BAD_USER_INPUT", failing=["idempotencyKey"], idempotencyKey="x" * 101)
    await refused(400, "BAD_USER_INPUT", failing=["body"], content=b"x" * 100_000)
    await refused(409, "NAME_TAKEN", failing=["label"], category="Opening", label="Opened")
    anonymous = await robot.web.http.post("/import/return-data", content=b"oAda\n")
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "UNAUTHENTICATED")
    assert await table_digests(robot.web) == before
