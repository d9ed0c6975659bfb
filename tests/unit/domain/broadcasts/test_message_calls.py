"""Each kind of message is sent by its own call, as WeChat documents it."""

from dataclasses import replace

import pytest

from service.domain.broadcasts.messages.calls import call_to_many, call_to_one, call_to_tag
from service.domain.broadcasts.messages.content_hash import content_hash
from service.entities.broadcast_messages import BroadcastMessage, message_from_json
from service.entities.broadcasts import MessageKind
from tests.unit.domain.broadcasts.messages import (
    CUSTOMER_SERVICE,
    EVERY_KIND,
    MASS_ARTICLE,
    MASS_IMAGE,
    MASS_TEXT,
    MINI_PROGRAM_SUBSCRIPTION,
    SERVICE_SUBSCRIPTION,
    TEMPLATE,
)

DATA = {"thing1": {"value": "Spring sale"}, "time2": {"value": "15:01"}}
MINI_PROGRAM = {"appid": "wx0123456789abcdef", "pagepath": "pages/index/index?from=tags"}


def test_mass_messages_to_a_list() -> None:
    people = ["ada", "bob"]

    assert call_to_many(MASS_TEXT, people, "t-1").body == {
        "touser": people,
        "msgtype": "text",
        "text": {"content": "Spring sale\nfrom today"},
        "clientmsgid": "t-1",
    }
    assert call_to_many(MASS_IMAGE, people, "t-2").body == {
        "touser": people,
        "msgtype": "image",
        "images": {"media_ids": ["media-1", "media_2"], "recommend": "Spring"},
        "clientmsgid": "t-2",
    }
    article = {"touser": people, "msgtype": "mpnews", "send_ignore_reprint": 1, "clientmsgid": "t-3"}
    assert call_to_many(MASS_ARTICLE, people, "t-3").body == {**article, "mpnews": {"media_id": "draft-1"}}
    copied = call_to_many(MASS_ARTICLE, people, "t-3", media_id="copy-7")
    assert copied.body == {**article, "mpnews": {"media_id": "copy-7"}}


def test_mass_messages_to_a_tag() -> None:
    call = call_to_tag(MASS_ARTICLE, 134, "t-1", media_id="copy-7")

    assert call.path == "/cgi-bin/message/mass/sendall"
    assert call.body == {
        "filter": {"is_to_all": False, "tag_id": 134},
        "msgtype": "mpnews",
        "mpnews": {"media_id": "copy-7"},
        "send_ignore_reprint": 1,
        "clientmsgid": "t-1",
    }


def test_messages_to_one_person() -> None:
    text = {"touser": "ada", "msgtype": "text", "text": {"content": "Hello"}}
    templated = {"touser": "ada", "data": DATA}

    assert call_to_one(CUSTOMER_SERVICE, "ada").body == text
    assert call_to_one(TEMPLATE, "ada", "t-1-1").body == {
        **templated,
        "template_id": "template-1",
        "url": "https://shop.example/?from=tags",
        "miniprogram": MINI_PROGRAM,
        "client_msg_id": "t-1-1",
    }
    assert call_to_one(SERVICE_SUBSCRIPTION, "ada", "t-1-1").body == {
        **templated,
        "template_id": "template-2",
        "page": "https://shop.example/",
        "miniprogram": MINI_PROGRAM,
    }
    assert call_to_one(MINI_PROGRAM_SUBSCRIPTION, "ada").body == {
        **templated,
        "template_id": "template-3",
        "page": "pages/index?from=tags",
        "miniprogram_state": "formal",
        "lang": "zh_CN",
    }


@pytest.mark.parametrize("message", EVERY_KIND, ids=lambda message: message.kind.value)
def test_no_kind_is_sent_by_the_call_of_another(message: BroadcastMessage) -> None:
    if message.kind.mass:
        with pytest.raises(ValueError, match="no message to one person"):
            call_to_one(message, "ada")
    else:
        with pytest.raises(ValueError, match="no message to many people"):
            call_to_many(message, ["ada", "bob"], "t-1")


def test_messages_are_alike_if_kind_and_content_are() -> None:
    hashes = {content_hash(message) for message in EVERY_KIND}

    assert len(hashes) == len(EVERY_KIND)
    assert {content_hash(message_from_json(message.to_json())) for message in EVERY_KIND} == hashes
    assert content_hash(replace(MASS_TEXT, text="other")) not in hashes
    assert content_hash(replace(CUSTOMER_SERVICE, kind=MessageKind.MASS_TEXT)) not in hashes
