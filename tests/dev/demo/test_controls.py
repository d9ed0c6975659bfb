"""Let somebody play with the people of the imitated platform, over HTTP."""

import httpx

from service.dev.demo.hosting import serve_app
from service.dev.demo.server import platform_app
from service.entities.users import EventKind
from tests.dev.demo.push_receiver import OPENID, new_account, open_receiver

ACCOUNT = new_account()


async def test_somebody_can_play_with_the_people() -> None:
    async with (
        open_receiver(ACCOUNT) as (platform, receiver),
        serve_app(platform_app(platform)) as address,
        httpx.AsyncClient(base_url=address, trust_env=False) as client,
    ):
        for action in ("follow", "message", "click", "scan", "unfollow"):
            answer = (await client.post(f"/demo/{OPENID}/{action}")).json()
            assert answer == {"appId": ACCOUNT.app_id, "acknowledged": True, "answers": [200]}
        people = (await client.get("/demo/people")).json()["people"]
        unknown = (await client.post(f"/demo/{OPENID}/dance")).json()
        malformed = (await client.post("/demo/é/follow")).json()
        elsewhere = (await client.post(f"/demo/{OPENID}/follow?appId=wx1")).json()

    assert people == [{"appId": ACCOUNT.app_id, "openid": OPENID, "following": False}]
    assert [push.facts for push in receiver.pushes] == [
        {EventKind.FOLLOW},
        {EventKind.MESSAGE},
        {EventKind.MENU_CLICK},
        {EventKind.SCAN},
        {EventKind.UNFOLLOW},
    ]
    assert (unknown["errcode"], malformed["errcode"], elsewhere["errcode"]) == (-1, 40003, 40013)


async def test_who_does_not_follow_cannot_write_and_follows_first() -> None:
    async with (
        open_receiver(ACCOUNT) as (platform, receiver),
        serve_app(platform_app(platform)) as address,
        httpx.AsyncClient(base_url=address, trust_env=False) as client,
    ):
        await client.post(f"/demo/{OPENID}/message")
        await client.post(f"/demo/{OPENID}/click")

    assert [push.facts for push in receiver.pushes] == [{EventKind.FOLLOW}, {EventKind.MESSAGE}, {EventKind.MENU_CLICK}]
    assert platform.user(ACCOUNT.app_id, OPENID).following
