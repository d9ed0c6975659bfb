"""Hide unforeseen errors: the client gets a request id, the log gets the traceback."""

import asyncio
import logging
from urllib.parse import urlsplit

import asyncpg
import pytest

from service.auth.tokens import TokenVerifier
from service.entities.principal import Principal
from tests.support.robot import Robot, event_input
from tests.support.sockets import OperationError
from tests.support.web import web_process

TAGS = "query($id: ID!) { channel(id: $id) { id tags { nodes { name memberCount } } } }"


async def break_it(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("alter table tag_member_count rename to hidden_secret_table")
    finally:
        await connection.close()


def logged(caplog: pytest.LogCaptureFixture, request_id: str) -> str:
    """Return the traceback logged under a request id."""
    [record] = [record for record in caplog.records if request_id in record.getMessage()]
    assert record.levelno == logging.ERROR
    assert record.exc_info
    assert record.exc_info[1]
    return str(record.exc_info[1])


async def test_an_unforeseen_error_is_internal(
    database_url: str, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with web_process(database_url, redis_url) as web:
        robot = Robot(web)
        channel = (await robot.bind())["id"]
        await break_it(database_url)
        answer = await robot.ask(TAGS, id=channel)
        other = await robot.ask(TAGS, id=channel)
        still_well = await robot.ask("{ channels { id } }")

    assert set(answer.codes) == {"INTERNAL"}
    assert {error["message"] for error in answer.errors} == {"Something went wrong on our side."}
    extensions = answer.errors[0]["extensions"]
    assert set(extensions) == {"code", "requestId"}
    assert extensions["requestId"] != other.errors[0]["extensions"]["requestId"]
    for leak in ("tag_member_count", "hidden_secret_table", "Traceback", "asyncpg", "relation", ".py", "select"):
        assert leak not in str(answer.body)
    records = [record for record in caplog.records if extensions["requestId"] in record.getMessage()]
    assert records
    assert all(record.exc_info and "tag_member_count" in str(record.exc_info[1]) for record in records)
    assert still_well["channels"] == [{"id": channel}]


async def test_the_request_id_is_in_a_header_too(robot: Robot) -> None:
    first, second = [await robot.web.http.post("/graphql", json={"query": "{ __typename }"}) for _ in range(2)]

    assert len(first.headers["x-request-id"]) == 32
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_an_unforeseen_error_of_a_mutation_is_internal_and_changes_nothing(
    database_url: str, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with web_process(database_url, redis_url) as web:
        robot = Robot(web)
        channel = (await robot.bind())["id"]
        await break_it(database_url)
        record = "mutation($input: RecordEventsInput!) { recordEvents(input: $input) { accepted } }"
        answer = await robot.ask(record, input={"channelId": channel, "events": [event_input("ada", "FOLLOW")]})
        person = await robot.ask('query($c: ID!) { user(channelId: $c, openid: "ada") { following } }', c=channel)

    assert (answer.code, answer.data) == ("INTERNAL", {"recordEvents": None})
    assert "tag_member_count" in logged(caplog, answer.error["extensions"]["requestId"])
    assert person["user"] in (None, {"following": False})


async def test_an_unforeseen_error_of_a_subscription_is_internal(
    database_url: str, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with web_process(database_url, redis_url) as web:
        robot = Robot(web)
        await robot.bind()
        await break_it(database_url)
        async with web.socket(robot.token()) as socket:
            broken = await socket.subscribe('subscription { tagEvents(after: "") { cursor } }')
            with pytest.raises(OperationError) as caught:
                await broken.next()
            sibling = await socket.subscribe("{ viewer { robotId } }")
            assert await sibling.next() == {"viewer": {"robotId": "r1"}}

    [error] = caught.value.errors
    assert (error["message"], set(error["extensions"])) == ("Something went wrong on our side.", {"code", "requestId"})
    assert "tag_member_count" in logged(caplog, error["extensions"]["requestId"])


async def test_an_unforeseen_error_while_a_socket_is_opened_closes_it(
    robot: Robot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(self: TokenVerifier, token: str) -> Principal:
        raise LookupError("hidden secret")

    token = robot.token()
    async with robot.web.uninitialised_socket() as socket, robot.web.socket(token) as sibling:
        monkeypatch.setattr(TokenVerifier, "verify", breaks)
        await socket.send({"type": "connection_init", "payload": {"token": token}})
        assert await socket.wait_for_close() == (4500, "Something went wrong on our side.")
        assert (await (await sibling.subscribe("{ viewer { robotId } }")).next())["viewer"]
    [record] = [record for record in caplog.records if record.exc_info]
    assert "hidden secret" in str(record.exc_info and record.exc_info[1])


async def test_a_client_that_hangs_up_in_the_middle_of_a_body_is_no_error(
    robot: Robot, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(robot.web.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"POST /graphql HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {robot.token()}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await robot.ask("{ viewer { robotId } }"))["viewer"]
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
