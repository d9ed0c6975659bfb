"""Make, list, rename and delete tags with WeChat's limits."""

from datetime import timedelta
from typing import Any

import pytest

from tests.dev.wechat_api.wechat import Wechat, open_wechat

STARRED = {"id": 2, "name": "星标组", "count": 0}


async def create(wechat: Wechat, name: object) -> dict[str, Any]:
    return await wechat.call("tags/create", {"tag": {"name": name}})


async def test_success_has_no_errcode_where_none_is_documented() -> None:
    async with open_wechat() as wechat:
        assert await create(wechat, "老客") == {"tag": {"id": 100, "name": "老客"}}
        assert await create(wechat, "VIP") == {"tag": {"id": 101, "name": "VIP"}}
        renamed = await wechat.call("tags/update", {"tag": {"id": 101, "name": "贵宾"}})
        assert renamed == {"errcode": 0, "errmsg": "ok"}
        wechat.account.tags.tag(101, wechat.follow("oAda"))
        assert await wechat.call("tags/get") == {
            "tags": [STARRED, {"id": 100, "name": "老客", "count": 0}, {"id": 101, "name": "贵宾", "count": 1}]
        }


@pytest.mark.parametrize(
    ("name", "errcode"),
    [
        ("三" * 10, None),
        ("a" * 30, None),
        ("a" * 31, 45158),
        ("三" * 10 + "a", 45158),
        ("", 45157),
        ("  ", 45157),
        (7, 45157),
        ("VIP", 45157),
        ("星标组", 45157),
    ],
)
async def test_names_have_at_most_thirty_bytes_and_are_used_once(name: object, errcode: int | None) -> None:
    async with open_wechat() as wechat:
        await wechat.new_tag("VIP")
        other = await wechat.new_tag("New")

        assert (await create(wechat, name)).get("errcode") == errcode
        if errcode is None:
            wechat.account.tags.delete(102)
        renamed = await wechat.call("tags/update", {"tag": {"id": other, "name": name}})
        assert renamed["errcode"] == (errcode or 0)


async def test_a_tag_may_keep_its_name() -> None:
    async with open_wechat() as wechat:
        tag_id = await wechat.new_tag("VIP")

        assert (await wechat.call("tags/update", {"tag": {"id": tag_id, "name": "VIP"}}))["errcode"] == 0


async def test_an_account_has_a_hundred_tags_and_uses_no_id_twice() -> None:
    async with open_wechat() as wechat:
        for number in range(99):
            wechat.account.tags.create(f"tag {number}", wechat.clock())

        last = await wechat.new_tag("the last")
        assert (await create(wechat, "one too many"))["errcode"] == 45056
        assert (await wechat.call("tags/delete", {"tag": {"id": last}}))["errcode"] == 0
        assert await wechat.new_tag("another") == last + 1


@pytest.mark.parametrize(
    ("path", "tag", "errcode"),
    [
        ("delete", {}, 44002),
        ("delete", {"id": 0}, 45058),
        ("delete", {"id": 2}, 45058),
        ("delete", {"id": 99}, 45159),
        ("delete", {"id": "100"}, 45159),
        ("delete", "100", 47001),
        ("update", {"id": 1, "name": "x"}, 45058),
        ("update", {"id": 99, "name": "x"}, 45159),
        ("update", {"name": "x"}, 45159),
        ("create", {}, 45157),
    ],
)
async def test_tags_of_the_system_and_unknown_ones_stay(path: str, tag: object, errcode: int) -> None:
    async with open_wechat() as wechat:
        await wechat.new_tag()

        assert (await wechat.call(f"tags/{path}", {"tag": tag}))["errcode"] == errcode


async def test_a_tag_with_too_many_members_is_not_deleted() -> None:
    async with open_wechat(max_members_of_deleted_tag=2) as wechat:
        tag_id = await wechat.new_tag()
        wechat.account.tags.tag(tag_id, wechat.follow("oAda", "oBob", "oEve"))

        assert (await wechat.call("tags/delete", {"tag": {"id": tag_id}}))["errcode"] == 45057
        wechat.account.tags.untag(tag_id, ["oEve"])
        assert (await wechat.call("tags/delete", {"tag": {"id": tag_id}}))["errcode"] == 0
        assert (await wechat.call("tags/getidlist", {"openid": "oAda"})) == {"tagid_list": []}


async def test_a_new_tag_is_unknown_for_a_while_if_the_switch_says_so() -> None:
    async with open_wechat() as wechat:
        wechat.books.behaviour.new_tag_unknown_for = timedelta(seconds=20)
        tag_id = await wechat.new_tag()
        wechat.follow("oAda")
        asked = {"openid_list": ["oAda"], "tagid": tag_id}

        for path in ("tags/members/batchtagging", "tags/members/batchuntagging", "user/tag/get"):
            assert (await wechat.call(path, asked))["errcode"] == 45159
        assert len((await wechat.call("tags/get"))["tags"]) == 2
        wechat.clock.advance(timedelta(seconds=20))
        assert (await wechat.call("tags/members/batchtagging", asked))["errcode"] == 0


async def test_a_new_tag_may_not_be_listed_at_once() -> None:
    async with open_wechat() as wechat:
        wechat.books.behaviour.new_tag_unlisted_for = timedelta(seconds=20)
        await wechat.new_tag()

        assert (await wechat.call("tags/get"))["tags"] == [STARRED]
        assert (await create(wechat, "VIP"))["errcode"] == 45157
        wechat.clock.advance(timedelta(seconds=20))
        assert len((await wechat.call("tags/get"))["tags"]) == 2
