"""Send what people do on the imitated platform over real HTTP, as the service reads it."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.dev.demo.hosting import serve_app
from service.dev.demo.platform import CallbackRejectedError, WechatPlatform
from service.dev.demo.push_encoder import BodyFormat, Mode
from service.entities.users import EventKind
from tests.dev.demo.push_receiver import OPENID, new_account, open_receiver

PAST = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("mode", ["plain", "safe", "compat"])
@pytest.mark.parametrize("body_format", ["xml", "json"])
async def test_what_a_person_does_arrives_as_facts(mode: Mode, body_format: BodyFormat) -> None:
    key = None if mode == "plain" else "A" * 43
    account = new_account(mode=mode, body_format=body_format, encoding_aes_key=key)
    async with open_receiver(account) as (platform, receiver):
        app_id = account.app_id
        await platform.follow(app_id, OPENID, at=PAST)
        await platform.follow(app_id, OPENID, "table-7", at=PAST)
        await platform.send_text(app_id, OPENID, "你好", at=PAST)
        await platform.click_menu(app_id, OPENID, "MENU_HELP", at=PAST)
        await platform.event(app_id, OPENID, "VIEW", {"EventKey": "https://tea.example/?a=1&b=2"}, at=PAST)
        await platform.scan(app_id, OPENID, "1024", at=PAST)
        await platform.unfollow(app_id, OPENID, at=PAST)

    assert [push.facts for push in receiver.pushes] == [
        {EventKind.FOLLOW},
        {EventKind.FOLLOW, EventKind.SCAN},
        {EventKind.MESSAGE},
        {EventKind.MENU_CLICK},
        {EventKind.MENU_CLICK},
        {EventKind.SCAN},
        {EventKind.UNFOLLOW},
    ]
    assert {(push.openid, push.at) for push in receiver.pushes} == {(OPENID, PAST)}


async def test_every_message_has_an_id_of_its_own() -> None:
    async with open_receiver(new_account()) as (platform, receiver):
        sent = [await platform.send_text(receiver.account.app_id, OPENID, "1") for _ in range(3)]

    assert len({delivery.fields["MsgId"] for delivery in sent}) == 3


async def test_a_push_is_tried_three_times() -> None:
    async with open_receiver(new_account()) as (platform, receiver):
        receiver.statuses = [500, 503, 500, 500]
        lost = await platform.send_text(receiver.account.app_id, OPENID, "lost")
        kept = await platform.send_text(receiver.account.app_id, OPENID, "kept")

    assert (lost.acknowledged, lost.answers) == (False, (500, 503, 500))
    assert (kept.acknowledged, kept.answers) == (True, (500, 200))
    assert receiver.requests == 5
    assert [delivery.acknowledged for delivery in platform.deliveries] == [False, True]
    assert kept.fields["Content"] == "kept"


async def test_an_empty_answer_is_an_acknowledgement_and_any_other_is_none() -> None:
    async with open_receiver(new_account()) as (platform, receiver):
        receiver.statuses = [200, 204, 204, 204]
        empty = await platform.send_text(receiver.account.app_id, OPENID, "1")
        other = await platform.send_text(receiver.account.app_id, OPENID, "2")

    assert (empty.acknowledged, empty.answers) == (True, (200,))
    assert (other.acknowledged, other.answers) == (False, (204, 204, 204))


async def test_a_callback_that_is_gone_is_tried_three_times() -> None:
    async with open_receiver(new_account()) as (platform, receiver):
        pass
    async with httpx.AsyncClient(trust_env=False) as client:
        later = WechatPlatform(client)
        later.register(platform.account(receiver.account.app_id))
        delivery = await later.follow(receiver.account.app_id, OPENID)

    assert (delivery.acknowledged, delivery.answers) == (False, ("ConnectError",) * 3)


async def test_a_callback_that_never_answers_is_given_up_three_times() -> None:
    released = asyncio.Event()

    async def hang(_: Request) -> Response:
        await released.wait()
        return PlainTextResponse("success")

    application = Starlette(routes=[Route("/", hang, methods=["POST"])])
    async with serve_app(application) as address, httpx.AsyncClient(trust_env=False) as client:
        platform = WechatPlatform(client, response_timeout=timedelta(milliseconds=50))
        platform.register(new_account(callback_url=address))
        delivery = await platform.send_text("wxba5fad812f8e6fb9", OPENID, "1")
        released.set()

    assert (delivery.acknowledged, delivery.answers) == (False, ("TimeoutError",) * 3)


async def test_a_callback_that_does_not_echo_is_not_used() -> None:
    account = new_account()
    async with open_receiver(account) as (platform, _):
        url = str(platform.account(account.app_id).callback_url)
        platform.register(account)
        with pytest.raises(CallbackRejectedError, match="404"):
            await platform.configure_callback(account.app_id, url + "/elsewhere")

        assert platform.account(account.app_id).callback_url is None


async def test_an_account_without_callback_cannot_push() -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        platform = WechatPlatform(client)
        platform.register(new_account())
        with pytest.raises(ValueError, match="no callback"):
            await platform.follow("wxba5fad812f8e6fb9", OPENID)


async def test_only_the_newest_deliveries_are_remembered_when_asked() -> None:
    async with (
        open_receiver(new_account()) as (configured, receiver),
        httpx.AsyncClient(trust_env=False) as client,
    ):
        platform = WechatPlatform(client, max_deliveries=2)
        platform.register(configured.account(receiver.account.app_id))
        for text in ("1", "2", "3"):
            await platform.send_text(receiver.account.app_id, OPENID, text)

        assert [delivery.fields["Content"] for delivery in platform.deliveries] == ["2", "3"]


async def test_the_last_thing_somebody_did_is_known() -> None:
    async with open_receiver(new_account()) as (platform, receiver):
        app_id = receiver.account.app_id
        await platform.follow(app_id, OPENID, at=PAST)
        await platform.send_text(app_id, OPENID, "1", at=PAST + timedelta(hours=1))
        await platform.click_menu(app_id, OPENID, "MENU_HELP", at=PAST)

    assert platform.user(app_id, OPENID).acted_at == PAST + timedelta(hours=1)
