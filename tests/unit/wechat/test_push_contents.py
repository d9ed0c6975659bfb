"""Read the facts about a user from each kind of message and event (docs/specification.md §9.2)."""

from datetime import UTC, datetime

import pytest

from service.dev.demo.push_encoder import BodyFormat, Mode
from service.entities.users import EventKind
from service.wechat.pushes import PushRejectedError
from tests.unit.wechat.two_sided_channel import COMMON, ENCRYPTED, NOW, PLAIN

MESSAGE_TYPES = [
    "text",
    "image",
    "voice",
    "video",
    "shortvideo",
    "location",
    "link",
    "miniprogrampage",
    "file",
]
MENU_EVENTS = [
    "CLICK",
    "VIEW",
    "view_miniprogram",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
]


@pytest.mark.parametrize("message_type", MESSAGE_TYPES)
def test_every_ordinary_message_is_a_message(message_type: str) -> None:
    push = ENCRYPTED.round_trip({"MsgType": message_type, "MsgId": "23456789012345678"})

    assert push.facts == {EventKind.MESSAGE}
    assert push.openid == COMMON["FromUserName"]
    assert push.at == NOW


def test_a_message_type_invented_later_is_a_message_when_a_person_sent_it() -> None:
    assert ENCRYPTED.round_trip({"MsgType": "hologram", "MsgId": "1"}).facts == {EventKind.MESSAGE}
    assert ENCRYPTED.round_trip({"MsgType": "hologram"}).facts == frozenset()


def test_a_follow() -> None:
    push = ENCRYPTED.round_trip({"MsgType": "event", "Event": "subscribe", "EventKey": ""})

    assert push.facts == {EventKind.FOLLOW}


def test_a_follow_by_qr_code_is_a_scan_too() -> None:
    push = ENCRYPTED.round_trip({"MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_12", "Ticket": "t"})

    assert push.facts == {EventKind.FOLLOW, EventKind.SCAN}


@pytest.mark.parametrize(
    ("fields", "scanned"),
    [
        ({"EventKey": "qrscene_"}, False),
        ({"EventKey": "qrscene_", "Ticket": "t"}, True),
        ({"Ticket": "t"}, True),
        ({"EventKey": "last_trade_no_4003752001201412182626326527"}, False),
        ({}, False),
    ],
)
def test_a_follow_is_a_scan_when_it_has_a_scene_or_a_ticket(fields: dict[str, str], scanned: bool) -> None:
    push = ENCRYPTED.round_trip({"MsgType": "event", "Event": "subscribe", **fields})

    assert push.facts == {EventKind.FOLLOW} | ({EventKind.SCAN} if scanned else set())


def test_an_unfollow() -> None:
    assert ENCRYPTED.round_trip({"MsgType": "event", "Event": "unsubscribe"}).facts == {EventKind.UNFOLLOW}


def test_a_scan_by_a_follower() -> None:
    push = ENCRYPTED.round_trip({"MsgType": "event", "Event": "SCAN", "EventKey": "12", "Ticket": "t"})

    assert push.facts == {EventKind.SCAN}


@pytest.mark.parametrize("event", MENU_EVENTS)
@pytest.mark.parametrize("spelling", [str, str.upper, str.lower])
def test_every_menu_event_is_a_menu_click_however_it_is_spelled(event: str, spelling: type[str]) -> None:
    push = ENCRYPTED.round_trip({"MsgType": "event", "Event": spelling(event), "EventKey": "MENU_7"})

    assert push.facts == {EventKind.MENU_CLICK}


@pytest.mark.parametrize(
    "event",
    ["MASSSENDJOBFINISH", "TEMPLATESENDJOBFINISH", "LOCATION", "user_enter_tempsession", "not_invented_yet"],
)
def test_an_event_that_says_nothing_about_a_user_is_acknowledged_without_facts(event: str) -> None:
    push = ENCRYPTED.round_trip({"MsgType": "event", "Event": event, "MsgID": "1000001625", "Status": "success"})

    assert push.facts == frozenset()


@pytest.mark.parametrize("mode", ["plain", "safe", "compat"])
@pytest.mark.parametrize("body_format", ["xml", "json"])
def test_modes_and_formats_tell_the_same(mode: Mode, body_format: BodyFormat) -> None:
    channel = PLAIN if mode == "plain" else ENCRYPTED
    fields = {"MsgType": "text", "Content": "a ]]> b & <c> 你好", "MsgId": "23456789012345678"}

    push = channel.round_trip(fields, mode, body_format)

    assert push == ENCRYPTED.round_trip(fields)


def test_a_nested_field_does_not_disturb() -> None:
    query, _ = PLAIN.encrypt({}, "plain")
    scanned = "<ScanCodeInfo><ScanType>qrcode</ScanType><FromUserName>oX</FromUserName></ScanCodeInfo>"
    common = "".join(f"<{name}>{value}</{name}>" for name, value in COMMON.items())
    body = f"<xml>{scanned}{common}<MsgType>event</MsgType><Event>scancode_push</Event></xml>"

    assert PLAIN.open(query, body.encode()).openid == COMMON["FromUserName"]


@pytest.mark.parametrize("openid", ["", "o" * 129, "o 1", "o'; --", "oé", "../../x", "o\0"])
def test_a_malformed_openid_is_rejected(openid: str) -> None:
    with pytest.raises(PushRejectedError) as rejected:
        ENCRYPTED.round_trip({"MsgType": "text", "FromUserName": openid})

    assert rejected.value.code == "BAD_FIELDS"


