"""Answer each frame as the reference server of the npm package graphql-ws does."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from service.entities.principal import Role
from tests.support.processes import EXAMPLES, node
from tests.support.sockets import MALFORMED_FRAMES
from tests.support.waiting import PATIENCE
from tests.support.web import WebClient, web_process

Frame = str | bytes
# All that a connection received: (type, id) of each message, and the close code if the server closed it.
Received = list[tuple[str, str | None]]

# A busy machine may be quiet for longer, so what differs is asked again with more patience.
QUIET: Final = (0.5, 5.0, 20.0)
INIT: Final = '{"type": "connection_init"}'
PING: Final = '{"type": "ping"}'


def subscribe(query: str, id: str = "1", **payload: Any) -> str:  # noqa: A002 - the protocol's word
    return json.dumps({"type": "subscribe", "id": id, "payload": {"query": query, **payload}})


def complete(id: str) -> str:  # noqa: A002
    return json.dumps({"type": "complete", "id": id})


QUERY: Final = "{ viewer { robotId } }"
WATCH: Final = "subscription { tagEvents { cursor } }"
TWO: Final = "query a { viewer { robotId } } query b { viewer { robotId } }"

CASES: Final[dict[str, list[Frame]]] = {
    **{name: [INIT, frame] for name, frame in MALFORMED_FRAMES.items()},
    "nothing before the init": [subscribe(QUERY)],
    "ping before the init": [PING, INIT],
    "pong before the init": ['{"type": "pong"}', INIT],
    "complete before the init": [complete("1"), INIT],
    "two inits": [INIT, INIT, PING],
    "init with a null payload": ['{"type": "connection_init", "payload": null}'],
    "ping": [INIT, PING],
    "ping with a payload": [INIT, '{"type": "ping", "payload": {"a": 1}}'],
    "unasked pong": [INIT, '{"type": "pong", "payload": {"a": 1}}', PING],
    "a query": [INIT, subscribe(QUERY)],
    "a query with nulls": [INIT, subscribe(QUERY, variables=None, operationName=None, extensions=None)],
    "a syntax error": [INIT, subscribe("{")],
    "a validation error": [INIT, subscribe("{ nowhere }")],
    "an empty document": [INIT, subscribe("# nothing")],
    "a fragment only": [INIT, subscribe("fragment a on Viewer { robotId }")],
    "an unknown operation name": [INIT, subscribe(TWO, operationName="c")],
    "a known operation name": [INIT, subscribe(TWO, operationName="b")],
    "a missing variable": [INIT, subscribe("query ($a: Boolean!) { viewer { robotId @skip(if: $a) } }")],
    "a wrong variable": [
        INIT,
        subscribe("query ($a: Boolean!) { viewer { robotId @skip(if: $a) } }", variables={"a": 7}),
    ],
    "an id twice in turn": [INIT, subscribe(QUERY), subscribe(WATCH, "2"), complete("2"), subscribe(QUERY, "3")],
    "an id in use": [INIT, subscribe(WATCH), subscribe(WATCH)],
    "complete of an unknown id": [INIT, complete("9"), PING],
    "complete twice": [INIT, subscribe(WATCH), complete("1"), complete("1"), PING],
    "complete and again": [INIT, subscribe(WATCH), complete("1"), subscribe(WATCH), PING],
    "siblings of a syntax error": [INIT, subscribe(WATCH, "w"), subscribe("{", "bad"), subscribe(QUERY, "q")],
    "siblings of a wrong name": [
        INIT,
        subscribe(WATCH, "w"),
        subscribe(TWO, "bad", operationName="c"),
        subscribe(QUERY, "q"),
    ],
    "members that nobody knows": [INIT, '{"type": "ping", "more": [1]}'],
    "a subscription of two fields": [
        INIT,
        subscribe("subscription { tagEvents { cursor } b: tagEvents { cursor } }"),
    ],
}
ACK: Final = ("connection_ack", None)
# Where we follow PROTOCOL.md and the reference server does not.
BETTER: Final[dict[str, Received]] = {
    # It reads binary frames too, and ends with 4500 what is no message of a client, or too deep.
    "binary": [ACK, ("closed", "4400")],
    "server's type": [ACK, ("closed", "4400")],
    "deep variables": [ACK, ("closed", "4400")],
    # It ends with 4500, and all siblings with it, what is wrong with one operation.
    "a syntax error": [ACK, ("error", "1")],
    "an empty document": [ACK, ("error", "1")],
    "siblings of a syntax error": [ACK, ("error", "bad"), ("next", "q"), ("complete", "q")],
    # Variables are read before anything is executed, and what fails before that is an `error`.
    "a missing variable": [ACK, ("error", "1")],
    "a wrong variable": [ACK, ("error", "1")],
}


@asynccontextmanager
async def reference() -> AsyncIterator[str]:
    """Run the reference server, and return its address."""
    process = await asyncio.create_subprocess_exec(
        node(),
        str(Path(__file__).with_name("reference.mjs")),
        env=os.environ | {"MODULES": str(EXAMPLES / "package.json")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            port = int(await process.stdout.readline())
        yield f"ws://127.0.0.1:{port}/graphql"
    finally:
        process.kill()
        await process.wait()


async def receive(url: str, frames: Sequence[Frame], headers: dict[str, str], quiet: float) -> Received:
    """Return all that a connection receives until it is closed or silent, the messages of one operation in order."""
    received: Received = []
    async with connect(
        url,
        subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
        additional_headers=headers,
        compression=None,
        proxy=None,
        close_timeout=1,
    ) as socket:
        try:
            for number, frame in enumerate(frames):
                await socket.send(frame)
                if (number, frame) == (0, INIT):
                    # The reference rejects what comes before its acknowledgement.
                    received.append((json.loads(await socket.recv())["type"], None))
            while True:
                async with asyncio.timeout(quiet):
                    message = json.loads(await socket.recv())
                received.append((message["type"], message.get("id")))
        except TimeoutError:
            pass
        except ConnectionClosed:
            received.append(("closed", str(socket.close_code)))
    return sorted(received, key=lambda each: each[1] or "")


async def test_we_answer_what_the_reference_answers(
    database_url: str, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with reference() as url, web_process(database_url, redis_url) as web:
        theirs: dict[str, Received] = {}
        ours: dict[str, Received] = {}
        different = list(CASES)
        for quiet in QUIET:
            answers = receive_all(url, different, {}, quiet), receive_all(_address(web), different, _token(web), quiet)
            for known, received_now in zip((theirs, ours), await asyncio.gather(*answers), strict=True):
                known.update(received_now)
            different = [name for name in CASES if ours[name] != BETTER.get(name, theirs[name])]

    assert {name: (theirs[name], ours[name]) for name in different} == {}
    assert all(theirs[name] != ours[name] for name in BETTER), "the reference has become as good"
    assert len(CASES) > 60
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def receive_all(url: str, names: Sequence[str], headers: dict[str, str], quiet: float) -> dict[str, Received]:
    answers = await asyncio.gather(*(receive(url, CASES[name], headers, quiet) for name in names))
    return dict(zip(names, answers, strict=True))


def _address(web: WebClient) -> str:
    return web.url.replace("http", "ws", 1) + "/graphql"


def _token(web: WebClient) -> dict[str, str]:
    return {"Authorization": f"Bearer {web.token(Role.ADMIN)}"}
