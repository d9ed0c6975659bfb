"""Build the calls that send messages as WeChat documents them, and read what it answers."""

from typing import Any

import pytest

from service.wechat.api.call import ApiCall
from service.wechat.api.decisions import DECISIONS, Decision, decide
from service.wechat.api.draft_calls import add_draft, delete_draft, read_draft
from service.wechat.api.message_calls import (
    MassArticle,
    MassContent,
    MassImages,
    MassText,
    MiniProgramPage,
    Sent,
    mass_speed,
    mass_status,
    preview_mass,
    send_customer_service_text,
    send_mini_program_subscription,
    send_service_subscription,
    send_template,
    send_to_many,
    send_to_tag,
)

CODES_OF_MASS = [
    *(45065, 45066, 45067, 40130, 40003, 40031, 40032, 40059, 40060, 40065, 40152, 40204, 40215, 41040, 42010),
    *(45009, 45011, 45028, 45062, 45083, 45084, 45113, 45162, 48001, 48003, 48008, 48021, 48022, 89504, 89505),
]
CODES_OF_SINGLE_SENDS = [
    *(-1, 40003, 40036, 40037, 40039, 40062, 40165, 40166, 40246, 40247, 40249, 41030, 43004, 43019, 43101, 43107),
    *(43108, 43116, 45008, 45009, 45015, 45047, 45072, 45080, 45081, 45087, 45109, 45168, 47001, 47003, 48001),
    *(61452, 65401, 70000),
]
ANY_CONTENT: list[MassContent] = [MassText("hi"), MassImages(("m",)), MassArticle("d")]
ANY_SEND: list[ApiCall[Any]] = [
    send_to_many(["oA", "oB"], MassText("hi"), "c-1"),
    send_to_tag(100, MassText("hi"), "c-1"),
    send_template("oA", "t", {}),
    send_customer_service_text("oA", "hi"),
    send_service_subscription("oA", "t", {}),
    send_mini_program_subscription("oA", "t", {}),
    *(preview_mass("oA", content) for content in ANY_CONTENT),
]


@pytest.mark.parametrize(
    ("content", "branch"),
    [
        (MassText("新品"), {"msgtype": "text", "text": {"content": "新品"}}),
        (MassImages(("m1", "m2")), {"msgtype": "image", "images": {"media_ids": ["m1", "m2"]}}),
        (MassImages(("m1",), "look"), {"msgtype": "image", "images": {"media_ids": ["m1"], "recommend": "look"}}),
        (MassArticle("d"), {"msgtype": "mpnews", "mpnews": {"media_id": "d"}, "send_ignore_reprint": 0}),
        (MassArticle("d", True), {"msgtype": "mpnews", "mpnews": {"media_id": "d"}, "send_ignore_reprint": 1}),
    ],
)
def test_a_message_goes_to_many_or_to_a_tag(content: MassContent, branch: dict[str, Any]) -> None:
    to_many, to_tag = send_to_many(["oA", "oB"], content, "c-7"), send_to_tag(134, content, "c-7")

    assert to_many.body == {"touser": ["oA", "oB"], **branch, "clientmsgid": "c-7"}
    assert to_tag.body == {"filter": {"is_to_all": False, "tag_id": 134}, **branch, "clientmsgid": "c-7"}


@pytest.mark.parametrize("size", [0, 1, 10_001])
def test_too_few_and_too_many_are_not_sent_to(size: int) -> None:
    with pytest.raises(ValueError, match="2 to 10000 openids"):
        send_to_many(["oA"] * size, MassText("hi"), "c")


@pytest.mark.parametrize("client_id", ["", "c" * 33, "码" * 11])
def test_an_id_that_wechat_would_refuse_is_not_sent(client_id: str) -> None:
    with pytest.raises(ValueError, match="1 to 32 bytes"):
        send_to_many(["oA", "oB"], MassText("hi"), client_id)


@pytest.mark.parametrize(
    ("content", "branch"),
    [
        (MassText("hi"), {"msgtype": "text", "text": {"content": "hi"}}),
        (MassImages(("m1", "m2")), {"msgtype": "image", "image": {"media_id": "m1"}}),
        (MassArticle("d", True), {"msgtype": "mpnews", "mpnews": {"media_id": "d"}}),
    ],
)
def test_one_person_sees_it_before(content: MassContent, branch: dict[str, Any]) -> None:
    assert preview_mass("oA", content).body == {"touser": "oA", **branch}


def test_a_template_message_links_where_it_is_told_to() -> None:
    plain = send_template("oA", "t1", {"thing1": "tea"})
    linked = send_template(
        "oA",
        "t1",
        {"thing1": "tea"},
        url="https://shop",
        mini_program=MiniProgramPage("wx1", "pages/a"),
        client_id="c-1",
    )

    basis = {"touser": "oA", "template_id": "t1", "data": {"thing1": {"value": "tea"}}}
    assert plain.body == basis
    link = {"url": "https://shop", "miniprogram": {"appid": "wx1", "pagepath": "pages/a"}}
    assert linked.body == {**basis, **link, "client_msg_id": "c-1"}


