"""Give each request an id, and answer for what nobody foresaw: INTERNAL with the id, under which the log has it."""

import logging
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.transport.websocket_handler import INTERNAL_ERROR_CLOSE_CODE
from service.entities.errors import INTERNAL_ERROR_MESSAGE
from service.web.error_answers import internal_error_response
from service.web.protocols.request_id import REQUEST_ID_HEADER, make_request_id

ANSWER_STARTS: Final = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})

log = logging.getLogger(__name__)


class RequestIds:
    """Send `X-Request-Id` with every answer, and 500 with INTERNAL and the id where an exception is not handled.

    The application finds the id in `request.state.request_id`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        try:
            await self._app(scope, receive, exchange.send)
        except ClientDisconnect:
            pass
        except Exception:
            log.exception("request %s failed", exchange.request_id)
            await exchange.fail()


class _Exchange:
    """Hold one request, its id, and whether its answer has begun."""

    __slots__ = ("_answering", "_scope", "_send", "request_id")

    def __init__(self, scope: Scope, send: Send) -> None:
        state = scope.setdefault("state", {})
        # A WebSocket has its id from the start, since its handshake may be refused before it comes here.
        self.request_id: str = state.get("request_id") or make_request_id()
        state["request_id"] = self.request_id
        self._scope, self._send, self._answering = scope, send, False

    async def send(self, message: Message) -> None:
        """Send a message of the application, with the id where an answer begins."""
        if not self._answering and message["type"] in ANSWER_STARTS:
            self._answering = True
            message["headers"] = [*message.get("headers", ()), (REQUEST_ID_HEADER.encode(), self.request_id.encode())]
        await self._send(message)

    async def fail(self) -> None:
        """Answer INTERNAL; an answer that has begun is broken off, as the server does when the application returns."""
        if not self._answering:
            await self._answer(internal_error_response(self._scope))
        elif self._scope["type"] == "websocket":
            close = {"code": INTERNAL_ERROR_CLOSE_CODE, "reason": INTERNAL_ERROR_MESSAGE}
            await self._send({"type": "websocket.close", **close})

    async def _answer(self, response: Response) -> None:
        prefix = "websocket." if self._scope["type"] == "websocket" else ""
        head = {"status": response.status_code, "headers": response.raw_headers}
        await self.send({"type": f"{prefix}http.response.start", **head})
        await self.send({"type": f"{prefix}http.response.body", "body": bytes(response.body)})
