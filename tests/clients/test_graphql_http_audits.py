"""Pass every audit of the npm package graphql-http (GraphQL over HTTP)."""

import asyncio
import json
import os
from pathlib import Path

from service.entities.principal import Role
from tests.support.processes import EXAMPLES, node
from tests.support.web import web_process


async def test_every_audit_is_ok(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url) as web:
        process = await asyncio.create_subprocess_exec(
            node(),
            str(Path(__file__).with_name("audit.mjs")),
            env=os.environ
            | {"URL": web.url, "TOKEN": web.token(Role.ADMIN), "MODULES": str(EXAMPLES / "package.json")},
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
    lines = [json.loads(line) for line in output.splitlines()]
    assert lines == [{"audits": 61}]
