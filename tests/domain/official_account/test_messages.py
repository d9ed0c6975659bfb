"""Send messages through the transport: no more than once, and with a record of what WeChat said of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.dev.demo.hosting import serve_app
from service.domain.channels.binding import ChannelDetails, Credentials, bind_channel
from service.domain.official_account.calling import call_wechat
from service.domain.runtime import Runtime
from service.entities.channels import ChannelKind
from service.entities.errors import BadInputError
from service.foundation.settings import Settings
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import WechatError
from service.wechat.api.message_calls import (
    MASS_SEND,
    MassText,
    Sent,
    send_mini_program_subscription,
    send_template,
    send_to_many,
)
from service.wechat.api.transport import WechatTransport
from tests.dev.wechat_api.wechat import MINI_PROGRAM, Wechat
from tests.domain.official_account.conftest import SECRET
from tests.support.runtime import admin, bind


@asynccontextmanager
async def answering(answer: object) -> AsyncIterator[tuple[WechatTransport, list[Any]]]:
    """Serve one answer to whatever is sent to many, and yield who sends it and the bodies that came."""
    bodies: list[Any] = []

    async def respond(request: Request) -> Response:
        bodies.append(orjson.loads(await request.body()))
        return Response(orjson.dumps(answer))

    async with serve_app(Starlette(routes=[Route(MASS_SEND, respond, methods=["POST"])])) as url:
        transport = WechatTransport(Settings(wechat_api_url=url))
        yield transport, bodies
        await transport.aclose()


MESSAGE = send_to_many(["oAda", "oBob"], MassText("新品 ✨"), "c-1")


async def test_a_message_goes_out_as_it_is_written() -> None:
    async with answering({"errcode": 0, "errmsg": "ok", "msg_id": 2**53 + 1}) as (transport, bodies):
        assert await transport.send(MESSAGE, "token") == Sent("9007199254740993")

    assert bodies == [MESSAGE.body]


@pytest.mark.parametrize(
    ("told", "msg_id"), [(3147494552, "3147494552"), (str(2**63 - 1), str(2**63 - 1)), (None, None)]
)
async def test_a_message_that_was_taken_before_tells_its_id(told: object, msg_id: str | None) -> None:
    answer = {"errcode": 45065, "errmsg": "clientmsgid exist", "msg_id": told}
    async with answering(answer) as (transport, _):
        with pytest.raises(WechatError) as raised:
            await transport.send(MESSAGE, "token")

    assert (raised.value.decision, raised.value.msg_id) == (Decision.ALREADY_DONE, msg_id)


async def test_a_mini_program_is_called_for_messages_alone(runtime: Runtime, wechat: Wechat) -> None:
    wechat.platform.register(replace(MINI_PROGRAM, secret=SECRET))
    wechat.books.behaviour.limitless = True
    details = ChannelDetails(
        ChannelKind.MINI_PROGRAM, MINI_PROGRAM.app_id, "A Mini Program", True, Credentials(app_secret=SECRET)
    )
    await bind(runtime, app_id="wx0000000000000042")
    mini_program = await bind_channel(runtime, admin(), details)
    wechat.books.accounts[MINI_PROGRAM.app_id].follow("oAda", wechat.clock())

    sent = await call_wechat(runtime, mini_program, send_mini_program_subscription("oAda", "t1", {"thing1": "tea"}))

    assert sent.msg_id
    with pytest.raises(BadInputError):
        await call_wechat(runtime, mini_program, send_template("oAda", "t1", {}))
