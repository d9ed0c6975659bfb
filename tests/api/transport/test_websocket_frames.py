"""Frames that are not graphql-transport-ws: closed with 4400 and a reason, and no traceback in the log."""

import json
from typing import Any

import pytest

from tests.support.robot import Robot

SUBSCRIBE = {"id": "1", "type": "subscribe", "payload": {"query": "{ viewer { id } }"}}
PAYLOAD: dict[str, Any] = {"query": "{ viewer { id } }"}
DEEP = "[" * 5_000 + "]" * 5_000


def subscribe(**changes: Any) -> str:
    return json.dumps({**SUBSCRIBE, **changes})


FRAMES: dict[str, str | bytes] = {
    "null": "null",
    "list": "[]",
    "number": "5",
    "string": '"x"',
    "true": "true",
    "empty object": "{}",
    "empty": "",
    "not JSON": "{",
    "NaN": "NaN",
    "lone surrogate": r'{"type": "\ud800"}',
    "deep list": DEEP,
    "deep object": '{"a":' * 5_000 + "1" + "}" * 5_000,
    "deep payload": '{"type": "ping", "payload": ' + DEEP + "}",
    "deep variables": '{"id": "1", "type": "subscribe", "payload": {"query": "", "variables": {"a": ' + DEEP + "}}}",
    "binary": b'{"type": "ping"}',
    "binary garbage": b"\xff\x00",
    "type is null": '{"type": null}',
    "type is a number": '{"type": 1}',
    "type is a list": '{"type": []}',
    "unknown type": '{"type": "start"}',
    "server's type": '{"type": "connection_ack"}',
    "ping payload": '{"type": "ping", "payload": 1}',
    "pong payload": '{"type": "pong", "payload": "x"}',
    "init payload": '{"type": "connection_init", "payload": []}',
    "no id": json.dumps({"type": "subscribe", "payload": PAYLOAD}),
    "integer id": subscribe(id=1),
    "empty id": subscribe(id=""),
    "null id": subscribe(id=None),
    "list id": subscribe(id=["1"]),
    "no payload": json.dumps({"id": "1", "type": "subscribe"}),
    "null payload": subscribe(payload=None),
    "list payload": subscribe(payload=[]),
    "no query": subscribe(payload={}),
    "null query": subscribe(payload={"query": None}),
    "list query": subscribe(payload={"query": []}),
    "list variables": subscribe(payload={**PAYLOAD, "variables": []}),
    "string variables": subscribe(payload={**PAYLOAD, "variables": "x"}),
    "number operationName": subscribe(payload={**PAYLOAD, "operationName": 1}),
    "list extensions": subscribe(payload={**PAYLOAD, "extensions": []}),
    "complete without id": '{"type": "complete"}',
    "complete with integer id": '{"type": "complete", "id": 1}',
    "complete with list id": '{"type": "complete", "id": []}',
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
async def test_a_malformed_frame_closes_with_4400(
    robot: Robot, frame: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with robot.web.socket(robot.token()) as socket:
        await socket.send(frame)
        code, reason = await socket.wait_for_close()

    assert code == 4400
    assert reason
    assert [record.getMessage() for record in caplog.records if record.exc_info or record.levelname == "ERROR"] == []


@pytest.mark.parametrize("frame", ["null", "5", b"x", DEEP], ids=["null", "5", "binary", "deep"])
async def test_a_malformed_frame_closes_before_the_init_too(
    robot: Robot, frame: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with robot.web.uninitialised_socket() as socket:
        await socket.send(frame)

        assert (await socket.wait_for_close())[0] == 4400
    assert [record for record in caplog.records if record.exc_info] == []


async def test_what_the_protocol_leaves_open_is_accepted(robot: Robot) -> None:
    payload = {**PAYLOAD, "variables": None, "operationName": None, "extensions": None}
    async with robot.web.socket(robot.token()) as socket:
        await socket.send({"type": "pong", "payload": None})
        await socket.send({"type": "complete", "id": "nobody"})
        await socket.send({"id": "mine", "type": "subscribe", "payload": payload, "more": 1})

        assert (await socket.receive())["type"] == "next"
        assert await socket.receive() == {"id": "mine", "type": "complete"}


async def test_an_id_in_use_closes_with_4409_and_is_free_again_afterwards(robot: Robot) -> None:
    panel = {"query": "subscription { tagEvents { kind } }"}
    async with robot.web.socket(robot.token()) as socket:
        await socket.send({**SUBSCRIBE, "payload": panel})
        await socket.send({"type": "complete", "id": "1"})
        await socket.send(SUBSCRIBE)
        assert (await socket.receive())["type"] == "next"
        assert (await socket.receive())["type"] == "complete"
        await socket.send({**SUBSCRIBE, "payload": panel})
        await socket.send({**SUBSCRIBE, "payload": panel})

        assert await socket.wait_for_close() == (4409, "Subscriber for 1 already exists")