def test_subscription_messages_differ_by_account() -> None:
    service = send_service_subscription(
        "oA", "t1", {"thing1": "tea"}, page="https://shop", mini_program=MiniProgramPage("wx1", "pages/a")
    )
    mini_program = send_mini_program_subscription("oA", "t1", {"thing1": "tea"}, page="pages/a")

    basis = {"touser": "oA", "template_id": "t1", "data": {"thing1": {"value": "tea"}}}
    assert service.body == {
        **basis,
        "page": "https://shop",
        "miniprogram": {"appid": "wx1", "pagepath": "pages/a"},
    }
    assert mini_program.body == {**basis, "page": "pages/a", "miniprogram_state": "formal", "lang": "zh_CN"}
    assert (service.mini_programs, mini_program.mini_programs) == (False, True)


def test_customer_service_sends_text() -> None:
    call = send_customer_service_text("oA", "hi")

    assert call.body == {"touser": "oA", "msgtype": "text", "text": {"content": "hi"}}


@pytest.mark.parametrize("call", ANY_SEND, ids=lambda call: call.path)
def test_no_message_is_sent_again_by_itself(call: ApiCall[Any]) -> None:
    assert not call.repeatable


@pytest.mark.parametrize(
    ("answer", "msg_id"),
    [
        ({"errcode": 0, "errmsg": "ok", "msg_id": 34182, "msg_data_id": 206227730}, "34182"),
        ({"errcode": 0, "msgid": 2**63 - 1}, "9223372036854775807"),
        ({"errcode": 0, "msgid": "9007199254740993"}, "9007199254740993"),
        ({"msgid": 5}, "5"),
        ({"errcode": 0, "errmsg": "ok"}, None),
        ({"errcode": 0, "msgid": True}, None),
        ({"errcode": 0, "msgid": 1.5e30}, None),
        ({"errcode": 0, "msgid": {"a": 1}}, None),
    ],
)
def test_ids_of_messages_are_text_of_any_size(answer: dict[str, Any], msg_id: str | None) -> None:
    assert send_template("oA", "t", {}).read(answer) == Sent(msg_id)


@pytest.mark.parametrize("call", ANY_SEND, ids=lambda call: call.path)
def test_an_answer_that_says_nothing_is_no_evidence_of_a_message(call: ApiCall[Any]) -> None:
    with pytest.raises(ValueError, match="errcode"):
        call.read({"errmsg": "ok"})


@pytest.mark.parametrize(
    ("word", "sent", "failed"),
    [
        ("SEND_SUCCESS", True, False),
        ("DELETE", True, False),
        ("SEND_FAIL", False, True),
        ("SENDING", False, False),
        ("Send_ Success", True, False),
        ("NEWS_TO_US", False, False),
    ],
)
def test_what_became_of_a_message_is_asked_by_its_id(word: str, sent: bool, failed: bool) -> None:
    call = mass_status("201053012")
    status = call.read({"msg_id": 201053012, "msg_status": word})

    assert call.body == {"msg_id": "201053012"}
    assert (status.sent, status.failed) == (sent, failed)
    assert call.repeatable


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"speed": 0}, 800_000),
        ({"speed": "4", "realspeed": 0}, 100_000),
        ({"speed": 3, "realspeed": 15}, 150_000),
        ({"speed": 3, "realspeed": 80}, 300_000),
    ],
)
def test_the_slower_of_two_speeds_counts(answer: dict[str, Any], expected: int) -> None:
    assert mass_speed().body == {}
    assert mass_speed().read(answer).people_per_minute == expected


def test_a_draft_is_copied_without_what_it_only_shows() -> None:
    article = {
        "title": "News",
        "content": "<p>…</p>",
        "thumb_media_id": "m",
        "url": "http://mp",
        "thumb_url": "http://t",
    }
    copied = read_draft("d1").read({"news_item": [article], "create_time": 1})

    made = add_draft(copied)
    assert made.body == {"articles": [{"title": "News", "content": "<p>…</p>", "thumb_media_id": "m"}]}
    assert made.read({"media_id": "d2"}) == "d2"
    assert not made.repeatable
    assert delete_draft("d2").body == {"media_id": "d2"}


@pytest.mark.parametrize("answer", [{"media_id": ""}, {"media_id": 5}])
def test_a_draft_without_an_id_is_none(answer: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no text"):
        add_draft([]).read(answer)


def test_a_draft_without_articles_is_none() -> None:
    with pytest.raises(ValueError, match="no articles"):
        read_draft("d").read({"news_item": []})


@pytest.mark.parametrize("code", [*CODES_OF_MASS, *CODES_OF_SINGLE_SENDS])
def test_every_documented_code_of_a_message_has_a_decision(code: int) -> None:
    assert code in DECISIONS


@pytest.mark.parametrize("code", [20001, 20002, 200001, 200011, 200100])
def test_codes_of_managing_templates_say_nothing_of_sending(code: int) -> None:
    assert decide(code) is Decision.UNKNOWN
