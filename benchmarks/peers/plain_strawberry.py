"""Serve open pages with Strawberry as its documentation shows it, from memory: no database, no permissions.

Prints its port. Each line on stdin is an event for every open page; it serves until stdin ends.
"""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import strawberry
import uvicorn
from strawberry.asgi import GraphQL


@strawberry.type
class Tag:
    id: strawberry.ID
    category: str
    name: str


@strawberry.type
class UserTagsEvent:
    cursor: str
    reset: bool
    cause: str | None
    at: str
    tags: list[Tag]
    added: list[Tag]
    removed: list[Tag]
    updated: list[Tag]


@strawberry.type
class Query:
    nothing: str | None = None


@dataclass(frozen=True)
class Pages:
    event: dict[str, Any]
    open: set[asyncio.Queue[None]]


PAGES = Pages(json.loads(os.environ.get("EVENT", "{}")), set())


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def user_tags(self, channel_id: strawberry.ID, openid: str) -> AsyncGenerator[UserTagsEvent, None]:
        del channel_id, openid
        queue: asyncio.Queue[None] = asyncio.Queue()
        PAGES.open.add(queue)
        try:
            while True:
                yield _event()
                await queue.get()
        finally:
            PAGES.open.discard(queue)


def _event() -> UserTagsEvent:
    told = PAGES.event
    lists = {name: [Tag(**tag) for tag in told[name]] for name in ("tags", "added", "removed", "updated")}
    return UserTagsEvent(**(told | lists))


async def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    app: Any = GraphQL(strawberry.Schema(query=Query, subscription=Subscription))
    config = uvicorn.Config(
        app, lifespan="off", ws="websockets-sansio", ws_per_message_deflate=False, log_level="critical"
    )
    serving = asyncio.create_task(uvicorn.Server(config).serve(sockets=[listener]))
    print(listener.getsockname()[1], flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        for queue in PAGES.open:
            queue.put_nowait(None)
    serving.cancel()


if __name__ == "__main__":
    asyncio.run(main())
