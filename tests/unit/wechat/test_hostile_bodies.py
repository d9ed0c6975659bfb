"""Refuse hostile bodies with a code: entity bombs, external entities, depth, size, junk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.wechat.crypto import Envelope, sign
from service.wechat.pushes import MAX_BODY_BYTES, PushRejectedError
from tests.unit.wechat.two_sided_channel import ENCRYPTED, NOW, PLAIN, ChannelKeys

BILLION_LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "ha">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<xml><FromUserName>&c;</FromUserName></xml>"""
EXTERNAL_ENTITY = b"""<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/passwd">]>
<xml><FromUserName>&f;</FromUserName></xml>"""
EXTERNAL_DTD = b"""<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd"><xml><FromUserName>o1</FromUserName></xml>"""
TIMESTAMP = str(int(NOW.timestamp()))


def rejection(channel: ChannelKeys, query: dict[str, str], body: bytes) -> str:
    with pytest.raises(PushRejectedError) as rejected:
        channel.open(query, body)
    return rejected.value.code


def plain_query() -> dict[str, str]:
    return {"timestamp": TIMESTAMP, "nonce": "1", "signature": sign("AAAAA", TIMESTAMP, "1")}


def enveloped(inner: bytes) -> tuple[dict[str, str], bytes]:
    encrypted = Envelope("A" * 43, ENCRYPTED.app_id).encrypt(inner)
    query = {
        "timestamp": TIMESTAMP,
        "nonce": "1",
        "msg_signature": sign("AAAAA", TIMESTAMP, "1", encrypted),
    }
    return query, f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (BILLION_LAUGHS, "BAD_XML"),
        (EXTERNAL_ENTITY, "BAD_XML"),
        (EXTERNAL_DTD, "BAD_XML"),
        (b"<!DOCTYPE xml><xml/>", "BAD_XML"),
        (b"", "BAD_XML"),
        (b"<xml>", "BAD_XML"),
        (b"<html/>", "BAD_XML"),
        (b"<xml>\xff</xml>", "BAD_XML"),
        (b"<xml>&unknown;</xml>", "BAD_XML"),
        (b'<?xml version="1.0" encoding="klingon"?><xml/>', "BAD_XML"),
        (b'<?xml version="1.0" encoding="shift_jis"?><xml/>', "BAD_XML"),
        (b'<?xml version="1.0" encoding="idna"?><xml>\xff</xml>', "BAD_XML"),
        (b"<a>" * 20_000, "BAD_XML"),
        (b'{"a":' * 10_000, "BAD_JSON"),
        (b"{", "BAD_JSON"),
        (b'{"FromUserName":"\\ud800"}', "BAD_FIELDS"),
        (b'{"FromUserName":"o1","MsgType":"text","CreateTime":1772366400,"Content":"cut', "BAD_JSON"),
        (b"<xml><FromUserName>o1</FromUserName><MsgType>text</MsgType><Content>cut", "BAD_XML"),
        (b"<xml>o1<FromUserName>o1</FromUserName></xml>", "BAD_XML"),
        (b'<?xml version="1.0" encoding="utf-16"?><xml/>', "BAD_XML"),
        (b"[1]", "BAD_XML"),
        (b"{}", "BAD_FIELDS"),
        (b"<xml/>", "BAD_FIELDS"),
        (b'{"FromUserName":null,"MsgType":["text"],"CreateTime":true}', "BAD_FIELDS"),
    ],
)
def test_a_hostile_body_is_rejected_plain_and_inside_an_envelope(body: bytes, code: str) -> None:
    assert rejection(PLAIN, plain_query(), body) == code
    if len(body) < MAX_BODY_BYTES // 2:
        assert rejection(ENCRYPTED, *enveloped(body)) == code


@pytest.mark.parametrize("body", [BILLION_LAUGHS, EXTERNAL_ENTITY, EXTERNAL_DTD])
def test_a_bomb_outside_the_envelope_is_rejected_before_anything_else(body: bytes) -> None:
    assert rejection(ENCRYPTED, {}, body) == "BAD_XML"


def test_ten_thousand_levels_of_elements_are_survived() -> None:
    body = b"<xml>" + b"<a>" * 9_000 + b"</a>" * 9_000 + b"</xml>"

    assert rejection(PLAIN, plain_query(), body) == "BAD_FIELDS"


def test_a_body_may_have_64_kib_and_no_byte_more() -> None:
    largest = b"<xml>" + b" " * (MAX_BODY_BYTES - 11) + b"</xml>"

    assert len(largest) == 65_536
    assert rejection(PLAIN, plain_query(), largest) == "BAD_FIELDS"
    assert rejection(PLAIN, plain_query(), largest + b" ") == "TOO_LARGE"


@given(
    body=st.binary(max_size=400),
    prefix=st.sampled_from([b"", b"<xml>", b"{", b'<?xml version="1.0" encoding="']),
)
def test_no_body_raises_anything_but_the_rejection(body: bytes, prefix: bytes) -> None:
    for channel, query, sent in [
        (PLAIN, plain_query(), prefix + body),
        (ENCRYPTED, {}, prefix + body),
        (ENCRYPTED, *enveloped(prefix + body)),
    ]:
        with pytest.raises(PushRejectedError):
            channel.open(query, sent)


@given(
    query=st.dictionaries(st.sampled_from(["signature", "msg_signature", "timestamp", "nonce"]), st.text()),
    body=st.sampled_from([b"<xml><Encrypt>AAAA</Encrypt></xml>", b'{"Encrypt":"AAAA"}', b"<xml/>"]),
)
def test_no_query_raises_anything_but_the_rejection(query: dict[str, str], body: bytes) -> None:
    for channel in (PLAIN, ENCRYPTED):
        with pytest.raises(PushRejectedError):
            channel.open(query, body)


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_truncated_push_is_rejected(cut: int) -> None:
    query, body = ENCRYPTED.encrypt({"MsgType": "text", "MsgId": "1"})

    assert rejection(ENCRYPTED, query, body[:-cut]) == "BAD_XML"
