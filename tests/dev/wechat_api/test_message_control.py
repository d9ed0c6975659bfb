"""Read over HTTP who got which message, and order what becomes of messages, as a program elsewhere does."""

import pytest

from service.dev.demo.wechat_api.limits import Trigger
from tests.dev.wechat_api.test_control import ACCOUNT_PATH, books, control
from tests.dev.wechat_api.wechat import ACCOUNT, Wechat, open_wechat

MESSAGES = f"/demo/books/{ACCOUNT.app_id}/messages"
TEXT = {"msgtype": "text", "text": {"content": "Sale"}}


async def template_code(wechat: Wechat, openid: str) -> int:
    body = {"touser": openid, "template_id": "T1", "data": {"thing1": {"value": "Tea"}}}
    return int((await wechat.call("message/template/send", body))["errcode"])


async def test_the_books_say_what_reached_whom() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        sent = await wechat.mass("oAda", "oBob", client_id="b1-0")
        await wechat.mass("oAda", "oBob", client_id="b1-1")
        await wechat.mass("oAda", "oBob", "oAda", text="Other")
        everybody = await control(wechat, "GET", MESSAGES)
        [first, *_] = (await control(wechat, "GET", f"{MESSAGES}?openid=oAda"))["messages"]
        nobody = await control(wechat, "GET", f"{MESSAGES}?openid=oStranger")
        sale = await control(wechat, "GET", f"{MESSAGES}?containing=Sale")
        summary = (await books(wechat))["messages"]

    assert everybody["receipts"] == {"oAda": 4, "oBob": 3}
    assert [len(everybody["repeated"][openid]) for openid in ("oAda", "oBob")] == [4, 2]
    assert first == {
        "sentBy": "MASS",
        "at": "2026-03-01T12:00:00+00:00",
        "clientId": "b1-0",
        "msgId": str(sent["msg_id"]),
        "content": TEXT,
    }
    assert nobody == {"messages": []}
    assert sale == {"receipts": {"oAda": 2, "oBob": 2}}
    assert summary["sent"] == {"MASS": 7}
    assert summary["receivedTwice"] == 2
    assert [each["clientId"] for each in summary["massSends"]][:2] == ["b1-0", "b1-1"]
    assert {name: summary["massSends"][2][name] for name in ("state", "total", "sent")} == {
        "state": "SENDING",
        "total": 3,
        "sent": 3,
    }
    assert [each["people"] for each in summary["newest"]] == [3, 2, 2]
    assert summary["newest"][1]["first"] == "oAda"
    assert summary["resultsToPush"] == 3


async def test_templates_consents_blacklist_and_refusals_are_ordered() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        await control(wechat, "POST", f"{ACCOUNT_PATH}/templates", {"id": "T1", "fields": ["thing1"]})
        for path, on in (("blacklist", True), ("blacklist", False), ("refusals", True)):
            await control(wechat, "POST", f"{ACCOUNT_PATH}/{path}", {"openids": ["oAda"], "on": on})
            assert await template_code(wechat, "oAda") == (43019 if (path, on) == ("blacklist", True) else 0)
        assert wechat.account.messages.receipts() == {"oAda": 1}
        await control(wechat, "POST", f"{ACCOUNT_PATH}/refusals", {"openids": ["oAda"], "on": False})
        await template_code(wechat, "oAda")
        assert wechat.account.messages.receipts() == {"oAda": 2}

        consents = {"openids": ["oAda", "oBob"], "template_id": "S1"}
        await control(wechat, "POST", f"{ACCOUNT_PATH}/consents", {**consents, "times": 2})
        await control(wechat, "POST", f"{ACCOUNT_PATH}/consents", {**consents, "openids": ["oBob"], "times": 0})
        assert wechat.account.consents.left == {("oAda", "S1"): 2}


