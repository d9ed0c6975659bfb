"""Close the socket with 4400 and a reason for frames that are not graphql-transport-ws, without a traceback."""

import pytest

from tests.support.robot import Robot
from tests.support.sockets import DEEP_LIST, MALFORMED_FRAMES, VIEWER_PAYLOAD

SUBSCRIBE = {"id": "1", "type": "subscribe", "payload": VIEWER_PAYLOAD}


@pytest.mark.parametrize("frame", MALFORMED_FRAMES.values(), ids=MALFORMED_FRAMES)
async def test_a_malformed_frame_closes_with_4400(
    robot: Robot, frame: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with robot.web.socket(robot.token()) as socket:
        await socket.send(frame)
        code, reason = await socket.wait_for_close()

    assert code == 4400
    assert reason
    assert [record.getMessage() for record in caplog.records if record.exc_info or record.levelname == "ERROR"] == []


@pytest.mark.parametrize("frame", ["null", "5", b"x", DEEP_LIST], ids=["null", "5", "binary", "deep"])
async def test_a_malformed_frame_closes_before_the_init_too(
    robot: Robot, frame: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with robot.web.uninitialised_socket() as socket:
        await socket.send(frame)

        assert (await socket.wait_for_close())[0] == 4400
    assert [record for record in caplog.records if record.exc_info] == []


async def test_unspecified_but_harmless_messages_are_accepted(robot: Robot) -> None:
    payload = {**VIEWER_PAYLOAD, "variables": None, "operationName": None, "extensions": None}
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
