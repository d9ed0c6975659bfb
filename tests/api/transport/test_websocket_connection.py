"""Open a WebSocket connection with a token, refuse it without, and close it when the token expires."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.robot import Robot
from tests.support.sockets import OperationCompleteError

VIEWER = "{ viewer { subject robotId } }"


async def initialised(robot: Robot, payload: Any, **options: Any) -> tuple[int, str] | str:
    """Return who we are after `connection_init` with a payload (... for none), or how the server closed."""
    message = {"type": "connection_init"} | ({} if payload is ... else {"payload": payload})
    async with robot.web.uninitialised_socket(**options) as socket:
        await socket.send(message)
        if (await socket.receive())["type"] != "connection_ack":
            return await socket.wait_for_close()
        viewer = await (await socket.subscribe(VIEWER)).next()
        return str(viewer["viewer"]["robotId"])


@pytest.mark.parametrize(
    "form",
    [
        {"Authorization": "Bearer {}"},
        {"authorization": "Bearer {}"},
        {"AUTHORIZATION": "bearer {}"},
        {"token": "{}"},
        {"Authorization": "Bearer {}", "lang": "zh", "more": {"nested": [1, None]}},
        {"token": "{}", "authorization": None},
    ],
)
async def test_a_token_in_the_payload_opens_the_connection(robot: Robot, form: dict[str, Any]) -> None:
    payload = {name: text.format(robot.token()) if isinstance(text, str) else text for name, text in form.items()}

    assert await initialised(robot, payload) == robot.name


@pytest.mark.parametrize("payload", [..., None, {}, {"lang": "zh"}])
async def test_a_token_in_the_header_opens_the_connection(robot: Robot, payload: Any) -> None:
    headers = {"Authorization": f"Bearer {robot.token()}"}

    assert await initialised(robot, payload, additional_headers=headers) == robot.name


async def test_the_token_of_the_payload_overrides_that_of_the_header(robot: Robot) -> None:
    headers = {"Authorization": f"Bearer {robot.web.token('admin', robot='another')}"}

    assert await initialised(robot, {"token": robot.token()}, additional_headers=headers) == robot.name
    assert await initialised(robot, {"token": "garbage"}, additional_headers=headers) == (4403, "Forbidden")


@pytest.mark.parametrize(
    "payload",
    [
        ...,
        None,
        {},
        {"token": ""},
        {"token": "garbage"},
        {"token": 5},
        {"token": "x" * 10_000},
        {"Authorization": "garbage"},
        {"Authorization": "Bearer"},
        {"Authorization": ""},
        {"Authorization": ["Bearer x"]},
        {"Token": "garbage"},
    ],
    ids=str,
)
async def test_a_connection_without_a_valid_token_is_closed(robot: Robot, payload: Any) -> None:
    assert await initialised(robot, payload) == (4403, "Forbidden")


async def test_an_expired_or_forged_token_closes_the_connection(robot: Robot, caplog: pytest.LogCaptureFixture) -> None:
    expired = robot.web.token("admin", ttl=timedelta(seconds=-1))
    forged = robot.token().rpartition(".")[0] + "." + "A" * 43

    assert await initialised(robot, {"token": expired}) == (4403, "Forbidden")
    assert await initialised(robot, {"Authorization": f"Bearer {forged}"}) == (4403, "Forbidden")
    assert [record for record in caplog.records if record.exc_info] == []


async def test_an_expired_token_closes_its_own_socket_only(robot: Robot) -> None:
    await robot.bind()
    panel = 'subscription { tagEvents(after: "") { kind } }'
    short = robot.web.token("agent", robot=robot.name, ttl=timedelta(seconds=3))
    async with robot.web.socket(short) as ending, robot.web.socket(robot.token()) as staying:
        ended, stayed = await ending.subscribe(panel), await staying.subscribe(panel)
        assert (await ended.next())["tagEvents"]["kind"] == "RESET"
        assert (await stayed.next())["tagEvents"]["kind"] == "RESET"

        assert await ending.wait_for_close() == (4403, "Token expired")
        with pytest.raises(OperationCompleteError):
            await ended.next()
        assert (await (await staying.subscribe(VIEWER)).next())["viewer"]["robotId"] == robot.name


async def test_the_token_of_the_payload_decides_when_the_socket_closes(robot: Robot) -> None:
    header = robot.web.token("agent", robot=robot.name, ttl=timedelta(seconds=-1))
    headers = {"Authorization": f"Bearer {header}"}

    assert await initialised(robot, {"token": robot.token()}, additional_headers=headers) == robot.name


@pytest.mark.parametrize("subprotocols", [["graphql-ws"], ["graphql-transport-ws-2"], None])
async def test_other_subprotocols_are_refused(robot: Robot, subprotocols: Any) -> None:
    headers = {"Authorization": f"Bearer {robot.token()}"}
    async with robot.web.uninitialised_socket(subprotocols=subprotocols, additional_headers=headers) as socket:
        assert (await socket.wait_for_close())[0] == 4406


async def test_graphql_transport_ws_is_picked_among_others(robot: Robot) -> None:
    async with robot.web.uninitialised_socket(subprotocols=["graphql-ws", "graphql-transport-ws"]) as socket:
        assert socket.connection.subprotocol == "graphql-transport-ws"
        assert await socket.initialise({"token": robot.token()})


async def test_a_page_of_another_port_of_this_machine_may_connect(robot: Robot) -> None:
    assert await initialised(robot, {"token": robot.token()}, origin="http://localhost:5173") == robot.name


async def test_a_second_init_closes_the_connection(robot: Robot) -> None:
    async with robot.web.socket(robot.token()) as socket:
        await socket.send({"type": "connection_init", "payload": {"token": robot.token("agent")}})

        assert await socket.wait_for_close() == (4429, "Too many initialisation requests")


async def test_a_subscribe_before_the_init_closes_the_connection(robot: Robot) -> None:
    headers = {"Authorization": f"Bearer {robot.token()}"}
    async with robot.web.uninitialised_socket(additional_headers=headers) as socket:
        await socket.subscribe(VIEWER)

        assert await socket.wait_for_close() == (4401, "Unauthorized")


@pytest.mark.parametrize("payload", [..., None, {}, {"anything": 1}])
async def test_a_ping_is_answered_even_before_the_init(robot: Robot, payload: Any) -> None:
    async with robot.web.uninitialised_socket() as socket:
        await socket.send({"type": "ping"} | ({} if payload is ... else {"payload": payload}))

        assert (await socket.receive())["type"] == "pong"
