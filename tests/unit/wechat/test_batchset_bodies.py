"""Read the bodies of the batchset call: odd characters cost one entry, and no shape of a body costs much time."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.wechat.batchset import (
    MAX_BODY_BYTES,
    BatchsetCode,
    BatchsetRejectedError,
    decrypt_call,
    parse_call,
    read_envelope,
)
from service.wechat.crypto import Envelope

KEY = "A" * 43
SCALARS = b"<appid>wx1</appid><category>c</category><label>l</label><desc>d</desc>"


def in_xml(*openids: bytes) -> bytes:
    entries = b"".join(b"<openid><![CDATA[%s]]></openid>" % each for each in openids)
    return b"<xml>%s<list>%s</list></xml>" % (SCALARS, entries)


def rejection(xml: bytes) -> tuple[BatchsetCode, str]:
    with pytest.raises(BatchsetRejectedError) as rejected:
        parse_call(xml)
    return rejected.value.code, rejected.value.message


@pytest.mark.parametrize("odd", [b"\x02", b"\0", b"\xff", b"\xe4\xbd", "\ufffe".encode(), b"\xed\xa0\xbd"], ids=repr)
def test_an_odd_character_spoils_only_its_own_entry(odd: bytes) -> None:
    call = parse_call(in_xml(b"oAda", b"oB" + odd + b"en", b"oCyd"))

    assert (call.app_id, call.category, call.label, call.description) == ("wx1", "c", "l", "d")
    assert (call.openids[0], call.openids[2], len(call.openids)) == ("oAda", "oCyd", 3)
    assert call.openids[1] not in {"oBen", "oAda", "oCyd"}


@pytest.mark.parametrize("around", [b"\xef\xbb\xbf", b" \n", b"\0"], ids=repr)
def test_what_stands_around_the_xml_does_not_matter(around: bytes) -> None:
    assert parse_call(around + in_xml(b"oAda") + b"\n\0").openids == ["oAda"]


def test_a_list_in_a_declared_encoding_is_read() -> None:
    xml = in_xml(b"oAda").decode().replace(">c<", ">会员<").replace(">l<", ">金牌<")

    call = parse_call(f'<?xml version="1.0" encoding="GBK"?>\n{xml}'.encode("gbk"))
    assert (call.category, call.label) == ("会员", "金牌")


@pytest.mark.parametrize("blanks", [" ", "\r\n", "\n\t "])
def test_blanks_in_and_around_the_envelope_do_not_count(blanks: str) -> None:
    encrypted = Envelope(KEY, "wx2").encrypt(in_xml(b"oAda"))
    given = blanks + encrypted[:64] + blanks + encrypted[64:] + blanks
    body = b"\xef\xbb\xbf" + orjson.dumps({"encrypt": given})

    read = read_envelope("application/json", body)
    assert decrypt_call(read, encoding_aes_key=KEY, app_id="wx2") == in_xml(b"oAda")


def test_the_largest_list_is_read() -> None:
    people = [b"o" * 122 + b"%06d" % number for number in range(10_000)]
    xml = in_xml(*people).replace(b"</openid>", b"</openid>\r\n")

    assert len(Envelope(KEY, "wx2").encrypt(xml)) < MAX_BODY_BYTES
    assert parse_call(xml).openids == [each.decode() for each in people]


@pytest.mark.parametrize(
    "inside",
    [
        b"<a/>" * 60_000,
        b"<list>" * 30_000 + b"</list>" * 30_000,
        b"\n" * 200_000,
        b"&amp;" * 200_000,
        b"<a %s/>" % b" ".join(b'a%d=""' % number for number in range(200_000)),
        b"<a b='%s'/>" % (b"\t" * 1_000_000),
        b"<!--%s-->" % (b"a" * 1_000_000),
        b"<%s/>" % (b"a" * 1_000_000),
    ],
    ids=lambda inside: inside[:12].decode(),
)
def test_xml_that_would_take_long_is_not_parsed(inside: bytes) -> None:
    code, message = rejection(b"<xml>" + SCALARS + inside + b"</xml>")

    assert code is BatchsetCode.OTHER
    assert "10,000 openids" in message


@pytest.mark.parametrize("body", [b"[" * 2_000, b'{"encrypt":[' + b"0," * 2_000 + b"0]}", b'{"a":' * 2_000], ids=len)
def test_json_that_would_take_long_is_not_parsed(body: bytes) -> None:
    with pytest.raises(BatchsetRejectedError) as rejected:
        read_envelope("application/json", body)
    assert rejected.value.code is BatchsetCode.PARAMETERS_MISMATCH


@given(st.lists(st.one_of(st.sampled_from([b"<xml>", b"</xml>", SCALARS, b"<![CDATA[", b"]]>", b"&"]), st.binary())))
def test_no_xml_raises_anything_but_the_rejection(pieces: list[bytes]) -> None:
    try:
        call = parse_call(b"".join(pieces))
    except BatchsetRejectedError:
        return
    assert call.app_id


@given(st.one_of(st.text(), st.binary().map(bytes.hex)))
def test_no_envelope_raises_anything_but_the_rejection(encrypted: str) -> None:
    with pytest.raises(BatchsetRejectedError) as rejected:
        decrypt_call(encrypted, encoding_aes_key=KEY, app_id="wx2")
    assert rejected.value.code is BatchsetCode.BADLY_ENCRYPTED