async def test_outcomes_are_ordered_and_forgotten() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        order = {"path": "/cgi-bin/message/mass/send", "status": "err(20001)", "late": 60, "times": None}
        await control(wechat, "POST", "/demo/outcomes", order)
        await wechat.mass("oAda", "oBob")
        await control(wechat, "DELETE", "/demo/outcomes")
        await wechat.mass("oAda", "oBob", text="Other")

        assert [send.status for send in wechat.account.mass.sends.values()] == ["err(20001)", "send success"]
        late, usual = [each.due_at for each in wechat.account.results.pending]
        assert (late - usual).total_seconds() == 60
        assert wechat.texts("oAda") == ["Other"]


async def test_results_are_pushed_on_order() -> None:
    async with open_wechat() as wechat:
        wechat.configure_callback(wechat.url + "/nowhere")
        wechat.follow("oAda")
        wechat.account.templates.add("T1", "thing1")
        await template_code(wechat, "oAda")

        # The callback is one that does not answer as a service does.
        pushed = {"event": "TEMPLATESENDJOBFINISH", "acknowledged": False, "answers": [200] * 3}
        assert await control(wechat, "POST", "/demo/results") == {"pushed": [pushed]}
        assert await control(wechat, "POST", "/demo/results") == {"pushed": []}


async def test_a_crowd_is_counted_on_order() -> None:
    async with open_wechat() as wechat:
        crowd = wechat.crowd(5)
        await control(wechat, "POST", "/demo/behaviour", {"records": "COUNTS", "limitless": True})
        await wechat.mass(*crowd[:3])
        await wechat.mass(*crowd[1:3], text="Other")

        found = await control(wechat, "GET", f"/demo/books/{ACCOUNT.app_id}/crowd")
        assert found == {"people": {"0": 2, "1": 1, "2": 2}}
        assert (await control(wechat, "GET", MESSAGES))["receipts"] == {}


async def test_people_accept_messages_on_order() -> None:
    async with open_wechat() as wechat:
        wechat.configure_callback(wechat.url + "/nowhere")
        wechat.follow("oAda")
        for action in ("reject", "revoke"):
            await control(wechat, "POST", "/demo/oAda/accept?template=S1")
            assert wechat.account.consents.has("oAda", "S1")
            await control(wechat, "POST", f"/demo/oAda/{action}?template=S1")
            assert not wechat.account.consents.has("oAda", "S1")
        events = [each.fields["Event"] for each in wechat.platform.deliveries]
        assert events == [f"subscribe_msg_{name}_event" for name in ("popup", "popup", "popup", "change")]
        await control(wechat, "POST", "/demo/oAda/pay")
        assert Trigger.PAYMENT in wechat.account.replies.opened["oAda"]


async def test_what_the_console_sends_uses_up_the_four_of_a_month() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        for _ in range(4):
            await control(wechat, "POST", f"{ACCOUNT_PATH}/console", {"openids": ["oAda"]})
        await wechat.mass("oAda", "oBob")

        assert wechat.texts("oAda") == ["From the console"] * 4
        assert wechat.account.messages.receipts() == {"oBob": 1}
        assert wechat.account.messages.repeated() == {}


@pytest.mark.parametrize("path", ["templates", "consents", "blacklist", "refusals", "console"])
async def test_an_order_that_is_wrong_is_refused(path: str) -> None:
    async with open_wechat() as wechat:
        assert (await control(wechat, "POST", f"{ACCOUNT_PATH}/{path}", {"openids": "oAda"}))["errcode"] == 47001
        assert (await control(wechat, "POST", "/demo/outcomes", {"late": "soon"}))["errcode"] == 47001
        assert (await control(wechat, "POST", f"/demo/accounts/wx1/{path}", _whole(path)))["errcode"] == 40013


def _whole(path: str) -> dict[str, object]:
    orders: dict[str, dict[str, object]] = {
        "templates": {"id": "T1", "fields": []},
        "consents": {"openids": [], "template_id": "S1"},
    }
    return orders.get(path, {"openids": []})
