"""A message is checked before anything of it is stored, and all that is wrong with it is said at once."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from service.domain.broadcasts.messages.checking import examine_message
from service.domain.broadcasts.messages.kinds import route_errors
from service.entities.broadcast_messages import (
    BroadcastMessage,
    ImagesMessage,
    MiniProgramPage,
    TemplateField,
    TextMessage,
    message_from_json,
)
from service.entities.broadcasts import MessageKind
from service.entities.channels import ChannelKind
from service.entities.errors import ErrorCode
from service.entities.expressions import Expression, any_of, tag
from tests.unit.domain.broadcasts.messages import (
    EVERY_KIND,
    MASS_ARTICLE,
    MASS_IMAGE,
    MASS_TEXT,
    MINI_PROGRAM_SUBSCRIPTION,
    PAGE,
    SERVICE_SUBSCRIPTION,
    TEMPLATE,
    channel,
    template,
    text,
)

SERVICE, SUBSCRIPTION, MINI = ChannelKind.SERVICE_ACCOUNT, ChannelKind.SUBSCRIPTION_ACCOUNT, ChannelKind.MINI_PROGRAM
MASS = {MessageKind.MASS_TEXT, MessageKind.MASS_IMAGE, MessageKind.MASS_ARTICLE}
ALLOWED = {
    (SERVICE, True): set(MessageKind) - {MessageKind.MINI_PROGRAM_SUBSCRIPTION},
    (SUBSCRIPTION, True): MASS | {MessageKind.CUSTOMER_SERVICE_TEXT},
    (MINI, False): {MessageKind.CUSTOMER_SERVICE_TEXT, MessageKind.MINI_PROGRAM_SUBSCRIPTION},
    (MINI, True): {MessageKind.CUSTOMER_SERVICE_TEXT, MessageKind.MINI_PROGRAM_SUBSCRIPTION},
    (SERVICE, False): set[MessageKind](),
    (SUBSCRIPTION, False): set[MessageKind](),
}


def account_for(message: BroadcastMessage) -> ChannelKind:
    return MINI if message.kind is MessageKind.MINI_PROGRAM_SUBSCRIPTION else SERVICE


def wrong(message: BroadcastMessage, **account: Any) -> list[tuple[str, str]]:
    """The (path, code) of each failing input; none where the message is taken."""
    errors = examine_message(channel(account.pop("kind", account_for(message)), **account), message).errors
    assert all(each.message and each.request_code is ErrorCode.BAD_USER_INPUT for each in errors)
    return [(".".join(map(str, each.path)), each.code) for each in errors]


@pytest.mark.parametrize("message", EVERY_KIND, ids=lambda message: message.kind.value)
def test_each_kind_is_taken_as_it_is_and_stored(message: BroadcastMessage) -> None:
    checked, errors = examine_message(channel(account_for(message)), message)

    assert (checked, errors) == (message, ())
    assert message_from_json(orjson.loads(orjson.dumps(checked.to_json()))) == message


@pytest.mark.parametrize("message", EVERY_KIND, ids=lambda message: message.kind.value)
@pytest.mark.parametrize(("account", "kinds"), ALLOWED.items())
def test_each_account_sends_its_own_kinds(
    message: BroadcastMessage, account: tuple[ChannelKind, bool], kinds: set[MessageKind]
) -> None:
    kind, verified = account
    found = wrong(message, kind=kind, verified=verified)

    branch = f"message.{message.kind.value.lower()}"
    assert found == ([] if message.kind in kinds else [(branch, "KIND_NOT_ALLOWED")])


def test_all_that_is_wrong_is_said_at_once() -> None:
    message = replace(
        template(("thing1", "x" * 21), ("thing1", "ok"), ("1st", "\x07"), ("phone_number3", "{{phone}}")),
        template_id="no id",
        url="javascript:alert(1)",
        mini_program=MiniProgramPage("gh_1", "https://elsewhere.example"),
    )

    assert wrong(message, kind=SUBSCRIPTION) == [
        ("message.template", "KIND_NOT_ALLOWED"),
        ("message.template.template_id", "BAD_FORMAT"),
        ("message.template.data.0.value", "BAD_LENGTH"),
        ("message.template.data.1.key", "REPEATED"),
        ("message.template.data.2.key", "BAD_FORMAT"),
        ("message.template.data.2.value", "BAD_CHARACTER"),
        ("message.template.data.3.value", "UNKNOWN_PLACEHOLDER"),
        ("message.template.url", "BAD_FORMAT"),
        ("message.template.mini_program.app_id", "BAD_FORMAT"),
        ("message.template.mini_program.page", "BAD_FORMAT"),
    ]


def test_the_path_begins_where_it_is_said_to() -> None:
    examined = examine_message(channel(), text(""), ("content",))
    assert [each.path for each in examined.errors] == [("content", "customer_service_text", "text")]


@pytest.mark.parametrize("kind", [MessageKind.MASS_TEXT, MessageKind.CUSTOMER_SERVICE_TEXT])
@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "BAD_LENGTH"),
        (" \n", "BAD_LENGTH"),
        ("\u200b\u2060", "BAD_LENGTH"),
        ("x" * 2_047, None),
        ("x" * 2_048, "BAD_LENGTH"),
        ("春" * 682, None),
        ("春" * 683, "BAD_LENGTH"),
        ("x" * 4_000_000, "BAD_LENGTH"),
        ("a\x00b", "BAD_CHARACTER"),
        ("a\u202eb", "BAD_CHARACTER"),
        ("a\u2028b", "BAD_CHARACTER"),
        ("a\ud800b", "BAD_CHARACTER"),
        ('two\nlines\tand <a href="https://x.example">a link</a>', None),
        ("{ {braces} }", None),
    ],
    ids=lambda value: None if value is None else ascii(value)[:24],
)
def test_texts(kind: MessageKind, written: str, code: str | None) -> None:
    path = f"message.{kind.value.lower()}.text"
    assert wrong(TextMessage(kind, written)) == ([] if code is None else [(path, code)])


def test_line_ends_become_those_of_wechat() -> None:
    assert examine_message(channel(), text("a\r\nb\rc")) == (text("a\nb\nc"), ())


@pytest.mark.parametrize("written", ["Hello {{openid}}", "{{tag:Level}}", "{{anything}}", "{{x|y}}"])
def test_what_is_the_same_for_all_has_no_placeholders(written: str) -> None:
    assert wrong(replace(MASS_TEXT, text=written)) == [("message.mass_text.text", "PLACEHOLDER")]
    assert wrong(replace(MASS_IMAGE, recommend=written)) == [("message.mass_image.recommend", "PLACEHOLDER")]
    assert wrong(replace(MASS_ARTICLE, media_id=written)) == [("message.mass_article.media_id", "BAD_FORMAT")]


def test_images() -> None:
    assert wrong(ImagesMessage((), None)) == [("message.mass_image.media_ids", "TOO_FEW")]
    assert wrong(ImagesMessage(("m",) * 20, None)) == []
    assert wrong(ImagesMessage(("m",) * 21, None)) == [("message.mass_image.media_ids", "TOO_MANY")]
    assert wrong(ImagesMessage(("m", "", "é"), None)) == [
        ("message.mass_image.media_ids.1", "BAD_FORMAT"),
        ("message.mass_image.media_ids.2", "BAD_FORMAT"),
    ]
    assert wrong(replace(MASS_IMAGE, recommend="x" * 101)) == [("message.mass_image.recommend", "BAD_LENGTH")]
    assert examine_message(channel(), ImagesMessage((" m\n",), "  ")) == (ImagesMessage(("m",), None), ())


@pytest.mark.parametrize(
    ("key", "taken", "refused"),
    [
        ("thing1", ["x" * 20, "春" * 20, "🎁" * 10, "R&D <1>"], ["x" * 21, "🎁" * 11, "two\nlines", " ", ""]),
        ("character_string2", ["A-1 #" * 6, "x" * 32], ["x" * 33, "A春", "é"]),
        ("number3", ["1", "0.50", "9" * 32], ["9" * 33, "1.", "-1", "1,000", "１", "one"]),
        ("letter4", ["abc", "x" * 32], ["a1", "x" * 33, "é"]),
        ("phone_number5", ["+86-0766-66888866", "110"], ["+86-0766-668888661", "12a", "+-"]),
        ("car_number6", ["粤A8Z888挂", "A8Z888", "粤"], ["粤A8Z8888挂", "粤A8-88", "A粤8"]),
        ("const7", ["x" * 20], ["x" * 21]),
        ("name8", ["王小明", "Ada Lovelace", "王" * 10, "x" * 20], ["王" * 11, "x" * 21, "user25", "王xxxxxxxxxx"]),
        ("phrase9", ["配送中", "春夏秋冬春"], ["春夏秋冬春夏", "abc", "配送 中"]),
        ("symbol10", ["★☆", "+++++"], ["++++++", "a", "1"]),
        ("time11", ["15:01", "15:01:09", "2019年10月1日 15:01", "9:00~17:30"], ["24:00", "15", "2019-10-01", "noon"]),
        (
            "date12",
            ["2019年10月1日", "2019-10-01", "2018/01", "01-01", "2019年10月1日 15:01~2019年10月2日"],
            ["13-13", "x"],
        ),
        ("amount13", ["6000.00", "¥12", "12元", "￥1234567890"], ["12345678901", "1,000", "12元元", "NT$5", "-1"]),
        ("keyword1", ["x" * 200], ["x" * 201]),
        ("first", ["Dear customer"], [""]),
    ],
)
def test_the_values_of_fields(key: str, taken: list[str], refused: list[str]) -> None:
    for value in taken:
        assert wrong(template((key, value))) == [], value
    for value in refused:
        assert [path for path, _ in wrong(template((key, value)))] == ["message.template.data.0.value"], value


def test_the_fields_of_a_template() -> None:
    assert wrong(template()) == [("message.template.data", "TOO_FEW")]
    many = template(*((f"thing{number}", "x") for number in range(21)))
    assert wrong(many) == [("message.template.data", "TOO_MANY")]
    for subscription in (SERVICE_SUBSCRIPTION, MINI_PROGRAM_SUBSCRIPTION):
        branch = f"message.{subscription.kind.value.lower()}"
        message = replace(subscription, template_id="", data=(TemplateField("phrase1", "no"),))
        expected = [(f"{branch}.template_id", "BAD_FORMAT"), (f"{branch}.data.0.value", "BAD_VALUE")]
        assert wrong(message) == expected


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://shop.example", None),
        ("HTTPS://商店.example:8443/a?b=c#d", None),
        ("https://shop.example/" + "x" * 1_003, None),
        ("https://shop.example/" + "x" * 1_004, "BAD_LENGTH"),
        ("https://shop.example/{{openid}}?level={{tag:Level|none}}", None),
        ("", "BAD_LENGTH"),
        ("shop.example", "BAD_FORMAT"),
        ("ftp://shop.example", "BAD_FORMAT"),
        ("javascript:alert(1)", "BAD_FORMAT"),
        ("https://", "BAD_FORMAT"),
        ("https:///path", "BAD_FORMAT"),
        ("https://shop.example/a b", "BAD_FORMAT"),
        ("https://shop.example/{{openid}}/a b", "BAD_FORMAT"),
        ("https://shop.example\n", "BAD_CHARACTER"),
        ("https://shop.example:x/", "BAD_FORMAT"),
        ("https://[::1/", "BAD_FORMAT"),
        ("https://user@shop.example/", "BAD_FORMAT"),
        ("{{tag:Level}}", "BAD_FORMAT"),
        ("https://{{tag:Level}}.example/", "BAD_FORMAT"),
        ("https://shop.example{{tag:Level}}", "BAD_FORMAT"),
        ("https://shop.example:{{tag:Level}}/", "BAD_FORMAT"),
    ],
)
def test_web_addresses(url: str, code: str | None) -> None:
    assert wrong(replace(TEMPLATE, url=url)) == ([] if code is None else [("message.template.url", code)])
    expected = [] if code is None else [("message.service_subscription.page", code)]
    assert wrong(replace(SERVICE_SUBSCRIPTION, page=url)) == expected


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("pages/index/index", None),
        ("index?foo=bar&level={{tag:Level|none}}", None),
        ("", "BAD_LENGTH"),
        ("https://shop.example/", "BAD_FORMAT"),
        ("pages/a b", "BAD_FORMAT"),
        ("pages/{{tag:Level}}", "BAD_FORMAT"),
        ("pages/index?a=\u202e", "BAD_CHARACTER"),
        ("pages/index?a=b c", "BAD_FORMAT"),
    ],
)
def test_pages_of_mini_programs(page: str, code: str | None) -> None:
    expected = [] if code is None else [("message.mini_program_subscription.page", code)]
    assert wrong(replace(MINI_PROGRAM_SUBSCRIPTION, page=page)) == expected
    expected = [] if code is None else [("message.template.mini_program.page", code)]
    assert wrong(replace(TEMPLATE, mini_program=replace_page(page))) == expected


def replace_page(page: str) -> MiniProgramPage:
    return MiniProgramPage(PAGE.app_id, page)


def test_a_mini_program_opens_no_other_one() -> None:
    message = replace(MINI_PROGRAM_SUBSCRIPTION, mini_program=PAGE)
    assert wrong(message) == [("message.mini_program_subscription.mini_program", "NOT_ALLOWED")]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{{openid}} {{ openid | you }} {{tag:Level}} {{tag: Follow time |friend}}", None),
        ("{{tag:Level|}} x", None),
        ("}} alone", None),
        ("{{OPENID}}", "UNKNOWN_PLACEHOLDER"),
        ("{{name}}", "UNKNOWN_PLACEHOLDER"),
        ("{{}}", "UNKNOWN_PLACEHOLDER"),
        ("{{tag:}}", "UNKNOWN_PLACEHOLDER"),
        ("{{tag:" + "x" * 65 + "}}", "UNKNOWN_PLACEHOLDER"),
        ("{{tag:Level", "UNKNOWN_PLACEHOLDER"),
        ("{{tag:Level|{{openid}}}}", "UNKNOWN_PLACEHOLDER"),
        ("{{openid}}" * 21, "TOO_MANY"),
        ("x" * 2_047 + "{{openid}}", "BAD_LENGTH"),
        ("{{tag:Level|}}", "BAD_LENGTH"),
    ],
    ids=lambda value: None if value is None else value[:24],
)
def test_placeholders_of_texts(written: str, code: str | None) -> None:
    assert wrong(text(written)) == ([] if code is None else [("message.customer_service_text.text", code)])


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("thing1", "For {{tag:Level|you}}", None),
        ("thing1", "x" * 19 + "{{openid}}", None),
        ("thing1", "x" * 20 + "{{openid}}", "BAD_LENGTH"),
        ("thing1", "{{tag:Level|" + "x" * 21 + "}}", "BAD_LENGTH"),
        ("phrase2", "{{tag:Level}}", None),
        ("phrase2", "VIP{{tag:Level}}", "BAD_VALUE"),
        ("phrase2", "{{tag:Level|VIP}}", "BAD_VALUE"),
        ("number3", "{{tag:Points|none}}", "BAD_VALUE"),
        ("date4", "{{tag:Day|1.}}", "BAD_VALUE"),
        ("thing1", "{{tag:Level}}{{tag:Place|\x07}}", "BAD_CHARACTER"),
    ],
)
def test_placeholders_of_fields(key: str, value: str, code: str | None) -> None:
    assert wrong(template((key, value))) == ([] if code is None else [("message.template.data.0.value", code)])


def test_an_unknown_placeholder_is_named_with_its_place() -> None:
    errors = examine_message(channel(), text("Dear {{name}}, {{tag:Level}}, {{age}}")).errors

    assert [each.message for each in errors] == [
        "{{name}}: The placeholders are {{openid}} and {{tag:Category}}. (Character 6.)",
        "{{age}}: The placeholders are {{openid}} and {{tag:Category}}. (Character 31.)",
    ]


@pytest.mark.parametrize(
    ("kind", "message", "audience", "temporary_tag", "needed"),
    [
        (SUBSCRIPTION, MASS_TEXT, tag(9), False, False),
        (SUBSCRIPTION, MASS_TEXT, any_of(tag(9), tag(10)), False, True),
        (SUBSCRIPTION, MASS_TEXT, any_of(tag(9), tag(10)), True, False),
        (SUBSCRIPTION, text("Hello"), any_of(tag(9), tag(10)), False, False),
        (SERVICE, MASS_TEXT, any_of(tag(9), tag(10)), False, False),
    ],
)
def test_what_subscription_accounts_send_to(
    kind: ChannelKind, message: TextMessage, audience: Expression, temporary_tag: bool, needed: bool
) -> None:
    errors = route_errors(channel(kind), message.kind, audience, temporary_tag=temporary_tag, path=("temporary_tag",))

    assert [(each.path, each.code) for each in errors] == ([(("temporary_tag",), "NEEDED")] if needed else [])
