"""Drop a reader that stops reading, though it answers pings, at no cost to others."""

import json
import socket
import sys
from pathlib import Path

import httpx
import psutil
import pytest
from graphql import get_introspection_query
from websockets.asyncio.client import connect

from service.auth.tokens import sign_token
from service.entities.principal import Role
from service.foundation.settings import Settings
from tests.support.processes import JWT_SECRET, environment, web
from tests.support.waiting import wait_until

# Far more than the buffers of both sides hold.
ANSWERS = 40
# As many requests as may wait for an answer on one connection.
PIPELINED_ANSWERS = 16


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_USER_TIMEOUT is Linux's")
async def test_a_reader_that_stops_is_dropped(database_url: str, redis_url: str, tmp_path: Path) -> None:
    token = token_of_reader()
    patient = environment(database_url, redis_url, READER_PATIENCE="1s")
    async with web(patient, tmp_path / "web.log") as url:
        port = int(url.rpartition(":")[2])
        with socket.socket() as narrow:
            narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            narrow.connect(("127.0.0.1", port))
            ours = narrow.getsockname()[1]
            assert is_connected(port, ours)
            stalled = await connect(
                url.replace("http", "ws") + "/graphql",
                sock=narrow,
                subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
                max_queue=1,
                ping_interval=None,
                proxy=None,
                compression=None,
            )
            await stalled.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
            assert json.loads(await stalled.recv()) == {"type": "connection_ack"}
            for number in range(ANSWERS):
                payload = {"query": get_introspection_query()}
                await stalled.send(json.dumps({"type": "subscribe", "id": str(number), "payload": payload}))
            await wait_until(lambda: not is_connected(port, ours))
            stalled.transport.abort()
        async with httpx.AsyncClient(trust_env=False, timeout=30) as others:
            assert (await others.get(f"{url}/healthz")).status_code == httpx.codes.OK


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_USER_TIMEOUT is Linux's")
@pytest.mark.parametrize("path", ["/graphql", "/graphql/stream"])
async def test_a_reader_of_answers_that_stops_is_dropped(
    database_url: str, redis_url: str, tmp_path: Path, path: str
) -> None:
    body = json.dumps({"query": get_introspection_query()})
    accept = "text/event-stream" if path.endswith("stream") else "application/json"
    request = (
        f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nAccept: {accept}\r\n"
        f"Authorization: Bearer {token_of_reader()}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    patient = environment(database_url, redis_url, READER_PATIENCE="1s")
    async with web(patient, tmp_path / "web.log") as url:
        port = int(url.rpartition(":")[2])
        with socket.socket() as narrow:
            narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            narrow.connect(("127.0.0.1", port))
            ours = narrow.getsockname()[1]
            narrow.setblocking(False)
            unsent = memoryview((request * PIPELINED_ANSWERS).encode())
            sent = narrow.send(unsent)
            assert sent >= len(request)
            assert is_connected(port, ours)
            await wait_until(lambda: not is_connected(port, ours))


def token_of_reader() -> str:
    """Return the token of somebody who may ask, and then does not read the answers."""
    settings = Settings(jwt_secret=JWT_SECRET)
    return sign_token(settings, robot="r1", role=Role.ADMIN, subject="stalled", ttl=settings.change_log_retention)


def is_connected(port: int, peer: int) -> bool:
    """Return whether the server's side of a connection is there."""
    return any(
        connection.laddr.port == port and connection.raddr and connection.raddr.port == peer
        for connection in psutil.net_connections("tcp")
        if connection.laddr
    )
