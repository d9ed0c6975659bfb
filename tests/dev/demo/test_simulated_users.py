"""Send what the demo's people do, and let them live on."""

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from service.dev.demo.platform import WechatPlatform
from service.dev.demo.simulated_users import Action, SimulatedUsers
from service.dev.demo.wechat_api.books.saving import restore_books, save_books
from service.entities.users import EventKind
from tests.dev.demo.push_receiver import new_account, open_receiver
from tests.support.waiting import PATIENCE


async def test_the_backlog_arrives_and_is_the_same_crowd_each_time() -> None:
    async with open_receiver(new_account()) as (platform, receiver):
        app_id = receiver.account.app_id
        crowd = SimulatedUsers(platform, app_id, size=20, unionids=["oUnion"])
        await crowd.send_backlog()

        assert {push.openid for push in receiver.pushes} == set(crowd.openids)
        assert all(delivery.acknowledged for delivery in platform.deliveries)
        answers = [each for each in platform.deliveries if each.fields.get("Event") == "subscribe_msg_popup_event"]
        assert sum(not push.facts for push in receiver.pushes) == len(answers)
        assert platform.books.accounts[app_id].consents.left.total() > 0
        assert platform.user(app_id, crowd.watched).unionid == "oUnion"
        assert SimulatedUsers(platform, app_id, size=20).openids == crowd.openids


async def test_the_crowd_lives_on_and_the_watched_person_leaves_and_comes_back() -> None:
    async with open_receiver(new_account()) as (platform, receiver), asyncio.timeout(PATIENCE):
        crowd = SimulatedUsers(
            platform, receiver.account.app_id, size=5, rate=200.0, watched_every=timedelta(milliseconds=5)
        )
        receiver.expected = 120
        await crowd.perform(crowd.watched, Action.FOLLOW)
        living = asyncio.create_task(crowd.simulate())
        await receiver.all_received.wait()
        living.cancel()
        await asyncio.wait({living})

    watched = [push for push in receiver.pushes if push.openid == crowd.watched]
    others = {push.openid for push in receiver.pushes} - {crowd.watched}
    assert [push.facts - {EventKind.SCAN} for push in watched[:7]] == [
        {EventKind.FOLLOW},
        {EventKind.MESSAGE},
        {EventKind.UNFOLLOW},
        {EventKind.FOLLOW},
        {EventKind.MENU_CLICK},
        {EventKind.UNFOLLOW},
        {EventKind.FOLLOW},
    ]
    assert len(others) > 2
    assert {fact for push in receiver.pushes for fact in push.facts} >= {EventKind.MESSAGE, EventKind.FOLLOW}


async def test_a_push_that_was_lost_makes_the_crowd_wait_for_the_service() -> None:
    waits: list[int] = []

    async with open_receiver(new_account()) as (platform, receiver):

        async def wait_for_service() -> None:
            waits.append(receiver.requests)

        crowd = SimulatedUsers(platform, receiver.account.app_id, size=1, on_push_failure=wait_for_service)
        receiver.statuses = [502, 502, 502]
        await crowd.perform(crowd.watched, Action.FOLLOW)
        await crowd.perform(crowd.watched, Action.TEXT)

    assert waits == [3]
    assert [push.facts for push in receiver.pushes] == [{EventKind.MESSAGE}]


async def test_pushes_and_books_agree_on_who_follows_also_when_the_demo_is_started_again(tmp_path: Path) -> None:
    account = new_account()
    async with open_receiver(account) as (platform, receiver), httpx.AsyncClient(trust_env=False) as client:
        for _ in range(2):
            again = WechatPlatform(client)
            again.register(platform.account(account.app_id))
            restore_books(again.books, tmp_path / "books")
            await SimulatedUsers(again, account.app_id, size=40).send_backlog()
            save_books(again.books, tmp_path / "books")

    told: dict[str, list[tuple[datetime, bool]]] = defaultdict(list)
    for push in receiver.pushes:
        if push.facts:
            told[push.openid].append((push.at, EventKind.UNFOLLOW not in push.facts))
    following = {openid for openid, facts in told.items() if max(facts)[1]}
    books = again.books.accounts[account.app_id].people
    assert following == {user.openid for user in books.known.values() if user.following}
    assert 0 < len(following) < len(told)
