"""Bear with answers that do not come, come slowly, or are no answers; and let nothing secret out."""

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from service.dev.demo.hosting import serve_app
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.domain.official_account.calling import call_wechat
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.foundation.logging import configure_logging
from service.foundation.settings import Settings, WechatCalls
from service.wechat.api.account_calls import STABLE_TOKEN, get_stable_token, quota_of
from service.wechat.api.call import ApiCall
from service.wechat.api.errors import UnansweredError, WechatError
from service.wechat.api.tag_calls import create_tag, list_tags, tag_members
from service.wechat.api.transport import WechatTransport
from service.wechat.api.user_calls import users_info
from tests.dev.wechat_api.wechat import Wechat
from tests.domain.official_account.conftest import SECRET

TAGS = "/cgi-bin/tags/get"
CREATE = "/cgi-bin/tags/create"
FAULTS = (
    *(FaultKind.HANG, FaultKind.RESET, FaultKind.DRIP, FaultKind.OVERSIZED, FaultKind.STATUS, FaultKind.HTML),
    FaultKind.TRUNCATED,
)


@pytest.fixture
def settings(wechat: Wechat) -> Settings:
    """Wait a second for an answer, and take no large ones."""
    return settings_of(wechat, call_within=timedelta(seconds=1))


def settings_of(wechat: Wechat, *, call_within: timedelta) -> Settings:
    calls = WechatCalls(call_within=call_within, retry_after=timedelta(milliseconds=1), answer_bytes=100_000)
    return Settings(wechat_api_url=wechat.url, wechat=calls)


def fault(kind: FaultKind, **options: Any) -> Fault:
    return Fault(kind=kind, size=200_000, seconds=0.1, **options)


def begun(wechat: Wechat, path: str) -> int:
    """Return how many calls of a path were begun; one that drips may never end."""
    return sum(call.path == path for call in wechat.books.calls.recent)


async def test_a_call_without_a_usable_answer_is_repeated(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    for path in (STABLE_TOKEN, TAGS):
        for kind in FAULTS:
            before = begun(wechat, path)
            wechat.books.faults.add(path, fault(kind))
            if path == STABLE_TOKEN:
                wechat.clock.advance(timedelta(hours=3))

            assert await call_wechat(runtime, channel, list_tags()), kind
            assert begun(wechat, path) == before + 2, kind


async def test_a_call_that_must_not_be_made_twice_is_not(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    for number, kind in enumerate(FAULTS, start=1):
        wechat.books.faults.add(CREATE, fault(kind, accepted=True))

        with pytest.raises(UnansweredError) as raised:
            await call_wechat(runtime, channel, create_tag(f"Tag {number}"))

        assert raised.value.sent
        assert len(wechat.account.tags.tags) == number


async def test_a_token_with_minutes_left_is_used_while_it_cannot_be_renewed(
    runtime: Runtime, channel: Channel, wechat: Wechat
) -> None:
    await call_wechat(runtime, channel, list_tags())
    for order in (fault(FaultKind.HANG), fault(FaultKind.ERROR, code=-1)):
        wechat.clock.advance(timedelta(minutes=117))
        wechat.books.faults.add(STABLE_TOKEN, order)
        before = begun(wechat, STABLE_TOKEN)

        for _ in range(3):
            assert await call_wechat(runtime, channel, list_tags())

        assert begun(wechat, STABLE_TOKEN) == before + 1
        wechat.clock.advance(timedelta(minutes=5))
        assert await call_wechat(runtime, channel, list_tags())


READERS: list[tuple[ApiCall[Any], object]] = [
    (list_tags(), {"tags": 5}),
    (list_tags(), {"tags": [{"id": "x", "name": "n"}]}),
    (list_tags(), [1]),
    (list_tags(), {"errcode": "no"}),
    (create_tag("n"), {"errcode": 0}),
    (tag_members(100), {"data": [1]}),
    (users_info(["o"]), {"user_info_list": [{"openid": "o", "subscribe": 1, "subscribe_time": 10**30}]}),
    (get_stable_token("a", "b"), {"access_token": "", "expires_in": 7200}),
    (get_stable_token("a", "b"), {"access_token": "t" * 5_000, "expires_in": 7200}),
    (get_stable_token("a", "b"), {"access_token": "t", "expires_in": 0}),
    (quota_of(TAGS), {"quota": {}}),
]


@pytest.mark.parametrize(("call", "answer"), READERS)
async def test_an_answer_of_another_shape_is_none(call: ApiCall[Any], answer: object) -> None:
    async def respond(_: object) -> Response:
        return Response(orjson.dumps(answer))

    app = Starlette(routes=[Route(call.path, respond, methods=["GET", "POST"])])
    async with serve_app(app) as url:
        transport = WechatTransport(Settings(wechat_api_url=url))
        with pytest.raises(UnansweredError) as raised:
            await transport.send(call, "token")
        await transport.aclose()

    assert raised.value.sent


async def test_neither_tokens_nor_secrets_are_logged_or_raised(
    runtime: Runtime, channel: Channel, wechat: Wechat, log_lines: Callable[[], list[str]]
) -> None:
    configure_logging(production=False)
    logging.getLogger().setLevel(logging.DEBUG)
    await call_wechat(runtime, channel, list_tags())
    # Answers that come in time are not wanted from here on.
    hasty = settings_of(wechat, call_within=timedelta(milliseconds=100))
    transport = WechatTransport(hasty)
    runtime = replace(runtime, settings=hasty, wechat=transport)
    token = wechat.books.tokens.issued[0].text
    seen = [repr(channel), repr(runtime), repr(list_tags()), repr(get_stable_token("wx", SECRET))]
    orders = [
        *(fault(kind, times=None) for kind in FAULTS),
        *(fault(FaultKind.ERROR, times=None, code=code, message=f"{token} {SECRET} refused") for code in (-1, 40003)),
    ]
    for order in orders:
        for path in (TAGS, STABLE_TOKEN):
            wechat.books.faults.add(path, order)
            try:
                await call_wechat(runtime, channel, list_tags())
            except (UnansweredError, WechatError) as error:
                seen += [repr(error), *traceback.format_exception(error)]
            wechat.books.faults.clear()
            wechat.clock.advance(timedelta(hours=3))
    await transport.aclose()
    seen += log_lines()

    tokens = [each.text for each in wechat.books.tokens.issued]
    assert len(tokens) > 1
    assert len(seen) > len(orders)
    assert [line for line in seen if any(each in line for each in (SECRET, *tokens))] == []
