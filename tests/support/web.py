"""Serve the API inside the test's own event loop, for one test or for many, and speak to it over every transport."""

import asyncio
import contextlib
import itertools
import json
import socket as sockets
from collections.abc import AsyncGenerator, Collection, Generator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn

from service.auth.tokens import sign_token
from service.dev.stack.servers import EmbeddedServers
from service.entities.principal import Role
from service.foundation.settings import ClientLimits, Settings
from service.web.app import make_app
from service.web.protocols.uvicorn_options import uvicorn_options
from tests.support.servers import database_from, shared_tasks
from tests.support.sockets import TIMEOUT, GraphqlWebSocket, open_socket
from tests.support.waiting import wait_until

JWT_SECRET: Final = "the tests' own signing secret, 32 bytes and more"
# No comma: it is where a list of keys is parted.
SECRETS_KEY: Final = "the tests' own encryption secret of 32 bytes and more"
DEFAULT_TTL: Final = timedelta(hours=1)
LISTENER_TASK: Final = "feed topics"
robot_numbers: Final = itertools.count(1)
NO_PAGES: Final = Path("no console was built")
TRANSPORTS: Final = ("post", "get", "stream", "socket")


class _Server(uvicorn.Server):
    """Leave signals to pytest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@dataclass(frozen=True)
class GraphqlResponse:
    """Hold the answer to a GraphQL request; `answer["channel"]` reads data and fails on any error."""

    status: int
    body: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        assert not self.errors, self.errors
        return self.body["data"][name]

    @property
    def data(self) -> Any:
        """Return the data, errors or not."""
        return self.body.get("data")

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Return all errors."""
        found: list[dict[str, Any]] = self.body.get("errors", [])
        return found

    @property
    def codes(self) -> list[str]:
        """Return the code of each error."""
        return [error["extensions"]["code"] for error in self.errors]

    @property
    def error(self) -> dict[str, Any]:
        """Return the only error."""
        assert len(self.errors) == 1, self.body
        return self.errors[0]

    @property
    def code(self) -> str:
        """Return the code of the only error."""
        code: str = self.error["extensions"]["code"]
        return code


@dataclass
class ServerEvent:
    """Hold one server-sent event as it came, with its `id` where it had one."""

    event: str
    data: Any
    id: str | None = None


class Stream:
    """Read an open answer event by event; comments are passed over."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self, within: float = TIMEOUT) -> ServerEvent:
        """Return the next event. Raises TimeoutError when none comes within so many seconds."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(within):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if line and name:
                    fields[name] = value
                elif "event" in fields:
                    break
        data = fields.get("data")
        return ServerEvent(fields["event"], json.loads(data) if data else None, fields.get("id"))


