"""Run the clients of examples/live: each shows the tags, survives a killed server and misses nothing."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.auth.tokens import sign_token
from service.domain.events.recorder import record_events
from service.entities.ids import channel_gid
from service.entities.principal import Role
from service.entities.users import EventKind, UserEvent
from service.foundation.clock import make_clock
from service.foundation.settings import Settings
from tests.support.processes import EXAMPLES, JWT_SECRET, command, environment, node
from tests.support.runtime import bind, open_runtime
from tests.support.servers import free_port
from tests.support.waiting import PATIENCE, wait_until
from tests.support.web import web_process

pytestmark = pytest.mark.long

IN_JAVASCRIPT = ("graphql-ws.mjs", "graphql-sse.mjs", "urql.mjs", "apollo.mjs")
IN_PYTHON = ("with_gql.py",)
CLIENTS = IN_JAVASCRIPT + IN_PYTHON
ANNS_TAGS = ["New user", "Not opened", "Non-advertising", "Touchable"]


class Example:
    """Read what a running example shows, event by event."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def next(self, within: float = PATIENCE) -> dict[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(within):
            line = await self._process.stdout.readline()
        shown: dict[str, Any] = json.loads(line)
        return shown

    async def errors(self, within: float = PATIENCE) -> tuple[int | None, list[str]]:
        """Return the exit status and the lines of errors, once the program has ended."""
        async with asyncio.timeout(within):
            _, errors = await self._process.communicate()
        return self._process.returncode, errors.decode().splitlines()


@asynccontextmanager
async def example(client: str, **given: str) -> AsyncIterator[Example]:
    program = sys.executable if client.endswith(".py") else node()
    process = await asyncio.create_subprocess_exec(
        program,
        str(EXAMPLES / client),
        env=os.environ | given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Example(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_variable_that_is_missing_is_named_in_one_line(client: str) -> None:
    async with example(client, TOKEN="t", CHANNEL="c", OPENID="") as page:
        status, [line] = await page.errors()
    assert status == 1
    assert line.startswith("OPENID is not set")


async def test_what_will_not_be_better_is_not_tried_again(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url) as web, AsyncExitStack() as stack:
        given = {"URL": web.url, "CHANNEL": "nothing", "OPENID": "ann"}
        for token in ("not-a-token", web.token("agent")):
            pages = [await stack.enter_async_context(example(each, TOKEN=token, **given)) for each in CLIENTS]
            ends = await asyncio.gather(*(page.errors() for page in pages))
            assert [(status, len(lines)) for status, lines in ends] == [(1, 1)] * len(CLIENTS), ends


@asynccontextmanager
async def serving(settings: Mapping[str, str], port: int, log: Path) -> AsyncIterator[None]:
    """Serve until the block ends, then crash."""
    async with command(settings, log, "serve", "--port", str(port)), httpx.AsyncClient(trust_env=False) as http:

        async def ready() -> bool:
            try:
                return (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        await wait_until(ready)
        yield


@pytest.mark.parametrize("clients", [IN_JAVASCRIPT, IN_PYTHON], ids=["JavaScript", "Python"])
async def test_a_client_comes_back_with_its_cursor(
    database_url: str, redis_url: str, tmp_path: Path, clients: Sequence[str]
) -> None:
    settings = environment(database_url, redis_url, FEED_HEAL_EVERY="200ms", DATABASE_POOL_SIZE="3")
    port = free_port()
    token = sign_token(
        Settings(jwt_secret=JWT_SECRET),
        robot="robot-1",
        role=Role.AGENT,
        subject="page",
        ttl=Settings().change_log_retention,
    )
    async with open_runtime(database_url, make_clock(None), pool_size=2) as runtime:
        channel = await bind(runtime)

        async def happens(kind: EventKind) -> None:
            await record_events(runtime, channel, [UserEvent("ann", kind, datetime.now(UTC).replace(microsecond=0))])

        await happens(EventKind.FOLLOW)
        given = {
            "URL": f"http://127.0.0.1:{port}",
            "TOKEN": token,
            "CHANNEL": channel_gid(channel.channel_id),
            "OPENID": "ann",
        }
        async with AsyncExitStack() as stack:
            pages = [await stack.enter_async_context(example(each, **given)) for each in clients]
            async with serving(settings, port, tmp_path / "first.log"):
                seen = [await page.next() for page in pages]
            assert [(each["reset"], each["tags"]) for each in seen] == [(True, ANNS_TAGS)] * len(clients), clients
            await happens(EventKind.MESSAGE)
            async with serving(settings, port, tmp_path / "second.log"):
                seen = [await page.next() for page in pages]
            changes = [(each["reset"], each["added"], each["removed"]) for each in seen]
            assert changes == [(False, ["Opened"], ["Not opened"])] * len(clients), clients
