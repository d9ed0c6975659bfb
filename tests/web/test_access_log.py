"""Serve over HTTP without a line for each request, and so without its address."""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import uvicorn

from service.foundation.logging import configure_logging


async def app(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def test_a_real_server_logs_no_requests(log_lines: Callable[[], list[str]]) -> None:
    configure_logging(production=True)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}") as client:
            for path in ("/wechat/s3cr3t?nonce=1", "/ads/s3cr3t", "/openapi/label/batchset/s3cr3t"):
                await client.get(path, headers={"Authorization": "Bearer s3cr3t"})
        server.should_exit = True
        await running
    # No line for a request, and so none with its address.
    logged = log_lines()
    assert "uvicorn.access" not in {json.loads(line)["logger"] for line in logged}
    assert "s3cr3t" not in "\n".join(logged)
