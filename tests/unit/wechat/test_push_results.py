"""Read what WeChat tells of messages and of what people allow (docs/specification.md §9.2)."""

from typing import Any

import pytest

from service.dev.demo.push_encoder import BodyFormat, Mode
from service.entities.message_results import ConsentChange, MassResult, MessageResult, ResultEvent
from service.wechat.pushes import Push
from tests.unit.wechat.two_sided_channel import COMMON, ENCRYPTED, NOW, PLAIN, ChannelKeys

OPENID = COMMON["FromUserName"]
BIG = str(2**63 - 1)


def event(name: str, keys: ChannelKeys = ENCRYPTED, body_format: BodyFormat = "xml", **fields: Any) -> Push:
    """Return what an event says."""
    mode: Mode = "safe" if keys.encoding_aes_key else "plain"
    return keys.round_trip({"MsgType": "event", "Event": name, **fields}, mode, body_format)


@pytest.mark.parametrize(
    ("status", "delivered"),
    [
        ("send success", 75),
        ("sendsuccess", 75),
        ("Send Success", 75),
        ("send fail", 0),
        ("err(10001)", 0),
        ("err(20431)", 0),
        ("something new", 75),
        ("", 75),
    ],
)
def test_a_mass_message_is_reported_with_its_numbers_and_its_own_word(status: str, delivered: int) -> None:
    counts: dict[str, Any] = {"TotalCount": "100", "FilterCount": "80", "SentCount": "75", "ErrorCount": "5"}
    lists: dict[str, Any] = {"CopyrightCheckResult": {"Count": "0", "ResultList": {}, "CheckState": "0"}}

    push = event("MASSSENDJOBFINISH", MsgID=BIG, Status=status, **counts, **lists)

    [result] = push.results
    assert result == MassResult(BIG, status, 100, 80, 75, 5, NOW)
    assert isinstance(result, MassResult)
    assert result.delivered == delivered
    # It stands for nothing that the person in FromUserName did.
    assert (push.openid, push.facts) == ("", frozenset())


def test_numbers_that_are_none_are_not_told() -> None:
    [result] = event("MASSSENDJOBFINISH", MsgID="1", Status="send success", TotalCount="-1", SentCount="many").results

    assert result == MassResult("1", "send success", None, None, None, None, NOW)
    assert isinstance(result, MassResult)
    assert result.delivered is None


@pytest.mark.parametrize(
    ("status", "delivered"),
    [
        ("success", True),
        ("failed:user block", False),
        ("failed: system failed", False),
        ("failed:freq limit", False),
        ("on its way", None),
    ],
)
def test_a_template_message_is_reported(status: str, delivered: bool | None) -> None:
    push = event("TEMPLATESENDJOBFINISH", MsgID=BIG, Status=status)

    assert push.results == (MessageResult(ResultEvent.TEMPLATE, BIG, OPENID, status, delivered, NOW),)
    assert push.facts == frozenset()


@pytest.mark.parametrize("name", ["subscribe_msg_popup_event", "subscribe_msg_change_event"])
@pytest.mark.parametrize("keys", [ENCRYPTED, PLAIN])
def test_what_people_allow_is_read_of_each_template(name: str, keys: ChannelKeys) -> None:
    wrapper = "SubscribeMsgPopupEvent" if "popup" in name else "SubscribeMsgChangeEvent"
    entries = [
        {"TemplateId": "VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3_3gz3Oc0NIc", "SubscribeStatusString": "accept"},
        {"TemplateId": "t2", "SubscribeStatusString": "reject", "PopupScene": "2"},
        {"TemplateId": "t3", "SubscribeStatusString": "undecided"},
        {"SubscribeStatusString": "accept"},
    ]
    wrapped: dict[str, Any] = {wrapper: {"List": entries}}

    push = event(name, keys, **wrapped)

    assert push.results == (
        ConsentChange(OPENID, "VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3_3gz3Oc0NIc", True, NOW),
        ConsentChange(OPENID, "t2", False, NOW),
    )


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_a_mini_program_tells_it_in_json_as_a_list_or_alone(several: bool, nested: bool) -> None:
    entry = {"TemplateId": "t1", "SubscribeStatusString": "accept", "PopupScene": 0}
    listed: Any = [entry, {**entry, "TemplateId": "t2"}] if several else entry
    fields: dict[str, Any] = {"SubscribeMsgPopupEvent": {"List": listed}} if nested else {"List": listed}

    push = event("subscribe_msg_popup_event", body_format="json", **fields)

    told = [each.template_id for each in push.results if isinstance(each, ConsentChange)]
    assert told == (["t1", "t2"] if several else ["t1"])


