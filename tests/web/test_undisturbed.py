"""Send the worst requests to a running service: none holds its event loop for more than 50 ms."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from graphql import get_introspection_query
from websockets.exceptions import ConnectionClosed

from service.auth.tokens import sign_token
from service.dev.stack.servers import EmbeddedServers
from service.entities.principal import Role
from service.foundation.settings import Settings
from tests.support.processes import JWT_SECRET, environment, web
from tests.support.servers import database_from
from tests.support.sockets import UPGRADE, open_socket
from tests.support.stalls import assert_undisturbed
from tests.support.web import DEFAULT_TTL

BIND = """mutation ($input: BindChannelInput!) { bindChannel(input: $input) { channel { id } } }"""
EVENTS = "mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { accepted rejected { index } } }"
OPENIDS = "mutation ($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { added } } }"
PAIRS = "mutation ($input: LinkIdentitiesInput!) { linkIdentities(input: $input) { linked } }"
AUDIENCE = "query ($c: ID!, $e: TagExpressionInput!) { audience(channelId: $c, expression: $e) { matched } }"
EMPTY_PING = b"\x89\x80\0\0\0\0"
LARGE_EXPRESSION = {"all": [{"tag": "x"}] * 200_000}


@dataclass
class Target:
    """Hold a running service, the id of a channel in it, and how to speak to it."""

    url: str
    channel: str = ""

    def headers(self, subject: str = "somebody") -> dict[str, str]:
        token = sign_token(
            Settings(jwt_secret=JWT_SECRET), robot="r1", role=Role.ADMIN, subject=subject, ttl=DEFAULT_TTL
        )
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    async def post(self, content: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=60) as http:
            return await http.post("/graphql", content=content, headers=headers or {"Content-Type": "application/json"})

    async def run(self, query: str, subject: str = "somebody", **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        return (await self.post(body, self.headers(subject))).json()

    async def send_raw(self, content: bytes, then: bytes = b"") -> bytes:
        """Send bytes over a connection of their own, some after an answer; return what comes until it ends."""
        where = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        try:
            writer.write(content)
            if then:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(then)
            with suppress(ConnectionError, TimeoutError):
                await writer.drain()
                return await asyncio.wait_for(reader.read(), 2)
        finally:
            writer.close()
        return b""


@asynccontextmanager
async def running_target(database_url: str, redis_url: str, log: Path) -> AsyncIterator[Target]:
    """Run a web process of its own with a bound channel; its loop is not that of the tests."""
    limits = {"CPU_BURST": "10m", "REFUSALS_PER_SECOND": "1000"}
    async with web(environment(database_url, redis_url, **limits), log) as url:
        running = Target(url)
        given = {"kind": "SERVICE_ACCOUNT", "name": "Tea house", "verified": True, "appId": "wxundisturbed"}
        running.channel = (await running.run(BIND, input=given))["data"]["bindChannel"]["channel"]["id"]
        yield running


@pytest.fixture(scope="module")
async def target(
    servers: EmbeddedServers, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Target]:
    """Share one web process among the tests."""
    log = tmp_path_factory.mktemp("undisturbed") / "web.log"
    async with (
        database_from(migrated_template, servers.database_url) as database_url,
        running_target(database_url, servers.redis_url, log) as running,
    ):
        yield running


@pytest.fixture
async def own_target(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Target]:
    """Run a web process for one test, which leaves it busy or asks how large it is."""
    async with running_target(database_url, redis_url, tmp_path / "web.log") as running:
        yield running


async def test_requests_of_strangers_hold_nobody_up(target: Target) -> None:
    forged = {**target.headers(), "Authorization": target.headers()["Authorization"] + "x"}
    operands = _operation(AUDIENCE, c=target.channel, e=LARGE_EXPRESSION)
    line_ends = _operation("\n" * 2_000_000)

    await _hold_nobody_up(
        target,
        {
            "operands": lambda: target.post(operands),
            "operands with a forged token": lambda: target.post(operands, forged),
            "line ends": lambda: target.post(line_ends),
            "containers": lambda: target.post(b"[" + b"{}," * 1_300_000 + b"{}]"),
            "a first message on a socket": lambda: _say_on_a_socket(target, "[" + "{}," * 300_000 + "{}]"),
            "frames on a socket": lambda: target.send_raw(UPGRADE, then=EMPTY_PING * 170_000),
            "pipelined requests": lambda: target.send_raw(b"GET /nope HTTP/1.1\r\n\r\n" * 50_000),
            "header lines": lambda: target.send_raw(b"GET /nope HTTP/1.1\r\n" + b"a:b\r\n" * 200_000 + b"\r\n"),
            "chunks of one byte": lambda: target.send_raw(
                b"POST /nope HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 500_000
            ),
        },
    )


async def test_too_large_operations_hold_nobody_up(target: Target) -> None:
    conflicts = " ".join(f'user(channelId: "a", openid: "{number}") {{ id }}' for number in range(130))
    merged = 'user(channelId: "a", openid: "b") { tags { tag { id name } } } ' * 60
    unknown = " ".join(f"viewer(nonsense{number}: 1)" for number in range(390))
    operations: dict[str, Any] = {
        "operands": (AUDIENCE, {"c": target.channel, "e": LARGE_EXPRESSION}),
        "a list of 10,000": (AUDIENCE, {"c": target.channel, "e": {"all": [{"tag": "x"}] * 10_000}}),
        "nested operands": (AUDIENCE, {"c": target.channel, "e": {"all": [{"all": [{"tag": "x"}] * 99}] * 100}}),
        "line ends": ("\n" * 65_000 + "?", {}),
        "spaces": (" " * 65_000 + "?", {}),
        "tokens": ("{ " + "a " * 3_990 + "}", {}),
        "conflicting fields": (f"{{ {conflicts} }}", {}),
        "fields to merge": (f"{{ {merged} }}", {}),
        "unknown arguments": (f"{{ {unknown} }}", {}),
        "introspection": (get_introspection_query(), {}),
        "a long enum value": (BIND, {"input": {"kind": "x" * 3_900_000, "name": "x", "appId": "wx"}}),
        "a long name of an input field": (BIND, {"input": {"x" * 3_900_000: 0}}),
        "unread variables": ("{ __typename }", {"x": [[0]] * 9_000, "y": [{"a": {}}] * 9_000}),
    }

    def sending(query: str, variables: dict[str, Any]) -> Callable[[], Awaitable[object]]:
        return lambda: target.post(_operation(query, **variables), target.headers())

    requests = {name: sending(*each) for name, each in operations.items()}
    requests["containers"] = lambda: target.post(b"[" + b"{}," * 1_300_000 + b"{}]", target.headers())
    await _hold_nobody_up(target, requests)


async def test_the_largest_lists_that_may_come_hold_nobody_up(target: Target) -> None:
    openids = [f"o{number:027}" for number in range(10_000)]
    events = [{"openid": each, "kind": "MESSAGE", "at": "2026-03-01T12:00:00Z"} for each in openids]
    ads = [f"ad{number}" for number in range(99)]
    with_ads = [{**each, "kind": "FOLLOW", "adIds": ads} for each in events[:1_800]]
    pairs = [{"openid": each, "unionid": f"u{each}"} for each in openids]
    returned = {"category": "a", "label": "b", "openids": openids}

    await _hold_nobody_up(
        target,
        {
            "events": lambda: target.run(EVENTS, input={"channelId": target.channel, "events": events}),
            "events with ads": lambda: target.run(EVENTS, input={"channelId": target.channel, "events": with_ads}),
            "bad events": lambda: target.run(
                EVENTS, input={"channelId": target.channel, "events": [{**each, "openid": "?"} for each in events]}
            ),
            "malformed events": lambda: target.run(
                EVENTS, input={"channelId": target.channel, "events": [*events[:-1], {"openid": 7}]}
            ),
            "openids": lambda: target.run(OPENIDS, input={"channelId": target.channel, **returned}),
            "pairs": lambda: target.run(PAIRS, input={"channelId": target.channel, "pairs": pairs}),
        },
    )


async def test_documents_that_come_at_once_make_nobody_wait_until_all_are_read(own_target: Target) -> None:
    """Another principal's list needs the same thread; 60 such documents take it for many seconds."""

    def document(number: int) -> str:
        return (
            "{ " + " ".join(f'user(channelId: "a", openid: "{number}-{each}") {{ id }}' for each in range(130)) + " }"
        )

    flood = [asyncio.create_task(own_target.run(document(number), "greedy")) for number in range(60)]
    events = [{"openid": f"o{number:027}", "kind": "MESSAGE", "at": "2026-03-01T12:00:00Z"} for number in range(1_000)]
    await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
    recorded = await own_target.run(EVENTS, "modest", input={"channelId": own_target.channel, "events": events})
    waiting = sum(not each.done() for each in flood)
    for each in flood:
        each.cancel()

    assert recorded["data"]["recordEvents"]["accepted"] == 1_000
    assert waiting > 30


