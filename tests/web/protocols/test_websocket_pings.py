"""Ping silent connections with one timer for all of them, and drop those that do not answer."""

import asyncio
from datetime import timedelta

import pytest

from service.web.protocols import websocket
from service.web.protocols.websocket import Heartbeat, PushProtocol
from tests.support.waiting import PATIENCE, wait_until
from tests.support.web import WebClient, web_process

UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
INIT = b'{"type":"connection_init","payload":{"token":"%s"}}'
PING, PONG, CLOSE = b"\x89\x00", b"\x8a\x80" + bytes(4), b"\x88"
KEEPALIVE = 1011
Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Hearts:
    """Hold the timer of the only web process, and let it go off when the test says so."""

    def __init__(self) -> None:
        self.heartbeat: Heartbeat | None = None

    def beat(self, times: int = 1) -> None:
        assert self.heartbeat is not None
        for _ in range(times):
            assert self.heartbeat._timer is not None
            self.heartbeat._timer.cancel()
            self.heartbeat._tick()

    @property
    def unanswered(self) -> int:
        """Return how many connections have not answered their ping yet."""
        assert self.heartbeat is not None
        return sum(each.awaiting_pong for slot in self.heartbeat._slots for each in slot)


@pytest.fixture
def hearts(monkeypatch: pytest.MonkeyPatch) -> Hearts:
    found, add_as_ever = Hearts(), Heartbeat.add

    def noting(self: Heartbeat, connection: PushProtocol) -> None:
        found.heartbeat = self
        add_as_ever(self, connection)

    monkeypatch.setattr(Heartbeat, "add", noting)
    return found


async def connected(web: WebClient) -> Wire:
    """Open a connection that is initialised and answers no ping by itself."""
    init = INIT % web.token("agent").encode()
    frame = b"\x81" + bytes([0xFE]) + len(init).to_bytes(2, "big") + bytes(4) + init
    host, port = web.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(UPGRADE)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(frame)
    await reader.readuntil(b'"connection_ack"}')
    return reader, writer


@pytest.mark.parametrize("shares", [1, 4])
async def test_a_connection_that_answers_stays_and_another_is_dropped(
    database_url: str, redis_url: str, shares: int, hearts: Hearts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share of all connections is pinged at each tick: all at once, or a quarter."""
    tick = timedelta(hours=1)
    monkeypatch.setattr(websocket, "TICK", tick)
    pings = {"ping_every": shares * tick, "pong_within": tick}
    async with web_process(database_url, redis_url, **pings) as web, asyncio.timeout(PATIENCE):
        (alive, answers), (awaiting_pong, closing) = [await connected(web) for _ in range(2)]
        hearts.beat(shares - 1)
        assert hearts.unanswered == 0
        hearts.beat()
        for reader in (awaiting_pong, alive):
            assert await reader.readexactly(2) == PING
        answers.write(PONG)
        await wait_until(lambda: hearts.unanswered == 1)
        hearts.beat()
        ending = await awaiting_pong.read()
        assert ending[:1] == CLOSE, "nothing between the ping and the end"
        assert int.from_bytes(ending[2:4], "big") == KEEPALIVE
        assert ending[4:] == b"keepalive ping timeout"
        hearts.beat(shares - 1)
        assert await alive.readexactly(2) == PING
        for writer in (answers, closing):
            writer.close()


async def test_a_ping_comes_by_itself(database_url: str, redis_url: str) -> None:
    soon = timedelta(milliseconds=100)
    async with web_process(database_url, redis_url, ping_every=soon) as web, asyncio.timeout(PATIENCE):
        reader, writer = await connected(web)
        assert await reader.readexactly(2) == PING
        writer.close()
