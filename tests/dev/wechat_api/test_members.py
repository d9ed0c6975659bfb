"""Tag and untag users with WeChat's limits, and show how bad openids are answered in each way that was reported."""

import asyncio
from typing import Any

import pytest

from service.dev.demo.wechat_api.behaviour import BadOpenid
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from tests.dev.wechat_api.wechat import OTHER, Wechat, open_wechat
from tests.support.waiting import wait_until

TAGGING = "tags/members/batchtagging"
UNTAGGING = "tags/members/batchuntagging"
PEOPLE = ("oAda", "oBob", "oEve")
DONE = {"errcode": 0, "errmsg": "ok"}


async def tag(wechat: Wechat, tag_id: object, *openids: str, path: str = TAGGING) -> dict[str, Any]:
    return await wechat.call(path, {"openid_list": list(openids), "tagid": tag_id})


async def test_tagging_and_untagging_again_changes_nothing() -> None:
    async with open_wechat() as wechat:
        tag_id = await wechat.new_tag()
        wechat.follow(*PEOPLE)

        assert await tag(wechat, tag_id, *PEOPLE) == await tag(wechat, tag_id, "oAda") == DONE
        assert wechat.account.tags.tags[tag_id].members == set(PEOPLE)
        assert await tag(wechat, tag_id, "oAda", path=UNTAGGING) == DONE
        assert await tag(wechat, tag_id, "oAda", path=UNTAGGING) == DONE
        assert wechat.account.tags.tags[tag_id].members == {"oBob", "oEve"}
        assert (wechat.account.tags.changed, wechat.account.tags.unchanged) == (4, 2)


@pytest.mark.parametrize("path", [TAGGING, UNTAGGING])
async def test_a_call_takes_one_to_fifty_openids_and_a_known_tag(path: str) -> None:
    async with open_wechat() as wechat:
        tag_id = await wechat.new_tag()
        crowd = wechat.crowd(51)

        assert await tag(wechat, tag_id, *crowd[:50], path=path) == DONE
        assert (await tag(wechat, tag_id, *crowd, path=path))["errcode"] == 40032
        assert (await tag(wechat, tag_id, path=path))["errcode"] == 40032
        assert (await wechat.call(path, {"openid_list": "oAda", "tagid": tag_id}))["errcode"] == 40032
        for strange in (2, 99, None, str(tag_id), True):
            assert (await tag(wechat, strange, crowd[0], path=path))["errcode"] == 45159


async def test_somebody_with_twenty_tags_gets_no_other() -> None:
    async with open_wechat() as wechat:
        wechat.follow(*PEOPLE)
        for number in range(20):
            wechat.account.tags.tag(wechat.account.tags.create(f"tag {number}", wechat.clock()).id, ["oAda"])
        tag_id = await wechat.new_tag()

        assert (await tag(wechat, tag_id, "oBob", "oAda"))["errcode"] == 45059
        assert wechat.account.tags.tags[tag_id].members == set()
        assert await tag(wechat, 100, "oAda") == DONE
        assert await tag(wechat, tag_id, "oBob") == DONE


async def bad_openids(wechat: Wechat) -> list[tuple[str, int, int]]:
    """Return an openid of each kind that cannot be used, with its code for tagging and for untagging."""
    wechat.follow("oLeft", "oLimited", *PEOPLE)
    wechat.account.unfollow("oLeft")
    wechat.account.people.user("oLimited").limited = True
    wechat.books.accounts[OTHER.app_id].follow("oForeign", wechat.clock())
    return [("oStranger", 40003, 40003), ("oForeign", 49003, 49003), ("oLeft", 50005, 40003), ("oLimited", 50002, 0)]


