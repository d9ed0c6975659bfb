"""Use the imitation with wechatpy, a client that nobody here wrote."""

from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.limits import Quota
from tests.dev.wechat_api.wechat import ACCOUNT, OTHER, open_wechat
from tests.dev.wechat_api.wechatpy_client import APILimitedException, WeChatClientException, client_of, run


async def test_a_token_is_fetched_once_and_again_when_it_was_refused() -> None:
    async with open_wechat() as wechat:
        client = client_of(wechat)
        await run(client, lambda client: client.tag.get())
        await run(client, lambda client: client.tag.get())
        assert len(wechat.books.tokens.issued) == 1
        wechat.clock.advance(timedelta(hours=2))
        assert await run(client, lambda client: client.tag.get())
        assert len(wechat.books.tokens.issued) == 2

        client.secret = "wrong"
        with pytest.raises(WeChatClientException, match="40125"):
            await run(client, lambda client: client.fetch_access_token())


async def test_tags_are_made_listed_renamed_and_deleted() -> None:
    async with open_wechat() as wechat:
        client = client_of(wechat)
        wechat.books.behaviour.escapes_code = 47002
        made = await run(client, lambda client: client.tag.create("老客"))
        assert made == {"id": 100, "name": "老客"}
        with pytest.raises(WeChatClientException, match="45157"):
            await run(client, lambda client: client.tag.create("老客"))
        await run(client, lambda client: client.tag.update(100, "贵宾"))
        assert {"id": 100, "name": "贵宾", "count": 0} in await run(client, lambda client: client.tag.get())
        await run(client, lambda client: client.tag.delete(100))
        assert wechat.account.tags.tags == {}


async def test_users_are_tagged_and_untagged() -> None:
    async with open_wechat(tag_members_per_page=20) as wechat:
        client = client_of(wechat)
        crowd = wechat.crowd(50)
        tag_id = await wechat.new_tag()
        assert await run(client, lambda client: list(client.tag.iter_tag_users(tag_id))) == []
        await run(client, lambda client: client.tag.tag_user(tag_id, crowd))
        assert await run(client, lambda client: list(client.tag.iter_tag_users(tag_id))) == crowd
        assert await run(client, lambda client: client.tag.get_user_tag(crowd[0])) == [tag_id]
        await run(client, lambda client: client.tag.untag_user(tag_id, crowd[0]))
        assert wechat.account.tags.tags[tag_id].members == set(crowd[1:])
        with pytest.raises(WeChatClientException, match="45171"):
            await run(client, lambda client: client.tag.tag_user(tag_id, [crowd[0], "oStranger"]))
        assert wechat.account.tags.tags[tag_id].members == set(crowd)


async def test_the_blacklist_is_kept() -> None:
    async with open_wechat() as wechat:
        client = client_of(wechat)
        crowd = wechat.crowd(3)
        await run(client, lambda client: client.tag.batch_black_list(crowd))
        await run(client, lambda client: client.tag.batch_unblack_list(crowd[:1]))
        found = await run(client, lambda client: client.tag.get_black_list())
        assert (found["total"], found["data"]["openid"]) == (2, crowd[1:])


async def test_followers_are_listed_and_told_about() -> None:
    async with open_wechat(followers_per_page=30) as wechat:
        client = client_of(wechat)
        crowd = wechat.crowd(60)
        assert await run(client, lambda client: list(client.user.iter_followers())) == crowd
        assert wechat.books.calls.count(ACCOUNT.app_id, "/cgi-bin/user/get") == 3
        batch = await run(client, lambda client: client.user.get_batch(crowd))
        assert [each["openid"] for each in batch] == crowd
        assert await run(client, lambda client: client.user.get(crowd[0])) == batch[0]


async def test_openids_change_with_the_account() -> None:
    async with open_wechat() as wechat:
        wechat.books.accounts[OTHER.app_id].follow("oAda", wechat.clock())
        wechat.books.migrate(OTHER.app_id, ACCOUNT.app_id)
        client = client_of(wechat)
        (found,) = await run(client, lambda client: client.user.change_openid(OTHER.app_id, ["oAda"]))
        followers = await run(client, lambda client: list(client.user.iter_followers()))
        assert (found["ori_openid"], [found["new_openid"]]) == ("oAda", followers)


async def test_a_quota_that_is_used_up_is_known_as_such() -> None:
    async with open_wechat() as wechat:
        client = client_of(wechat)
        wechat.account.quotas.set_quota("/cgi-bin/tags/get", Quota(0))
        with pytest.raises(APILimitedException):
            await run(client, lambda client: client.tag.get())
