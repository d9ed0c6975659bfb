"""Serve an ASGI application inside a running event loop, on a port that is known beforehand."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class _Server(uvicorn.Server):
    """Leave signals to the program around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class _OpenProtocol(HttpToolsProtocol):
    """Give the application the `transport` of its connection, as an extension, so that it can break it off."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"transport": self.transport}  # type: ignore[dict-item]


@contextlib.asynccontextmanager
async def serve_app(application: ASGIApp, port: int = 0, host: str = "127.0.0.1") -> AsyncGenerator[str]:
    """Serve `application` inside the block and yield its address; port 0 means any free one.

    Connections are accepted as soon as the block is entered. Raises OSError if the port is taken.
    """
    # asyncio turns off Nagle's algorithm, which costs 40 ms a request, only for sockets that name the protocol TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen()
    address = f"http://{host}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        application,
        http=_OpenProtocol,
        log_level="warning",
        access_log=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield address
    finally:
        server.should_exit = True
        await task
        listener.close()
