"""List followers and tell about users, computed and stored ones."""

from datetime import timedelta
from typing import Any

import pytest

from tests.dev.wechat_api.wechat import ACCOUNT, OTHER, Wechat, open_wechat


async def pages(wechat: Wechat) -> list[list[str]]:
    """Return the pages of followers up to the one that is empty."""
    found: list[list[str]] = []
    cursor = ""
    while True:
        page = await wechat.call("user/get", next_openid=cursor)
        if page["count"] == 0:
            assert page == {"total": sum(map(len, found)), "count": 0, "next_openid": ""}
            return found
        assert page["next_openid"] == page["data"]["openid"][-1]
        assert page["count"] == len(page["data"]["openid"])
        found.append(page["data"]["openid"])
        cursor = page["next_openid"]


@pytest.mark.parametrize(("size", "lengths"), [(0, []), (9_999, [9_999]), (10_000, [10_000]), (10_001, [10_000, 1])])
async def test_followers_come_in_pages_of_ten_thousand_and_then_none(size: int, lengths: list[int]) -> None:
    async with open_wechat() as wechat:
        crowd = wechat.crowd(size)
        found = await pages(wechat)

    assert [len(page) for page in found] == lengths
    assert [openid for page in found for openid in page] == crowd
    assert len(set(crowd)) == size
    assert all(len(openid) == 28 and openid.startswith("o") for openid in crowd)


async def test_who_left_is_passed_over_wherever_the_page_ends() -> None:
    async with open_wechat(followers_per_page=2) as wechat:
        crowd = wechat.crowd(3)
        wechat.follow("oAda", "oBob", crowd[2])
        wechat.account.unfollow(crowd[0])
        wechat.account.unfollow("oAda")
        wechat.account.unfollow("oNobody")

        assert await pages(wechat) == [crowd[1:], ["oBob"]]
        after_one_who_left = await wechat.call("user/get", next_openid="oAda")
        assert after_one_who_left == {"total": 3, "count": 1, "data": {"openid": ["oBob"]}, "next_openid": "oBob"}
        assert (await wechat.call("user/get", next_openid="oStranger"))["errcode"] == 40003
        wechat.follow(crowd[0])
        assert await pages(wechat) == [crowd[:2], [crowd[2], "oBob"]]


async def test_the_total_moves_while_followers_are_read() -> None:
    async with open_wechat(followers_per_page=2) as wechat:
        wechat.crowd(2)
        first = await wechat.call("user/get")
        wechat.follow("oAda")
        second = await wechat.call("user/get", next_openid=first["next_openid"])

    assert (first["total"], second["total"], second["data"]) == (2, 3, {"openid": ["oAda"]})


async def test_what_is_known_of_users_depends_on_whether_they_follow() -> None:
    async with open_wechat() as wechat:
        wechat.account.follow("oAda", wechat.clock(), scene="poster").unionid = "oUnion"
        wechat.account.follow("oBob", wechat.clock(), scene="1024")
        wechat.account.follow("oEve", wechat.clock()).sparse = True
        wechat.account.follow("oLeft", wechat.clock()).unionid = "oUnionToo"
        wechat.account.unfollow("oLeft")
        asked = [{"openid": openid, "lang": "zh_CN"} for openid in ("oAda", "oBob", "oEve", "oLeft")]
        found = (await wechat.call("user/info/batchget", {"user_list": asked}))["user_info_list"]
        alone = await wechat.call("user/info", openid="oAda", lang="zh_CN")

    ada, bob, eve, left = found
    assert ada == alone
    assert ada["subscribe_time"] == wechat.clock().timestamp()
    assert (ada["subscribe"], ada["unionid"], ada["nickname"]) == (1, "oUnion", "")
    assert (ada["subscribe_scene"], ada["qr_scene"], ada["qr_scene_str"]) == ("ADD_SCENE_QR_CODE", 0, "poster")
    assert (bob["qr_scene"], bob["qr_scene_str"]) == (1024, "")
    assert "unionid" not in bob
    assert eve == {"subscribe": 1, "openid": "oEve", "tagid_list": []}
    assert left == {"subscribe": 0, "openid": "oLeft", "tagid_list": []}


async def test_a_computed_follower_is_told_like_any_other() -> None:
    async with open_wechat() as wechat:
        crowd = wechat.crowd(15)
        asked = [{"openid": openid} for openid in crowd]
        found = (await wechat.call("user/info/batchget", {"user_list": asked}))["user_info_list"]
        wechat.account.people.set_crowd(15, wechat.clock(), unionids=False)
        unbound = await wechat.call("user/info", openid=crowd[0])

    assert [each["openid"] for each in found] == crowd
    assert len({each["unionid"] for each in found}) == 15
    assert len({each["subscribe_scene"] for each in found}) == 13
    first = (wechat.clock() - timedelta(days=30)).timestamp()
    assert [each["subscribe_time"] - first for each in found] == list(range(15))
    assert "unionid" not in unbound


async def test_a_batch_has_one_to_a_hundred_openids_all_of_them_known() -> None:
    async with open_wechat() as wechat:
        crowd = wechat.crowd(101)

        async def errcode(asked: object) -> object:
            return (await wechat.call("user/info/batchget", {"user_list": asked})).get("errcode")

        assert await errcode([{"openid": openid} for openid in crowd[:100]]) is None
        assert await errcode([{"openid": openid} for openid in crowd]) == 40032
        for empty in ("oAda", None, 7):
            assert await errcode(empty) == 40032
        assert await errcode([]) == 40032
        for strange in ({"openid": "oStranger"}, "oAda", {}, {"openid": [crowd[0]]}, {"openid": crowd[0] + "\r"}):
            assert await errcode([{"openid": crowd[0]}, strange]) == 40003
        assert (await wechat.call("user/info", openid="oStranger"))["errcode"] == 40003


async def test_openids_change_with_the_account() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob", "oLeft")
        wechat.account.people.user("oAda").unionid = "oUnion"
        wechat.account.unfollow("oLeft")
        token = await wechat.token(OTHER)

        async def change(openids: object, from_app_id: str = ACCOUNT.app_id) -> dict[str, Any]:
            body = {"from_appid": from_app_id, "openid_list": openids}
            return await wechat.post("changeopenid", body, access_token=token)

        assert (await change(["oAda"]))["errcode"] == 63178
        wechat.books.migrate(ACCOUNT.app_id, OTHER.app_id)
        found = await change(["oAda", "oLeft", "oBob"])
        ada, left, bob = found["result_list"]
        assert found["errcode"] == 0
        assert (ada["ori_openid"], ada["err_msg"], bob["err_msg"]) == ("oAda", "ok", "ok")
        assert ada["new_openid"] != bob["new_openid"]
        assert left == {"ori_openid": "oLeft", "err_msg": "ori_openid error"}
        moved = await wechat.get("user/info", access_token=token, openid=ada["new_openid"])
        assert (moved["subscribe_scene"], moved["unionid"]) == ("ADD_SCENE_ACCOUNT_MIGRATION", "oUnion")
        assert (await change(["oAda"] * 101))["errcode"] == 63179
        assert (await change([]))["errcode"] == (await change(None))["errcode"] == 63182
        assert (await change(["oAda"], ACCOUNT.gh_id))["errcode"] == 63178
        wechat.books.behaviour.migrated_from_gh_id = True
        assert (await change(["oAda"], ACCOUNT.gh_id))["result_list"] == [ada]
        assert (await change(["oAda"]))["errcode"] == 63178
