"""Lose no genuine push for what a stranger typed into a field that nobody reads, and let nobody type a field."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.entities.users import EventKind
from service.wechat.crypto import Envelope, sign
from service.wechat.pushes import Push, PushRejectedError
from tests.unit.wechat.two_sided_channel import COMMON, ENCRYPTED, NOW, PLAIN, ChannelKeys

REAL: Final = COMMON["FromUserName"]
TIMESTAMP: Final = str(int(NOW.timestamp()))
MESSAGE: Final = Push(REAL, NOW, frozenset({EventKind.MESSAGE}))
ODD: Final = [
    b"\x02",
    b"\x08",
    b"\x00",
    b"\x7f",
    "\ufffe".encode(),
    "\uffff".encode(),
    b"\xed\xa0\xbd",  # half an emoji
    b"\xf0\x9f\x98",  # a cut one
    b"\xe4\xbd",
    b"\xff\xfe",
    b"\xc0\x80",
    "微信".encode("gbk"),
    b"\n",
    b"\r\n",
    b"a ]]> b",
    b"]]>",
    b"]]]]>",
    b"]]&gt;",
    b"<a & b>",
    b"&nbsp;&#2;",
    b"<![CDATA[",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
]
ODD_IN_JSON: Final = [
    *(odd for odd in ODD if b'"' not in odd),
    rb"\ud83d",
    rb"\u0000",
    rb"\x41 \' \u12",
    rb"C:\dir",
    b"\t",
]


def in_xml(content: bytes) -> bytes:
    """Return a text message as WeChat writes it, with the content as somebody typed it."""
    return (
        b"<xml><ToUserName><![CDATA[gh_1]]></ToUserName>\n<FromUserName><![CDATA[%s]]></FromUserName>\n"
        b"<CreateTime>%s</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[%s]]></Content>\n"
        b"<MsgId>24012345678901234</MsgId>\n</xml>" % (REAL.encode(), TIMESTAMP.encode(), content)
    )


def in_json(content: bytes) -> bytes:
    return b'{"ToUserName":"gh_1","FromUserName":"%s","CreateTime":%s,"MsgType":"text","Content":"%s","MsgId":24}' % (
        REAL.encode(),
        TIMESTAMP.encode(),
        content,
    )


def opened_plain(body: bytes) -> Push:
    query = {"timestamp": TIMESTAMP, "nonce": "1", "signature": sign("AAAAA", TIMESTAMP, "1")}
    return PLAIN.open(query, body)


def opened_sealed(inner: bytes, outer: bytes = b"<xml><Encrypt><![CDATA[%s]]></Encrypt></xml>") -> Push:
    """Open an encrypted push; `outer` is its body, with %s where the envelope goes."""
    encrypted = Envelope("A" * 43, ENCRYPTED.app_id).encrypt(inner)
    query = {"timestamp": TIMESTAMP, "nonce": "1", "msg_signature": sign("AAAAA", TIMESTAMP, "1", encrypted)}
    return ENCRYPTED.open(query, outer.replace(b"%s", encrypted.encode()))


def opened_in_compatible_mode(body: bytes, field: bytes) -> Push:
    """Open a body with its plain fields and, as the last, `field`, in which %s stands for the envelope."""
    closing = b"</xml>" if body.endswith(b"</xml>") else b"}"
    return opened_sealed(body, body.removesuffix(closing).replace(b"%", b"") + field + closing)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_what_is_typed_into_xml_loses_no_message(odd: bytes) -> None:
    body = in_xml(b"hello " + odd + b" there")

    assert opened_plain(body) == MESSAGE
    assert opened_sealed(body) == MESSAGE
    assert opened_in_compatible_mode(body, b"<Encrypt><![CDATA[%s]]></Encrypt>\n") == MESSAGE


@pytest.mark.parametrize("odd", ODD_IN_JSON, ids=repr)
def test_what_is_typed_into_json_loses_no_message(odd: bytes) -> None:
    body = in_json(b"hello " + odd + b" there")

    assert opened_plain(body) == MESSAGE
    assert opened_sealed(body) == MESSAGE
    assert opened_in_compatible_mode(body, b',"Encrypt":"%s"') == MESSAGE


@pytest.mark.parametrize(
    "odd", [b"\xef\xbb\xbf", b" \r\n", b"\0", b" \xef\xbb\xbf ", b'<?xml version="1.0" encoding="gbk"?>\n'], ids=repr
)
def test_what_stands_around_a_body_does_not_matter(odd: bytes) -> None:
    for body in (in_xml(b""), in_json(b"")):
        if body.startswith(b"<") or b"<" not in odd:
            assert opened_plain(odd + body + b"\n\0") == MESSAGE
            assert opened_sealed(odd + body) == MESSAGE


@pytest.mark.parametrize("blanks", [b" ", b"\n\t", b"\r\n  "])
def test_blanks_around_the_envelope_do_not_count(blanks: bytes) -> None:
    for outer in (
        b"<xml>_<Encrypt>_%s_</Encrypt>_</xml>",
        b"<xml><Encrypt>_<![CDATA[_%s_]]>_</Encrypt></xml>",
        b'{"Encrypt":_"%s"_}',
        b'_{"Encrypt":"_%s_"}',
    ):
        assert opened_sealed(in_xml(b""), outer.replace(b"_", blanks)) == MESSAGE


TYPED_FIELDS: Final = [
    b"]]></Content><FromUserName><![CDATA[oVictim]]></FromUserName><Content><![CDATA[",
    b"]]></Content><MsgType>event</MsgType><Event>unsubscribe</Event><Content><![CDATA[",
    b"]]></Content></xml><xml><FromUserName>oVictim</FromUserName><Content><![CDATA[",
    b"]]></Content><FromUserName>oVictim</FromUserName></xml>",
    b"]]></FromUserName><FromUserName><![CDATA[oVictim]]></FromUserName>",
    b"]]></MsgType><MsgType>event</MsgType><Event>unsubscribe</Event>",
    b"]]><FromUserName>oVictim</FromUserName><![CDATA[",
]


@pytest.mark.parametrize("typed", TYPED_FIELDS, ids=repr)
def test_a_field_that_somebody_types_into_xml_is_not_believed(typed: bytes) -> None:
    for also in (b"", b"]]> \x02", b" ]]> &nbsp;"):
        body = in_xml(also + typed + also)
        assert opened_plain(body) == MESSAGE
        assert opened_sealed(body) == MESSAGE


@pytest.mark.parametrize(
    "typed",
    [
        b'","FromUserName":"oVictim","a":"',
        b'","MsgType":"event","Event":"unsubscribe","a":"',
        b'"},"FromUserName":"oVictim","a":{"b":"',
        b'"}{"FromUserName":"oVictim","a":"',
    ],
    ids=repr,
)
def test_a_field_that_somebody_types_into_json_is_not_believed(typed: bytes) -> None:
    assert opened_plain(in_json(typed)) == MESSAGE
    assert opened_sealed(in_json(typed)) == MESSAGE


@pytest.mark.parametrize("typed", [b"oVictim", b"A" * 64, b"]]>", b"<"])
def test_an_envelope_that_somebody_types_is_not_believed(typed: bytes) -> None:
    body = in_xml(b"]]></Content><Encrypt>" + typed + b"</Encrypt><Content><![CDATA[")

    assert opened_in_compatible_mode(body, b"<Encrypt><![CDATA[%s]]></Encrypt>") == MESSAGE


@pytest.mark.parametrize(
    "body",
    [
        b"<xml><a><FromUserName>oVictim</FromUserName></a><CreateTime>%s</CreateTime><MsgType>text</MsgType></xml>",
        b"<xml><a><a></a><FromUserName>oVictim</FromUserName></a><CreateTime>%s</CreateTime><MsgType>text</MsgType></xml>",
        b"<xml><a>&b;<FromUserName>oVictim</FromUserName></a><CreateTime>%s</CreateTime><MsgType>text</MsgType></xml>",
        b"<xml><MsgType>text</MsgType><a>&b;</a><b/><FromUserName>oVictim</FromUserName><CreateTime>%s</CreateTime></xml>",
        (
            b"<xml><CreateTime>%s</CreateTime><MsgType>text</MsgType>"
            b"<FromUserName><![CDATA[o]]><![CDATA[V]]>]]></FromUserName></xml>"
        ),
        b'{"a":{"FromUserName":"oVictim"},"CreateTime":%s,"MsgType":"text"}',
        b'{"a":{"FromUserName":"oVictim"},"CreateTime":%s,"MsgType":"text","b":"\\q"}',
        b'{"a":["FromUserName","oVictim"],"CreateTime":%s,"MsgType":"text"}',
    ],
)
def test_a_field_inside_another_or_in_pieces_is_none(body: bytes) -> None:
    with pytest.raises(PushRejectedError) as rejected:
        opened_plain(body.replace(b"%s", TIMESTAMP.encode()))
    assert rejected.value.code in {"BAD_FIELDS", "BAD_XML", "BAD_JSON"}


# What people may make of a text: pieces that mean something to a reader, and any bytes.
PIECES: Final = st.lists(
    st.one_of(
        st.sampled_from(
            [*ODD, *ODD_IN_JSON, *TYPED_FIELDS, b'"', b"\\", b"{", b"}", b"</xml>", b"</Content>", b"<xml>"]
        ),
        st.binary(max_size=8),
    ),
    max_size=8,
).map(b"".join)


@given(typed=PIECES, channel=st.sampled_from([PLAIN, ENCRYPTED]))
def test_whatever_is_typed_the_message_is_of_who_typed_it(typed: bytes, channel: ChannelKeys) -> None:
    opened = opened_plain if channel is PLAIN else opened_sealed

    assert opened(in_xml(typed)) == MESSAGE
    assert opened(in_json(typed)) == MESSAGE


@given(typed=PIECES)
def test_whatever_is_typed_compatible_mode_finds_its_envelope(typed: bytes) -> None:
    assert opened_in_compatible_mode(in_xml(typed), b"<Encrypt><![CDATA[%s]]></Encrypt>") == MESSAGE
    assert opened_in_compatible_mode(in_json(typed), b',"Encrypt":"%s"') == MESSAGE
