"""Answer a call with a fault that was ordered."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from service.dev.demo.wechat_api.errors import IP_REFUSED, ApiError, ip_refused_message
from service.dev.demo.wechat_api.faults import Fault, FaultKind

PAGE: Final = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
CHUNK: Final = b" " * 65_536


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
            await _start(send, fault.size)
            for start in range(0, fault.size, len(CHUNK)):
                await _send(send, CHUNK[: fault.size - start], more=start + len(CHUNK) < fault.size)
        case FaultKind.DRIP:
            await _start(send, len(body))
            for position in range(len(body)):
                await _send(send, body[position : position + 1], more=position + 1 < len(body))
                await asyncio.sleep(fault.seconds)
        case FaultKind.TRUNCATED:
            await _start(send, len(body))
            await _send(send, body[: len(body) // 2], more=True)
            scope["extensions"]["transport"].close()
            await _wait_until_gone(receive)
        case FaultKind.RESET:
            transport = scope["extensions"]["transport"]
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            transport.abort()
            await _wait_until_gone(receive)
        case FaultKind.HANG | FaultKind.HOLD:
            await _wait_until_gone(receive)


def _default_message(fault: Fault, scope: Scope) -> str | None:
    return ip_refused_message(scope["client"][0]) if fault.code == IP_REFUSED else None


async def _start(send: Send, size: int) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _send(send: Send, body: bytes, *, more: bool) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