@pytest.mark.parametrize("body_format", ["xml", "json"])
@pytest.mark.parametrize(
    ("code", "status", "delivered"), [("0", "success", True), ("43101", "user refuse", False), ("", "success", True)]
)
def test_a_subscription_message_is_reported(body_format: BodyFormat, code: str, status: str, delivered: bool) -> None:
    entry = {"TemplateId": "t1", "MsgID": BIG, "ErrorCode": code, "ErrorStatus": status}
    fields: dict[str, Any] = {"List": entry} if body_format == "json" else {"SubscribeMsgSentEvent": {"List": [entry]}}

    push = event("subscribe_msg_sent_event", body_format=body_format, **fields)

    assert push.results == (MessageResult(ResultEvent.SUBSCRIPTION, BIG, OPENID, status, delivered, NOW),)


@pytest.mark.parametrize("name", ["MASSSENDJOBFINISH", "TEMPLATESENDJOBFINISH"])
@pytest.mark.parametrize("msg_id", ["", "-5", "1e5", "x", "9" * 21])
def test_without_the_id_of_a_message_nothing_is_reported(name: str, msg_id: str) -> None:
    assert event(name, MsgID=msg_id, Status="success").results == ()


def test_results_are_believed_only_if_they_were_signed() -> None:
    sent: dict[str, Any] = {"SubscribeMsgSentEvent": {"List": [{"MsgID": "1", "ErrorCode": "0"}]}}

    assert event("MASSSENDJOBFINISH", PLAIN, MsgID="1", Status="send success").results == ()
    assert event("TEMPLATESENDJOBFINISH", PLAIN, MsgID="1", Status="success").results == ()
    assert event("subscribe_msg_sent_event", PLAIN, **sent).results == ()


def test_the_time_of_a_consent_has_to_be_known() -> None:
    entries: dict[str, Any] = {
        "SubscribeMsgPopupEvent": {"List": [{"TemplateId": "t", "SubscribeStatusString": "accept"}]}
    }

    assert event("subscribe_msg_popup_event", CreateTime="soon", **entries).results == ()
    [result] = event("TEMPLATESENDJOBFINISH", CreateTime="soon", MsgID="1", Status="success").results
    assert isinstance(result, MessageResult)
    assert result.at == NOW


@pytest.mark.parametrize("name", ["TEMPLATESENDJOBFINISH", "subscribe_msg_popup_event"])
def test_whom_it_is_about_has_to_be_known(name: str) -> None:
    entries: dict[str, Any] = {
        "SubscribeMsgPopupEvent": {"List": [{"TemplateId": "t", "SubscribeStatusString": "accept"}]}
    }

    assert event(name, FromUserName="no one!", MsgID="1", Status="success", **entries).results == ()


@pytest.mark.parametrize(
    "wrapper",
    [
        "",
        "text",
        {"List": "text"},
        {"List": [{"TemplateId": {"deep": "t"}, "SubscribeStatusString": "accept"}]},
        {"List": {"List": {"List": {}}}},
    ],
)
def test_lists_of_another_shape_hold_nothing(wrapper: Any) -> None:
    assert event("subscribe_msg_popup_event", SubscribeMsgPopupEvent=wrapper).results == ()
    assert event("subscribe_msg_popup_event", body_format="json", List=wrapper).results == ()
