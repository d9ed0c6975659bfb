"""Ping silent connections with one timer for all of them, and drop those that do not answer."""

import asyncio
from datetime import timedelta

import pytest

from service.web.protocols import websocket
from tests.support.web import web_process

UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
INIT = b'{"type":"connection_init","payload":{"token":"%s"}}'
PING, PONG, CLOSE = b"\x89\x00", b"\x8a\x80" + bytes(4), b"\x88"
KEEPALIVE = 1011


@pytest.mark.parametrize(("every", "within"), [(0.4, 0.4), (1.6, 0.4)])
async def test_a_connection_that_answers_stays_and_another_is_dropped(
    database_url: str, redis_url: str, every: float, within: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share of all connections is pinged at each tick: all at once, or a quarter."""
    monkeypatch.setattr(websocket, "TICK", timedelta(seconds=0.4))
    pings = {"ping_every": timedelta(seconds=every), "pong_within": timedelta(seconds=within)}
    async with web_process(database_url, redis_url, **pings) as web, asyncio.timeout(20):
        init = INIT % web.token("agent").encode()
        frame = b"\x81" + bytes([0xFE]) + len(init).to_bytes(2, "big") + bytes(4) + init
        host, port = web.url.removeprefix("http://").split(":")
        connections = [await asyncio.open_connection(host, int(port)) for _ in range(2)]
        for reader, writer in connections:
            writer.write(UPGRADE)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(frame)
            await reader.readuntil(b'"connection_ack"}')
        (alive, answers), (awaiting_pong, closing) = connections
        for reader in (awaiting_pong, alive):
            assert await reader.readexactly(2) == PING
        answers.write(PONG)
        async with asyncio.timeout(3):
            ending = await awaiting_pong.read()
        assert ending[:1] == CLOSE, "nothing between the ping and the end"
        assert int.from_bytes(ending[2:4], "big") == KEEPALIVE
        assert ending[4:] == b"keepalive ping timeout"
        assert await alive.readexactly(2) == PING
        for writer in (answers, closing):
            writer.close()
