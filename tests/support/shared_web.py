"""One web process for many tests: each has a robot to itself, and robots see nothing of each other."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg

from service.dev.stack.servers import EmbeddedServers
from tests.support import lasting
from tests.support.waiting import wait_until
from tests.support.web import WebClient, web_process

LISTENER_TASK: Final = "feed topics"
robot_numbers: Final = itertools.count(1)


@asynccontextmanager
async def shared_web(servers: EmbeddedServers, template: str, **settings: Any) -> AsyncGenerator[WebClient]:
    """Serve on a database made from the template, and drop it at the end."""
    name = f"shared_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(servers.database_url)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        database_url = urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
        listeners_before = _listener_count()
        async with web_process(database_url, servers.redis_url, **settings) as web:
            await wait_until(lambda: _listener_count() > listeners_before)
            lasting.tasks[LISTENER_TASK] += 1
            try:
                yield web
            finally:
                lasting.tasks[LISTENER_TASK] -= 1
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


def _listener_count() -> int:
    """How many processes have begun what they go on doing; a test that saw one begin would be blamed for it."""
    return sum(task.get_name() == LISTENER_TASK for task in asyncio.all_tasks())
