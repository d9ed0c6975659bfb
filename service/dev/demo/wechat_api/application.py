"""Serve the imitated server API as an ASGI application: errors come as HTTP 200 with `errcode`, as at WeChat."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.books.call_log import CallRecord
from service.dev.demo.wechat_api.calls.request import Answer, ApiRequest, Call, Invocation
from service.dev.demo.wechat_api.calls.table import CALLS
from service.dev.demo.wechat_api.errors import ApiError
from service.dev.demo.wechat_api.fault_answers import misbehave
from service.dev.demo.wechat_api.faults import Fault, FaultKind

TAGGING: Final = "TAGGING"
"""Group the calls that tag users in the books."""
ANSWERED: Final = (FaultKind.HOLD, FaultKind.TWICE)
MAX_LISTED: Final = 1_000
"""Limit the lists that are recorded of a call: a mass send names ten thousand people."""


class WechatApi:
    """Answer the calls in `CALLS` from the books, or by the faults that were ordered."""

    def __init__(self, books: WechatBooks) -> None:
        self._books = books

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        request = Request(scope, receive)
        asked = ApiRequest(
            books=self._books,
            path=scope["path"],
            method=request.method,
            query=request.query_params,
            body=await request.body(),
            client_ip=request.client.host if request.client else "",
            now=self._books.now(),
        )
        call = CALLS.get(asked.path)
        record = _new_record(asked)
        groups = (asked.path, TAGGING) if call is not None and call.tags_users else (asked.path,)
        fault = self._books.faults.take(asked.path, asked.openids()) if self._books.faults else None
        with self._books.calls.record(record, groups):
            if fault is not None and fault.kind is FaultKind.TWICE:
                await self._answer(asked, call, fault)
            if fault is None or fault.kind in ANSWERED or fault.accepted:
                answer = await self._answer(asked, call, fault)
                record.outcome = int(answer.get("errcode", 0))
            else:
                answer = {}
                record.outcome = fault.code if fault.kind is FaultKind.ERROR else fault.kind.value
            if fault is None or fault.kind in ANSWERED:
                await Response(orjson.dumps(answer), media_type="application/json; encoding=utf-8")(
                    scope, receive, send
                )
            else:
                await misbehave(fault, answer, scope, receive, send)

    async def _answer(self, asked: ApiRequest, call: Call | None, fault: Fault | None) -> Answer:
        try:
            return await self._call(asked, call, fault)
        except ApiError as error:
            return error.answer()

    async def _call(self, asked: ApiRequest, call: Call | None, fault: Fault | None) -> Answer:
        if call is None:
            raise ApiError(40066)
        if asked.method != call.method:
            raise ApiError(43001 if call.method == "GET" else 43002)
        account = call.authenticate(asked)
        if not self._books.behaviour.limitless:
            account.quotas.take(asked.path, asked.now)
        payload = asked.payload() if call.method == "POST" and call.needs_body else {}
        invocation = Invocation(self._books, account, asked.path, asked.query, payload, asked.now)
        with call.guard(invocation):
            if fault is not None and fault.kind is FaultKind.HOLD:
                await self._books.faults.wait_until_cleared()
            if self._books.behaviour.answers_after:
                await asyncio.sleep(self._books.behaviour.answers_after)
            return call.answer(invocation)


def _new_record(asked: ApiRequest) -> CallRecord:
    """Return the record of a call, with the account that it names and without its secret."""
    payload: dict[str, Any] = {}
    with suppress(ApiError):
        payload = asked.payload()
    app_id = asked.books.tokens.owner(asked.query.get("access_token", ""))
    named = asked.query.get("appid") or payload.get("appid")
    if not app_id and isinstance(named, str) and named in asked.books.accounts:
        app_id = named
    body = {name: _shortened(value) for name, value in payload.items() if name != "secret"}
    return CallRecord(asked.path, app_id, asked.now, body)


def _shortened(value: Any) -> Any:
    is_long = isinstance(value, list) and len(value) > MAX_LISTED
    return [*value[:MAX_LISTED], f"… and {len(value) - MAX_LISTED} more"] if is_long else value
