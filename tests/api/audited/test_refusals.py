"""Put on record who is not allowed to do something, and what failed; queries and data are not recorded."""

from typing import Any

import asyncpg
import pytest

from service.domain.audit import refusals
from service.entities.ids import parse_channel_gid, tag_gid
from tests.support.audit import audit_rows_at
from tests.support.robot import RECORD, Robot
from tests.support.sockets import OperationError
from tests.support.waiting import wait_until
from tests.support.web import web_process

DELETE = "mutation($id: ID!) { deleteTag(id: $id) { deletedId } }"
RESET = "mutation($id: ID!) { resetChannelAddresses(channelId: $id) { channel { id } } }"
POLICY = """
mutation($id: ID!) { setBroadcastPolicy(input: {channelId: $id, approvalAbove: 5}) { channel { id } } }
"""
JOB = "query($id: ID!) { job(id: $id) { id } }"
IMPORT = "mutation($id: ID!) { importRemoteTags(channelId: $id, remoteTagIds: [100]) { job { id } } }"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write refusals as soon as they are counted."""
    monkeypatch.setattr(refusals, "WRITE_EVERY", 0.01)


@pytest.fixture
async def channel(robot: Robot) -> str:
    return str((await robot.bind())["id"])


async def refused(robot: Robot, count: int) -> list[dict[str, Any]]:
    """Return the refusals of a robot once there are as many."""

    async def found() -> list[dict[str, Any]] | None:
        rows = await audit_rows_at(robot.web.settings.database_url or "", robot.name)
        those = [each for each in rows if each["outcome"] != "DONE"]
        return those if sum(each["count"] for each in those) >= count else None

    return await wait_until(found)


async def test_a_role_that_may_not_is_denied_and_counted(robot: Robot, channel: str) -> None:
    for _ in range(3):
        assert (await robot.ask(RESET, "agent", id=channel)).code == "FORBIDDEN"
    entries = await refused(robot, 3)
    assert sum(each["count"] for each in entries) == 3
    assert {(each["action"], each["role"], each["subject"], each["error_code"]) for each in entries} == {
        ("resetChannelAddresses", "agent", "somebody", "FORBIDDEN")
    }
    assert all(each["request_id"] and each["client_address"] == "127.0.0.1" for each in entries)


async def test_a_denial_that_the_act_itself_decides_is_recorded_too(robot: Robot, channel: str) -> None:
    assert (await robot.ask(POLICY, "admin", id=channel)).code == "FORBIDDEN"
    [entry] = await refused(robot, 1)
    assert (entry["action"], entry["outcome"]) == ("setBroadcastPolicy", "DENIED")


async def test_what_failed_is_recorded_without_saying_more(
    database_url: str, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with web_process(database_url, redis_url) as web:
        robot = Robot(web)
        channel = (await robot.bind())["id"]
        conn = await asyncpg.connect(database_url)
        await conn.execute("alter table tag rename to away")
        await conn.close()
        assert (await robot.ask(DELETE, id=tag_gid(parse_channel_gid(channel), 1))).code == "INTERNAL"
        [entry] = await refused(robot, 1)
    assert (entry["action"], entry["outcome"], entry["error_code"]) == ("deleteTag", "FAILED", "INTERNAL")
    assert 'relation "tag"' in caplog.text
    assert "relation" not in str(entry)


async def test_what_wechat_could_not_be_asked_for_is_recorded(robot: Robot) -> None:
    channel = (await robot.bind(appSecret="c0ffee11" * 4))["id"]
    assert (await robot.ask(IMPORT, id=channel)).code == "UPSTREAM"
    [entry] = await refused(robot, 1)
    assert (entry["action"], entry["outcome"], entry["error_code"]) == ("importRemoteTags", "FAILED", "UPSTREAM")


async def test_data_queries_and_wrong_inputs_are_not_recorded(robot: Robot, channel: str) -> None:
    events = {"channelId": channel, "events": []}
    assert (await robot.ask(RECORD, "agent", input=events)).code == "FORBIDDEN"
    assert (await robot.ask(JOB, "agent", id=channel)).code == "FORBIDDEN"
    assert (await robot.ask(DELETE, id="nothing")).code == "NOT_FOUND"
    assert (await robot.ask(RESET, None, id=channel)).code == "UNAUTHENTICATED"
    await robot.ask(RESET, "agent", id=channel)
    assert [each["action"] for each in await refused(robot, 1)] == ["resetChannelAddresses"]


async def test_mutations_over_a_websocket_are_recorded_likewise(robot: Robot, channel: str) -> None:
    async with robot.web.socket(robot.token("agent")) as socket:
        subscription = await socket.subscribe(RESET, id=channel)
        with pytest.raises(OperationError):
            await subscription.next()
    async with robot.web.socket(robot.token("admin")) as socket:
        await (await socket.subscribe(RESET, id=channel)).next()
    [denied] = await refused(robot, 1)
    rows = await audit_rows_at(robot.web.settings.database_url or "", robot.name)
    [done] = [each for each in rows if (each["action"], each["outcome"]) == ("resetChannelAddresses", "DONE")]
    assert denied["client_address"] == done["client_address"] == "127.0.0.1"
    assert denied["request_id"]
    assert done["request_id"]
    assert denied["request_id"] != done["request_id"]


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        ((), "203.0.113.9", "127.0.0.1"),
        (("127.0.0.0/8",), "203.0.113.9", "203.0.113.9"),
        (("127.0.0.0/8",), "10.9.9.9, 203.0.113.9", "203.0.113.9"),
        (("127.0.0.0/8",), "::ffff:203.0.113.9", "203.0.113.9"),
        (("127.0.0.0/8",), "who knows", None),
    ],
)
async def test_only_what_a_trusted_proxy_says_of_an_address_is_recorded(
    database_url: str, redis_url: str, trusted: tuple[str, ...], forwarded: str, address: str | None
) -> None:
    async with web_process(database_url, redis_url, trusted_proxies=trusted) as web:
        robot = Robot(web)
        channel = (await robot.bind())["id"]
        headers = {"Authorization": f"Bearer {robot.token()}", "X-Forwarded-For": forwarded}
        body = {"query": RESET, "variables": {"id": channel}}
        assert "errors" not in (await web.http.post("/graphql", json=body, headers=headers)).json()
    entry = (await audit_rows_at(database_url, robot.name))[-1]
    assert (entry["action"], entry["client_address"]) == ("resetChannelAddresses", address)


async def test_what_was_counted_is_written_when_the_process_ends(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "WRITE_EVERY", 3600)
    async with web_process(database_url, redis_url) as web:
        robot = Robot(web)
        await robot.ask(RESET, "agent", id=(await robot.bind())["id"])
    assert [each["outcome"] for each in await audit_rows_at(database_url, robot.name)] == ["DONE", "DENIED"]
