"""Answer a call with a fault that was ordered."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import orjson
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from service.dev.demo.wechat_api.errors import IP_REFUSED, ApiError, ip_refused_message
from service.dev.demo.wechat_api.faults import Fault, FaultKind

PAGE: Final = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
CHUNK_BYTES: Final = 65_536


async def misbehave(fault: Fault, answer: Mapping[str, Any], scope: Scope, receive: Receive, send: Send) -> None:
    """Do what the fault says; `answer` is what the call would have been answered."""
    body = orjson.dumps(dict(answer) or {"errcode": 0, "errmsg": "ok"})
    match fault.kind:
        case FaultKind.ERROR:
            error = ApiError(fault.code, fault.message or _default_message(fault, scope))
            await Response(orjson.dumps(error.answer()), media_type="application/json")(scope, receive, send)
        case FaultKind.STATUS:
            await HTMLResponse(PAGE, 502)(scope, receive, send)
        case FaultKind.HTML:
            await HTMLResponse(PAGE)(scope, receive, send)
        case FaultKind.OVERSIZED:
            await _send_in_pieces(receive, send, b" " * fault.size, CHUNK_BYTES, 0)
        case FaultKind.DRIP:
            await _send_in_pieces(receive, send, body, 1, fault.seconds)
        case FaultKind.TRUNCATED | FaultKind.RESET | FaultKind.HANG:
            await _break_off(fault, body, scope, send)
            await _wait_until_gone(receive)


async def _break_off(fault: Fault, body: bytes, scope: Scope, send: Send) -> None:
    """End the connection without a whole answer, or for a fault that hangs do nothing."""
    transport = scope["extensions"]["transport"]
    if fault.kind is FaultKind.TRUNCATED:
        await _start(send, len(body))
        await _send(send, body[: len(body) // 2], more=True)
        transport.close()
    elif fault.kind is FaultKind.RESET:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def _default_message(fault: Fault, scope: Scope) -> str | None:
    return ip_refused_message(scope["client"][0]) if fault.code == IP_REFUSED else None


async def _start(send: Send, size: int) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _send_in_pieces(receive: Receive, send: Send, body: bytes, size: int, seconds: float) -> None:
    """Send so many bytes every `seconds`, until the client gives up."""
    await _start(send, len(body))
    for start in range(0, len(body), size):
        await _send(send, body[start : start + size], more=start + size < len(body))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await _wait_until_gone(receive)
                return


async def _send(send: Send, body: bytes, *, more: bool) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