@pytest.mark.parametrize(
    "create_time",
    ["", "soon", "-1", "0", "1.5e9", "1772366400000", "1772366400.5.5", ".5", "١٧٧٢٣٦٦٤٠٠", "9" * 40, "123456789"],
)
def test_a_create_time_that_is_none_is_rejected(create_time: str) -> None:
    with pytest.raises(PushRejectedError) as rejected:
        ENCRYPTED.round_trip({"MsgType": "text", "CreateTime": create_time})

    assert rejected.value.code == "BAD_FIELDS"


@pytest.mark.parametrize(("ahead", "code"), [(300, None), (301, "TIME_IN_FUTURE"), (9 * 10**8, "TIME_IN_FUTURE")])
def test_a_create_time_may_be_five_minutes_ahead_of_us(ahead: int, code: str | None) -> None:
    fields = {"MsgType": "text", "CreateTime": str(int(NOW.timestamp()) + ahead)}
    if code is None:
        assert ENCRYPTED.round_trip(fields).at > NOW
        return
    with pytest.raises(PushRejectedError) as rejected:
        ENCRYPTED.round_trip(fields)

    assert rejected.value.code == code


def test_a_create_time_may_be_years_old() -> None:
    push = ENCRYPTED.round_trip({"MsgType": "text", "CreateTime": "1348831860"})

    assert push.at == datetime(2012, 9, 28, 11, 31, tzinfo=UTC)


@pytest.mark.parametrize("fields", [{}, {"MsgType": " "}, {"MsgType": "event"}, {"MsgType": "event", "Event": ""}])
def test_a_push_without_its_type_is_rejected(fields: dict[str, str]) -> None:
    with pytest.raises(PushRejectedError) as rejected:
        ENCRYPTED.round_trip(fields)

    assert rejected.value.code == "BAD_FIELDS"


@pytest.mark.parametrize("body_format", ["xml", "json"])
@pytest.mark.parametrize("create_time", ["1772366400.5", "1772366400.", " 1772366400\n", "1772366400.999999"])
def test_a_create_time_with_a_fraction_or_blanks_is_cut_to_its_second(
    create_time: str, body_format: BodyFormat
) -> None:
    push = ENCRYPTED.round_trip({"MsgType": "text", "CreateTime": create_time}, body_format=body_format)

    assert push.at == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_a_create_time_may_be_a_float_in_json() -> None:
    query, _ = PLAIN.encrypt({}, "plain")
    body = b'{"FromUserName": "o1", "CreateTime": 1.7723664005e9, "MsgType": "text"}'

    assert PLAIN.open(query, body).at == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("body_format", ["xml", "json"])
def test_blanks_around_values_do_not_count(body_format: BodyFormat) -> None:
    fields = {"FromUserName": " o1\n", "MsgType": " event", "Event": "\tsubscribe ", "EventKey": "\nqrscene_1\n"}

    push = ENCRYPTED.round_trip(fields, body_format=body_format)
    assert push.openid == "o1"
    assert push.facts == {EventKind.FOLLOW, EventKind.SCAN}


@pytest.mark.parametrize("fields", [{"FromUserName": "the platform"}, {"FromUserName": ""}, {"CreateTime": "soon"}])
def test_an_event_without_facts_needs_no_sender_and_no_time(fields: dict[str, str]) -> None:
    push = ENCRYPTED.round_trip({"MsgType": "event", "Event": "user_info_modified", **fields})

    assert (push.openid, push.at, push.facts, push.is_cancellation) == ("", NOW, frozenset(), False)


PRIVACY = {"MsgType": "event", "FromUserName": "gh_platform", "OpenID": "o1", "AppID": "wx1", "RevokeInfo": "205"}


@pytest.mark.parametrize("mode", ["safe", "compat"])
@pytest.mark.parametrize("body_format", ["xml", "json"])
def test_a_cancellation_is_of_the_person_in_openid(mode: Mode, body_format: BodyFormat) -> None:
    push = ENCRYPTED.round_trip({**PRIVACY, "Event": "user_authorization_cancellation"}, mode, body_format)

    assert (push.openid, push.facts, push.is_cancellation) == ("o1", frozenset(), True)


def test_a_cancellation_in_json_may_have_blanks_before_its_names() -> None:
    fields = {f" {name}": value for name, value in PRIVACY.items()}
    push = ENCRYPTED.round_trip({**fields, " Event": "user_authorization_cancellation"}, body_format="json")

    assert (push.openid, push.is_cancellation) == ("o1", True)


def test_a_plain_push_forgets_nobody() -> None:
    """Nothing signs its body."""
    push = PLAIN.round_trip({**PRIVACY, "Event": "user_authorization_cancellation"}, "plain")

    assert (push.facts, push.is_cancellation) == (frozenset(), False)


@pytest.mark.parametrize("event", ["user_info_modified", "user_authorization_revoke"])
def test_a_revoke_of_what_is_not_kept_changes_nothing(event: str) -> None:
    push = ENCRYPTED.round_trip({**PRIVACY, "Event": event})

    assert (push.facts, push.is_cancellation) == (frozenset(), False)


@pytest.mark.parametrize("openid", ["", "o 1", "x" * 129])
def test_a_cancellation_of_nobody_is_acknowledged(openid: str) -> None:
    push = ENCRYPTED.round_trip({**PRIVACY, "Event": "user_authorization_cancellation", "OpenID": openid})

    assert (push.facts, push.is_cancellation) == (frozenset(), False)
