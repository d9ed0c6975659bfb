"""Serve the imitated server API as an ASGI application: errors come as HTTP 200 with `errcode`, as at WeChat."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.dev.demo.wechat_api.books.accounts import AccountBooks
from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.books.call_log import CallRecord
from service.dev.demo.wechat_api.calls.request import Answer, ApiRequest, Call, Invocation
from service.dev.demo.wechat_api.calls.table import CALLS
from service.dev.demo.wechat_api.errors import ApiError
from service.dev.demo.wechat_api.fault_answers import misbehave
from service.dev.demo.wechat_api.faults import Fault, FaultKind

TAGGING: Final = "TAGGING"
"""Group the calls that tag users in the books."""


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
        fault = self._books.faults.take(asked.path)
        with self._books.calls.record(record, groups):
            if fault is None or fault.kind is FaultKind.HOLD or fault.accepted:
                answer = await self._answer(asked, call, fault)
                record.outcome = int(answer.get("errcode", 0))
            else:
                answer = {}
                record.outcome = fault.code if fault.kind is FaultKind.ERROR else fault.kind.value
            if fault is None or fault.kind is FaultKind.HOLD:
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
        account.quotas.take(asked.path, asked.now)
        payload = asked.payload() if call.method == "POST" else {}
        invocation = Invocation(self._books, account, asked.path, asked.query, payload, asked.now)
        with self._tagging(account, invocation, call):
            if fault is not None and fault.kind is FaultKind.HOLD:
                await self._books.faults.wait_until_cleared()
            if self._books.behaviour.answers_after:
                await asyncio.sleep(self._books.behaviour.answers_after)
            return call.answer(invocation)

    @contextmanager
    def _tagging(self, account: AccountBooks, invocation: Invocation, call: Call) -> Generator[None]:
        """Mark whom the call tags while it runs; raises ApiError if another call is tagging one of them."""
        found = invocation.payload.get("openid_list")
        openids = {str(each) for each in found} if call.tags_users and isinstance(found, list) else set()
        code = self._books.behaviour.overlap_code
        if code is not None and openids & account.tagging:
            raise ApiError(code)
        mine = openids - account.tagging
        account.tagging |= mine
        try:
            yield
        finally:
            account.tagging -= mine


def _new_record(asked: ApiRequest) -> CallRecord:
    """Return the record of a call, with the account that it names and without its secret."""
    payload: dict[str, Any] = {}
    with suppress(ApiError):
        payload = asked.payload()
    app_id = asked.books.tokens.owner(asked.query.get("access_token", ""))
    named = asked.query.get("appid") or payload.get("appid")
    if not app_id and isinstance(named, str) and named in asked.books.accounts:
        app_id = named
    return CallRecord(asked.path, app_id, asked.now, {name: payload[name] for name in payload if name != "secret"})
