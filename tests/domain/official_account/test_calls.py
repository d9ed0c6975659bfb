"""Say what WeChat understands and understand what it says; tag for an account in one call at a time."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.official_account.calling import call_wechat
from service.domain.runtime import Runtime
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import BadInputError, ChannelNotBoundError, UpstreamError
from service.foundation.settings import Settings
from service.storage import wechat_accounts
from service.wechat.api.call import Answer, ApiCall
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import WechatError
from service.wechat.api.tag_calls import (
    RemoteTag,
    blacklist,
    create_tag,
    delete_tag,
    list_tags,
    rename_tag,
    tag_members,
    tag_users,
    tags_of_user,
    untag_users,
)
from service.wechat.api.user_calls import UserDetails, change_openids, followers, users_info
from tests.dev.wechat_api.wechat import ACCOUNT, OTHER, Wechat
from tests.support.runtime import bind, open_runtime


class Caller:
    """Call for the imitated account."""

    def __init__(self, runtime: Runtime, channel: Channel) -> None:
        self._runtime = runtime
        self._channel = channel

    async def __call__(self, call: ApiCall[Answer]) -> Answer:
        """Return the answer."""
        return await call_wechat(self._runtime, self._channel, call)


@pytest.fixture
def call(runtime: Runtime, channel: Channel) -> Caller:
    return Caller(runtime, channel)


async def test_tags_are_made_renamed_listed_and_deleted(call: Caller, wechat: Wechat) -> None:
    wechat.books.behaviour.escapes_code = 40033
    made = await call(create_tag("新客户"))
    await call(rename_tag(made, "老客户"))

    system, own = await call(list_tags())
    assert own == RemoteTag(made, "老客户", 0)
    assert (system.of_system, own.of_system) == (True, False)
    await call(delete_tag(made))
    assert wechat.account.tags.tags == {}


async def test_followers_are_tagged_and_found_by_their_tags(call: Caller, wechat: Wechat) -> None:
    crowd = wechat.crowd(120)
    made = await call(create_tag("VIP"))
    assert (await call(tag_members(made))).openids == ()
    for start in range(0, 120, 50):
        await call(tag_users(made, crowd[start : start + 50]))
    await call(untag_users(made, crowd[:1]))

    page = await call(tag_members(made))
    assert (page.openids, page.cursor) == (tuple(crowd[1:]), crowd[-1])
    assert await call(tag_members(made, page.cursor)) == replace(page, openids=(), cursor="")
    assert await call(tags_of_user(crowd[1])) == {made}
    assert await call(tags_of_user(crowd[0])) == set()


async def test_those_who_failed_are_named(call: Caller, wechat: Wechat) -> None:
    crowd = wechat.crowd(3)
    made = await call(create_tag("VIP"))

    with pytest.raises(WechatError) as raised:
        await call(tag_users(made, [*crowd, "oStranger"]))

    assert (raised.value.decision, raised.value.failed_openids) == (Decision.PARTIAL, ("oStranger",))


@pytest.mark.parametrize("size", [0, 51])
def test_more_than_fits_a_call_is_not_sent(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 50 openids"):
        tag_users(100, ["oAda"] * size)


@pytest.mark.parametrize("size", [0, 101])
def test_more_users_than_fit_a_call_are_not_asked_about(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 100 openids"):
        users_info(["oAda"] * size)


async def test_followers_come_in_pages_and_with_details(call: Caller, wechat: Wechat) -> None:
    first, second, third = wechat.crowd(3)
    wechat.account.unfollow(second)
    wechat.account.people.user(third).sparse = True

    page = await call(followers())
    assert page.openids == (first, third)
    assert (await call(followers(page.cursor))).cursor == ""
    full, gone, sparse = await call(users_info([first, second, third]))

    assert full == UserDetails(
        openid=first,
        following=True,
        followed_at=wechat.clock() - timedelta(days=30),
        unionid=wechat.account.people.user(first).unionid,
        subscribe_scene="ADD_SCENE_SEARCH",
        qr_scene="",
        tag_ids=frozenset(),
    )
    assert (gone.following, gone.followed_at, gone.unionid) == (False, None, None)
    assert (sparse.following, sparse.followed_at, sparse.subscribe_scene) == (True, None, None)


async def test_the_scene_of_a_qr_code_is_told_as_text(call: Caller, wechat: Wechat) -> None:
    wechat.account.follow("oAda", wechat.clock(), scene="123")
    wechat.account.follow("oBob", wechat.clock(), scene="door")

    found = await call(users_info(["oAda", "oBob"]))

    assert [user.qr_scene for user in found] == ["123", "door"]


async def test_the_blacklist_is_read(call: Caller, wechat: Wechat) -> None:
    assert (await call(blacklist())).openids == ()
    wechat.account.blacklist["oAda"] = None

    page = await call(blacklist())

    assert (page.openids, page.cursor) == (("oAda",), "oAda")
    assert (await call(blacklist(page.cursor))).cursor == ""


async def test_migrated_openids_are_told(call: Caller, wechat: Wechat) -> None:
    wechat.books.accounts[OTHER.app_id].follow("oOld", wechat.clock())
    wechat.books.migrate(OTHER.app_id, ACCOUNT.app_id)

    moved = await call(change_openids(OTHER.app_id, ["oOld", "oNobody"]))

    assert moved == wechat.account.migrated[OTHER.app_id]


async def test_an_account_makes_one_call_that_tags_at_a_time(
    database_url: str, runtime: Runtime, settings: Settings, channel: Channel, wechat: Wechat
) -> None:
    [openid] = wechat.crowd(1)
    made = wechat.account.tags.create("VIP", wechat.clock()).id
    wechat.books.behaviour.answers_after = 0.02
    async with open_runtime(database_url, wechat.clock, settings=settings, pool_size=4) as other:
        await asyncio.gather(*(call_wechat(each, channel, tag_users(made, [openid])) for each in [runtime, other] * 4))

    assert wechat.books.calls.peaks[ACCOUNT.app_id, "TAGGING"] == 1
    assert wechat.account.tags.tags_of(openid) == (made,)


async def test_a_process_that_died_while_it_tagged_holds_nobody_up_for_long(
    runtime: Runtime, channel: Channel, wechat: Wechat
) -> None:
    [openid] = wechat.crowd(1)
    made = await call_wechat(runtime, channel, create_tag("VIP"))
    now = wechat.clock()
    async with runtime.pool.acquire() as conn:
        assert await wechat_accounts.begin_tagging(conn, channel.channel_id, now, now + timedelta(seconds=30))
    wechat.clock.advance(timedelta(seconds=30))

    await call_wechat(runtime, channel, tag_users(made, [openid]))

    assert wechat.account.tags.tags_of(openid) == (made,)


async def test_nothing_is_called_while_acting_is_off(
    database_url: str, settings: Settings, channel: Channel, wechat: Wechat
) -> None:
    async with open_runtime(database_url, wechat.clock, settings=replace(settings, acting=False)) as passive:
        with pytest.raises(UpstreamError):
            await call_wechat(passive, channel, list_tags())

    assert not wechat.books.calls.outcomes


async def test_nothing_is_called_for_a_channel_that_cannot_be(runtime: Runtime, wechat: Wechat) -> None:
    mini_program = await bind(runtime, kind=ChannelKind.MINI_PROGRAM)
    unverified = await bind(runtime, kind=ChannelKind.SUBSCRIPTION_ACCOUNT, verified=False)
    without_secret = await bind(runtime)

    for channel, error in (
        (mini_program, BadInputError),
        (unverified, ChannelNotBoundError),
        (without_secret, BadInputError),
    ):
        with pytest.raises(error):
            await call_wechat(runtime, channel, list_tags())
    assert not wechat.books.calls.outcomes