@dataclass(frozen=True)
class WebClient:
    """Speak to a running web process."""

    url: str
    settings: Settings
    http: httpx.AsyncClient = field(repr=False)

    def token(
        self,
        role: Role | str,
        robot: str = "r1",
        channels: Collection[str] | None = None,
        ttl: timedelta = DEFAULT_TTL,
        subject: str = "somebody",
    ) -> str:
        """Sign a token; a negative `ttl` makes an expired one."""
        return sign_token(self.settings, robot=robot, role=Role(role), subject=subject, ttl=ttl, channels=channels)

    async def run(self, query: str, /, *, token: str | None = None, **variables: Any) -> GraphqlResponse:
        """POST one operation."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        response = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        return GraphqlResponse(response.status_code, response.json())

    @asynccontextmanager
    async def socket(self, token: str | None = None) -> AsyncGenerator[GraphqlWebSocket]:
        """Open a graphql-transport-ws connection, with the token in `connection_init`."""
        payload = None if token is None else {"Authorization": f"Bearer {token}"}
        async with open_socket(self.url) as socket:
            await socket.initialise(payload)
            yield socket

    @asynccontextmanager
    async def uninitialised_socket(self, **options: Any) -> AsyncGenerator[GraphqlWebSocket]:
        """Open a connection that has not said `connection_init` yet; `options` as of `websockets.connect`."""
        async with open_socket(self.url, **options) as socket:
            yield socket

    @asynccontextmanager
    async def stream(
        self, token: str | None, query: str, /, headers: Mapping[str, str] | None = None, **variables: Any
    ) -> AsyncGenerator[Stream]:
        """Open one operation as a stream of server-sent events."""
        given = {"Accept": "text/event-stream"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
        body = {"query": query, "variables": variables}
        async with self.http.stream(
            "POST", "/graphql/stream", headers={**given, **(headers or {})}, json=body
        ) as response:
            yield Stream(response)


@asynccontextmanager
async def web_process(database_url: str, redis_url: str, **settings_overrides: Any) -> AsyncGenerator[WebClient]:
    """Serve the application as `user-tags serve` does, on a free port, and stop it at the end.

    The overrides are those of `Settings`, and of `ClientLimits` by their own names. Whether this checkout has built the
    console makes no difference: it is served only from the folder that `pages` names.
    """
    # With the protocol named, asyncio turns Nagle's algorithm off; otherwise each answer waits 40 ms for an ACK.
    listener = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM, sockets.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    given: dict[str, Any] = {
        "database_url": database_url,
        "redis_url": redis_url,
        "jwt_secret": JWT_SECRET,
        "secrets_keys": (SECRETS_KEY,),
        "public_url": url,
        "database_pool_size": 5,
    }
    pages: Path = settings_overrides.pop("pages", NO_PAGES)
    names = {each.name for each in fields(ClientLimits)}
    limits = {name: settings_overrides.pop(name) for name in names & set(settings_overrides)}
    settings = Settings(**{"client_limits": ClientLimits(**limits), **given, **settings_overrides})
    config = uvicorn.Config(
        make_app(settings, pages),
        lifespan="on",
        timeout_graceful_shutdown=2,
        **uvicorn_options(settings.client_limits, settings.trusted_proxies),
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="web process")
    try:
        await wait_until(lambda: server.started or serving.done())
        assert server.started, "the web process did not start"
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http:
            yield WebClient(url, settings, http)
    finally:
        server.should_exit = True
        await serving
        listener.close()


@asynccontextmanager
async def shared_web(servers: EmbeddedServers, template: str, **settings: Any) -> AsyncGenerator[WebClient]:
    """Serve on a database made from the template, and drop it at the end."""
    listeners_before = _listener_count()
    async with (
        database_from(template, servers.database_url) as database_url,
        web_process(database_url, servers.redis_url, **settings) as web,
    ):
        await wait_until(lambda: _listener_count() > listeners_before)
        shared_tasks[LISTENER_TASK] += 1
        try:
            yield web
        finally:
            shared_tasks[LISTENER_TASK] -= 1


def _listener_count() -> int:
    """Return how many feed listeners run: they outlive the test that saw one start, which is no leak of that test."""
    return sum(task.get_name() == LISTENER_TASK for task in asyncio.all_tasks())


async def execute_over(web: WebClient, transport: str, payload: dict[str, Any], role: str = "admin") -> dict[str, Any]:
    """Send one operation over a transport, and return its first answer."""
    headers = {"Authorization": f"Bearer {web.token(role)}"}
    if transport == "socket":
        return await _execute_over_socket(web, payload, role)
    if transport == "stream":
        headers["Accept"] = "text/event-stream"
        response = await web.http.post("/graphql/stream", json=payload, headers=headers)
        assert response.headers["content-type"].startswith("text/event-stream"), response.text
        return dict(json.loads(response.text.split("data: ", 1)[1].split("\r\n", 1)[0]))
    if transport == "get":
        given = {name: each if isinstance(each, str) else json.dumps(each) for name, each in payload.items()}
        return dict((await web.http.get("/graphql", params=given, headers=headers)).json())
    return dict((await web.http.post("/graphql", json=payload, headers=headers)).json())


async def error_codes(web: WebClient, transport: str, payload: dict[str, Any], role: str = "admin") -> list[str]:
    """Send one operation over a transport, and return the codes of all errors."""
    return [
        each["extensions"]["code"] for each in (await execute_over(web, transport, payload, role)).get("errors", [])
    ]


async def _execute_over_socket(web: WebClient, payload: dict[str, Any], role: str) -> dict[str, Any]:
    async with web.socket(web.token(role)) as socket:
        await socket.send({"type": "subscribe", "id": "1", "payload": payload})
        message = await socket.receive()
        assert message["type"] in {"next", "error"}, message
        return {"errors": message["payload"]} if message["type"] == "error" else message["payload"]