async def test_documents_that_are_too_long_are_not_remembered(own_target: Target) -> None:
    long = [_operation("{ __typename } #" + f"{number:07}" * 590_000) for number in range(40)]
    await own_target.post(long[0], own_target.headers())
    before = await _resident_bytes(own_target)
    for body in long:
        assert (await own_target.post(body)).status_code == 401
        refused = (await own_target.post(body, own_target.headers())).json()
        assert refused["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"

    assert await _resident_bytes(own_target) < before + 2**25


async def _resident_bytes(target: Target) -> float:
    async with httpx.AsyncClient(base_url=target.url, trust_env=False) as http:
        lines = (await http.get("/metrics")).text.splitlines()
    return next(float(each.split()[1]) for each in lines if each.startswith("process_resident_memory_bytes "))


async def _hold_nobody_up(target: Target, requests: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
    """Send each request, and fail with the names of all that held the loop."""
    wrong = {}
    for name, request in requests.items():
        try:
            await assert_undisturbed(target.url, request)
        except AssertionError as error:
            wrong[name] = str(error)
    assert wrong == {}


async def _say_on_a_socket(target: Target, text: str) -> None:
    async with open_socket(target.url) as socket:
        with suppress(ConnectionClosed):
            await socket.connection.send(text)
            await socket.connection.wait_closed()


def _operation(query: str, **variables: Any) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()