async def test_the_others_are_done_and_the_bad_ones_listed() -> None:
    async with open_wechat() as wechat:
        tag_id = await wechat.new_tag()
        bad = [openid for openid, _, _ in await bad_openids(wechat)]

        answer = await tag(wechat, tag_id, "oAda", *bad, "oBob")
        assert (answer["errcode"], answer["fail_openid_list"]) == (45171, bad)
        assert wechat.account.tags.tags[tag_id].members == {"oAda", "oBob"}
        answer = await tag(wechat, tag_id, "oAda", *bad, path=UNTAGGING)
        assert (answer["errcode"], answer["fail_openid_list"]) == (45171, bad[:3])
        assert wechat.account.tags.tags[tag_id].members == {"oBob"}


@pytest.mark.parametrize("rest", [False, True])
async def test_the_whole_call_is_refused_if_the_switch_says_so(rest: bool) -> None:
    async with open_wechat() as wechat:
        wechat.books.behaviour.bad_openid = BadOpenid.REFUSE
        wechat.books.behaviour.refusal_applies_rest = rest
        tag_id = await wechat.new_tag()

        for openid, tagging, untagging in await bad_openids(wechat):
            assert (await tag(wechat, tag_id, "oAda", openid))["errcode"] == tagging
            assert (await tag(wechat, tag_id, "oBob", openid, path=UNTAGGING))["errcode"] == untagging
        assert wechat.account.tags.tags[tag_id].members == ({"oAda"} if rest else set())


async def test_bad_openids_among_others_are_passed_over_in_silence_if_the_switch_says_so() -> None:
    async with open_wechat() as wechat:
        wechat.books.behaviour.bad_openid = BadOpenid.SILENT
        tag_id = await wechat.new_tag()

        for openid, tagging, _ in await bad_openids(wechat):
            assert await tag(wechat, tag_id, "oAda", openid) == DONE
            assert (await tag(wechat, tag_id, openid))["errcode"] == tagging
        assert wechat.account.tags.tags[tag_id].members == {"oAda"}


async def test_somebody_on_the_blacklist_may_be_refused() -> None:
    async with open_wechat() as wechat:
        tag_id = await wechat.new_tag()
        wechat.follow(*PEOPLE)
        wechat.account.blacklist["oAda"] = None

        assert await tag(wechat, tag_id, "oAda") == DONE
        wechat.books.behaviour.blacklisted_code = 45159
        wechat.books.behaviour.bad_openid = BadOpenid.REFUSE
        assert (await tag(wechat, tag_id, "oAda", "oBob"))["errcode"] == 45159
        assert await tag(wechat, tag_id, "oAda", path=UNTAGGING) == DONE


@pytest.mark.parametrize("code", [45169, 45159, None])
async def test_two_calls_at_once_do_not_tag_the_same_person(code: int | None) -> None:
    async with open_wechat() as wechat:
        wechat.books.behaviour.overlap_code = code
        first, second = await wechat.new_tag("VIP"), await wechat.new_tag("New")
        wechat.follow(*PEOPLE)
        wechat.books.faults.add(f"/cgi-bin/{TAGGING}", Fault(kind=FaultKind.HOLD))
        held = asyncio.create_task(tag(wechat, first, "oAda", "oBob"))
        await wait_until(lambda: wechat.account.tagging)

        elsewhere = await tag(wechat, second, "oEve")
        overlapping = await tag(wechat, second, "oBob", path=UNTAGGING)
        wechat.books.faults.clear()

        assert (await held, elsewhere) == (DONE, DONE)
        assert overlapping["errcode"] == (code or 0)
        assert await tag(wechat, second, "oBob") == DONE
        assert wechat.books.calls.peaks[wechat.account.account.app_id, "TAGGING"] == 2


