"""Read the books over HTTP and change what the imitation does, as a program elsewhere does."""

from typing import Any

import pytest

from service.dev.demo.wechat_api.behaviour import BadOpenid
from tests.dev.wechat_api.wechat import ACCOUNT, OTHER, Wechat, open_wechat

ACCOUNT_PATH = f"/demo/accounts/{ACCOUNT.app_id}"


async def control(wechat: Wechat, method: str, path: str, body: object = None) -> dict[str, Any]:
    answer = await wechat.http.request(method, path, json=body)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def books(wechat: Wechat) -> dict[str, Any]:
    """Return the books of the first account."""
    found: dict[str, Any] = (await control(wechat, "GET", "/demo/books"))["accounts"][0]
    return found


async def test_the_books_say_who_has_which_tag_and_what_was_called() -> None:
    async with open_wechat() as wechat:
        tag_id = await wechat.new_tag()
        wechat.follow("oAda", "oBob")
        wechat.account.blacklist["oBob"] = None
        body = {"openid_list": ["oAda", "oStranger"], "tagid": tag_id}
        await wechat.call("tags/members/batchtagging", body)
        found = await books(wechat)
        members = await control(wechat, "GET", f"/demo/books/{ACCOUNT.app_id}/tags/{tag_id}")
        calls = (await control(wechat, "GET", "/demo/calls"))["calls"]
        nobody = await control(wechat, "GET", f"/demo/books/wx1/tags/{tag_id}")
        nothing = await control(wechat, "GET", f"/demo/books/{ACCOUNT.app_id}/tags/7")

    assert (found["appId"], found["followers"], found["blacklisted"]) == (ACCOUNT.app_id, 2, ["oBob"])
    assert found["tags"] == [{"id": tag_id, "name": "VIP", "members": 1}]
    assert found["memberships"] == {"changed": 1, "unchanged": 0}
    assert members == {"openids": ["oAda"]}
    assert [token["space"] for token in found["tokensIssued"]] == ["STABLE"]
    tagging = {"outcomes": {"45171": 1}, "running": 0, "peak": 1}
    assert found["calls"]["/cgi-bin/tags/members/batchtagging"] == tagging
    assert found["calls"]["TAGGING"]["peak"] == 1
    assert found["calls"]["/cgi-bin/stable_token"]["outcomes"] == {"0": 2}
    assert calls[-1] == {
        "path": "/cgi-bin/tags/members/batchtagging",
        "appId": ACCOUNT.app_id,
        "at": "2026-03-01T12:00:00+00:00",
        "outcome": 45171,
        "body": body,
    }
    assert ACCOUNT.secret not in str(calls)
    assert (nobody["errcode"], nothing["errcode"]) == (40013, 45159)


async def test_a_call_that_nobody_can_be_told_for_is_nobodys() -> None:
    async with open_wechat() as wechat:
        await wechat.get("user/get", access_token="strange")
        await wechat.stable(appid="wx1")
        await wechat.stable(appid=["wx1"])
        await wechat.stable(secret="wrong")

        assert [record.app_id for record in wechat.books.calls.recent] == ["", "", "", ACCOUNT.app_id]


async def test_faults_are_ordered_and_cleared() -> None:
    async with open_wechat() as wechat:
        order = {"path": "/cgi-bin/stable_token", "kind": "ERROR", "code": 45011, "times": None}
        await control(wechat, "POST", "/demo/faults", order)
        assert (await wechat.stable())["errcode"] == 45011
        await control(wechat, "DELETE", "/demo/faults")
        assert "access_token" in await wechat.stable()
        await control(wechat, "POST", "/demo/faults", {"kind": "ERROR"})
        assert (await wechat.stable())["errcode"] == -1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/demo/faults", {"kind": "FLOOD"}),
        ("/demo/faults", None),
        ("/demo/behaviour", {"bad_openid": "SHOUT"}),
        ("/demo/behaviour", []),
        ("/demo/clock", {"seconds": "soon"}),
        ("/demo/clock", None),
        (f"{ACCOUNT_PATH}/crowd", {"size": "many"}),
        (f"{ACCOUNT_PATH}/quotas", {"daily": 1}),
        (f"{ACCOUNT_PATH}/migration", None),
        (f"{ACCOUNT_PATH}/callback", {"url": 7}),
    ],
)
async def test_an_order_that_is_wrong_is_refused(path: str, body: object) -> None:
    async with open_wechat() as wechat:
        assert (await control(wechat, "POST", path, body))["errcode"] == 47001
        assert "access_token" in await wechat.stable()


async def test_switches_and_the_clock_are_moved() -> None:
    async with open_wechat() as wechat:
        await control(wechat, "POST", "/demo/behaviour", {"bad_openid": "REFUSE", "new_tag_unknown_for": 60})
        await control(wechat, "POST", "/demo/behaviour", {"wrong_secret_code": 40001})
        tag_id = await wechat.new_tag()
        asked = {"openid_list": ["oStranger", "oLeft"], "tagid": tag_id}

        assert wechat.books.behaviour.bad_openid is BadOpenid.REFUSE
        assert (await wechat.stable(secret="wrong"))["errcode"] == 40001
        assert (await wechat.call("tags/members/batchtagging", asked))["errcode"] == 45159
        await control(wechat, "POST", "/demo/clock", {"seconds": 60})
        assert (await wechat.call("tags/members/batchtagging", asked))["errcode"] == 40003
        assert (await control(wechat, "GET", "/demo/books"))["now"] == "2026-03-01T12:01:00+00:00"


async def test_crowds_quotas_tokens_and_migrations_are_ordered_by_account() -> None:
    async with open_wechat() as wechat:
        await control(wechat, "POST", f"{ACCOUNT_PATH}/crowd", {"size": 3})
        order = {"path": "/cgi-bin/user/get", "quota": {"daily": 2}}
        await control(wechat, "POST", f"{ACCOUNT_PATH}/quotas", order)
        first = await wechat.call("user/get")
        await control(wechat, "DELETE", f"{ACCOUNT_PATH}/tokens")
        dead = await wechat.call("user/get")
        await wechat.stable(force_refresh=True)
        second, third = await wechat.call("user/get"), await wechat.call("user/get")
        migration = f"/demo/accounts/{OTHER.app_id}/migration"
        await control(wechat, "POST", migration, {"from_app_id": ACCOUNT.app_id})
        moved = await wechat.get("user/get", access_token=await wechat.token(OTHER))
        unknown = await control(wechat, "POST", "/demo/accounts/wx1/crowd", {"size": 3})
        nowhere = await control(wechat, "POST", migration, {"from_app_id": "wx1"})

    assert (first["total"], dead["errcode"], second["total"], third["errcode"]) == (3, 40001, 3, 45009)
    assert moved["total"] == 3
    assert (unknown["errcode"], nowhere["errcode"]) == (40013, 40013)


async def test_pushes_go_where_they_are_ordered_to() -> None:
    async with open_wechat() as wechat:
        await control(wechat, "POST", f"{ACCOUNT_PATH}/callback", {"url": "http://127.0.0.1:9/"})
        assert wechat.platform.account(ACCOUNT.app_id).callback_url == "http://127.0.0.1:9/"
        await control(wechat, "POST", f"{ACCOUNT_PATH}/callback", {"url": None})
        assert wechat.platform.account(ACCOUNT.app_id).callback_url is None