async def test_who_has_a_tag_comes_in_pages_and_nobody_comes_without_data() -> None:
    async with open_wechat(tag_members_per_page=2) as wechat:
        tag_id = await wechat.new_tag()
        assert await wechat.call("user/tag/get", {"tagid": tag_id, "next_openid": ""}) == {"count": 0}
        wechat.account.tags.tag(tag_id, wechat.follow(*PEOPLE))

        first = await wechat.call("user/tag/get", {"tagid": tag_id})
        wechat.account.unfollow("oBob")
        second = await wechat.call("user/tag/get", {"tagid": tag_id, "next_openid": first["next_openid"]})
        third = await wechat.call("user/tag/get", {"tagid": tag_id, "next_openid": second["next_openid"]})
        strange = await wechat.call("user/tag/get", {"tagid": tag_id, "next_openid": 7})

    assert first == {"count": 2, "data": {"openid": ["oAda", "oBob"]}, "next_openid": "oBob"}
    assert second == {"count": 1, "data": {"openid": ["oEve"]}, "next_openid": "oEve"}
    assert third == {"count": 0}
    assert strange["errcode"] == 47001


async def test_a_last_page_may_have_an_empty_cursor() -> None:
    async with open_wechat(tag_members_per_page=2, followers_per_page=2) as wechat:
        wechat.books.behaviour.cursor_ends_empty = True
        tag_id = await wechat.new_tag()
        wechat.account.tags.tag(tag_id, wechat.follow(*PEOPLE))
        asked = {"tagid": tag_id, "next_openid": ""}
        cursors = [
            (await wechat.call("user/get"))["next_openid"],
            (await wechat.call("user/tag/get", asked))["next_openid"],
        ]
        asked["next_openid"] = "oBob"
        ends = [await wechat.call("user/get", next_openid="oBob"), await wechat.call("user/tag/get", asked)]

    assert cursors == ["oBob", "oBob"]
    assert [(page["data"], page["next_openid"]) for page in ends] == [({"openid": ["oEve"]}, "")] * 2


async def test_who_leaves_loses_all_tags_and_comes_back_with_none() -> None:
    async with open_wechat() as wechat:
        first, second = await wechat.new_tag("VIP"), await wechat.new_tag("New")
        wechat.follow("oAda")
        await tag(wechat, first, "oAda")
        await tag(wechat, second, "oAda")
        assert await wechat.call("tags/getidlist", {"openid": "oAda"}) == {"tagid_list": [second, first]}

        wechat.account.unfollow("oAda")
        assert await wechat.call("tags/getidlist", {"openid": "oAda"}) == {"tagid_list": []}
        wechat.follow("oAda")
        assert await wechat.call("tags/getidlist", {"openid": "oAda"}) == {"tagid_list": []}
        assert (await wechat.call("user/info", openid="oAda"))["tagid_list"] == []
        assert [each["count"] for each in (await wechat.call("tags/get"))["tags"]] == [0, 0, 0]
        assert (await wechat.call("tags/getidlist", {"openid": "oStranger"}))["errcode"] == 40003


async def test_the_blacklist_takes_twenty_at_a_time_and_comes_in_pages() -> None:
    async with open_wechat(blacklist_per_page=15) as wechat:
        crowd = wechat.crowd(21)

        async def blacklist(path: str, openids: list[str]) -> object:
            return (await wechat.call(f"tags/members/{path}", {"openid_list": openids}))["errcode"]

        empty = await wechat.call("tags/members/getblacklist", {"begin_openid": ""})
        assert empty == {"total": 0, "count": 0, "next_openid": ""}
        assert await blacklist("batchblacklist", crowd) == 40032
        assert await blacklist("batchblacklist", []) == 40032
        assert await blacklist("batchblacklist", [crowd[0], "oStranger"]) == 40003
        assert await blacklist("batchblacklist", crowd[:20]) == 0
        first = await wechat.call("tags/members/getblacklist", {})
        assert (first["total"], first["count"], first["next_openid"]) == (20, 15, crowd[14])
        second = await wechat.call("tags/members/getblacklist", {"begin_openid": first["next_openid"]})
        assert first["data"]["openid"] + second["data"]["openid"] == crowd[:20]
        assert (await wechat.call("tags/members/getblacklist", {"begin_openid": crowd[20]}))["errcode"] == 40003
        assert await blacklist("batchunblacklist", crowd[1:21]) == 0
        assert list(wechat.account.blacklist) == crowd[:1]
