"""Refuse forged, stale and altered pushes, and every way around the encryption."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto

from service.dev.demo.push_encoder import encode_body
from service.entities.users import EventKind
from service.wechat.crypto import Envelope, sign
from service.wechat.pushes import PushRejectedError, decode_push, verify_url
from tests.unit.wechat.two_sided_channel import COMMON, ENCRYPTED, NOW, PLAIN, ChannelKeys

TEXT = {"MsgType": "text", "Content": "hello", "MsgId": "1"}
TEN_MINUTES = timedelta(minutes=10)
OFFICIAL_ENCRYPTED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsX"
    "UnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajA"
    "sjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)


def rejection(channel: ChannelKeys, query: dict[str, str], body: bytes) -> str:
    with pytest.raises(PushRejectedError) as rejected:
        channel.open(query, body)
    return rejected.value.code


def test_the_official_plain_push_is_opened() -> None:
    body = (
        b'{"ToUserName": "gh_97417a04a28d","FromUserName": "o9AgO5Kd5ggOC-bXrbNODIiE3bGY",'
        b'"CreateTime": 1714037059,"MsgType": "event","Event": "debug_demo","debug_str": "hello world"}'
    )
    query = {
        "signature": "899cf89e464efb63f54ddac96b0a0a235f53aa78",
        "timestamp": "1714037059",
        "nonce": "486452656",
    }
    sent = datetime.fromtimestamp(1714037059, UTC)

    push = replace(PLAIN, now=sent).open(query, body)

    assert (push.openid, push.at, push.facts) == ("o9AgO5Kd5ggOC-bXrbNODIiE3bGY", sent, frozenset())


def test_the_official_safe_push_is_opened() -> None:
    body = orjson.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": OFFICIAL_ENCRYPTED})
    query = {
        "signature": "6c5c811b55cc85e0e1b54100749188c20beb3f5d",
        "timestamp": "1714112445",
        "nonce": "415670741",
        "openid": "o9AgO5Kd5ggOC-bXrbNODIiE3bGY",
        "encrypt_type": "aes",
        "msg_signature": "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
    }
    sent = datetime.fromtimestamp(1714112445, UTC)

    push = replace(ENCRYPTED, now=sent).open(query, body)

    assert (push.openid, push.facts) == ("o9AgO5Kd5ggOC-bXrbNODIiE3bGY", frozenset())


def test_the_official_url_verification_is_answered() -> None:
    query = {
        "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
        "echostr": "4375120948345356249",
        "timestamp": "1714036504",
        "nonce": "1514711492",
    }
    sent = datetime.fromtimestamp(1714036504, UTC)

    assert verify_url(query, "AAAAA", sent, TEN_MINUTES) == "4375120948345356249"
    for changes, now, code in [
        ({"nonce": "1"}, sent, "BAD_SIGNATURE"),
        ({"signature": "é"}, sent, "BAD_SIGNATURE"),
        ({"echostr": ""}, sent, "BAD_FIELDS"),
        ({}, sent + timedelta(minutes=11), "STALE"),
    ]:
        with pytest.raises(PushRejectedError) as rejected:
            verify_url({**query, **changes}, "AAAAA", now, TEN_MINUTES)
        assert rejected.value.code == code


def test_what_wechatpy_encrypts_is_opened() -> None:
    inner = encode_body({**COMMON, **TEXT}, "xml").decode()
    timestamp = str(int(NOW.timestamp()))
    reply = WeChatCrypto("AAAAA", "A" * 43, ENCRYPTED.app_id).encrypt_message(inner, "12345", timestamp)
    encrypted = reply.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    signature = reply.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]

    push = ENCRYPTED.open({"msg_signature": signature, "timestamp": timestamp, "nonce": "12345"}, reply.encode())

    assert push.facts == {EventKind.MESSAGE}
    assert sign("AAAAA", timestamp, "12345", encrypted) == signature


@given(content=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"])))
def test_what_the_platform_seals_is_opened_by_wechatpy(content: str) -> None:
    query, body = ENCRYPTED.encrypt({**TEXT, "Content": content})

    inner = WeChatCrypto("AAAAA", "A" * 43, ENCRYPTED.app_id).decrypt_message(
        body.decode(), query["msg_signature"], query["timestamp"], query["nonce"]
    )

    assert inner.encode() == encode_body({**COMMON, **TEXT, "Content": content}, "xml")


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
@pytest.mark.parametrize("forged", ["", "1772366401", "é\ud800", None])
def test_a_forged_safe_push_is_rejected(name: str, forged: str | None) -> None:
    query, body = ENCRYPTED.encrypt(TEXT)
    query |= {name: forged or ""}
    if forged is None:
        del query[name]

    assert rejection(ENCRYPTED, query, body) == "BAD_SIGNATURE"


@pytest.mark.parametrize("name", ["signature", "timestamp", "nonce"])
def test_a_forged_plain_push_is_rejected(name: str) -> None:
    query, body = PLAIN.encrypt(TEXT, "plain")

    assert rejection(PLAIN, {**query, name: "1772366401"}, body) == "BAD_SIGNATURE"


def test_the_plain_signature_of_a_safe_push_is_not_looked_at() -> None:
    query, body = ENCRYPTED.encrypt(TEXT)
    del query["signature"]

    assert ENCRYPTED.open(query, body).facts == {EventKind.MESSAGE}


@given(position=st.integers(min_value=0), flipped=st.integers(1, 255))
def test_no_altered_byte_of_the_envelope_gets_past_the_signature(position: int, flipped: int) -> None:
    query, body = ENCRYPTED.encrypt(TEXT, body_format="json")
    outer = orjson.loads(body)
    letters = bytearray(outer["Encrypt"].encode())
    letters[position % len(letters)] ^= flipped
    outer["Encrypt"] = letters.decode("latin-1")

    assert rejection(ENCRYPTED, query, orjson.dumps(outer)) == "BAD_SIGNATURE"


def test_an_empty_token_lets_nobody_in() -> None:
    nobody = replace(ENCRYPTED, token="")

    assert rejection(nobody, *nobody.encrypt(TEXT)) == "BAD_SIGNATURE"


@pytest.mark.parametrize("channel", [ENCRYPTED, PLAIN])
@pytest.mark.parametrize(("skew", "code"), [(600, None), (-600, None), (601, "STALE"), (-601, "STALE")])
def test_a_push_is_taken_within_ten_minutes_in_either_direction(
    channel: ChannelKeys, skew: int, code: str | None
) -> None:
    skewed = replace(channel, now=NOW + timedelta(seconds=skew))
    fields = {**TEXT, "CreateTime": "1348831860"}
    query, body = skewed.encrypt(fields, "safe" if channel.encoding_aes_key else "plain")
    if code is None:
        assert skewed.open(query, body).facts == {EventKind.MESSAGE}
    else:
        assert rejection(skewed, query, body) == code


@pytest.mark.parametrize("timestamp", ["", "now", "1e9", "-5", "١٧٧٢٣٦٦٤٠٠", "9" * 21, "9" * 20])
def test_a_signed_timestamp_that_is_no_time_is_stale(timestamp: str) -> None:
    query = {"timestamp": timestamp, "nonce": "1", "signature": sign("AAAAA", timestamp, "1")}

    assert rejection(PLAIN, query, b"<xml/>") == "STALE"


def test_an_envelope_for_another_app_id_is_rejected() -> None:
    query, body = replace(ENCRYPTED, app_id="wx0000000000000000").encrypt(TEXT)

    assert rejection(ENCRYPTED, query, body) == "BAD_ENVELOPE"


def test_an_envelope_under_another_key_is_rejected() -> None:
    query, body = replace(ENCRYPTED, encoding_aes_key="B" * 43).encrypt(TEXT)

    assert rejection(ENCRYPTED, query, body) == "BAD_ENVELOPE"


def test_a_channel_with_a_key_takes_no_plain_push() -> None:
    # The plain signature covers no body: whoever once saw a query could write any body under it.
    query, body = ENCRYPTED.encrypt(TEXT, "plain")

    assert rejection(ENCRYPTED, query, body) == "BAD_ENVELOPE"
    assert rejection(ENCRYPTED, {**query, "msg_signature": query["signature"]}, body) == "BAD_ENVELOPE"


@pytest.mark.parametrize("encrypted", ["", " ", "AAAA", "%%%"])
def test_an_empty_or_broken_envelope_is_rejected(encrypted: str) -> None:
    timestamp = str(int(NOW.timestamp()))
    query = {"timestamp": timestamp, "nonce": "1", "msg_signature": sign("AAAAA", timestamp, "1", encrypted)}

    assert rejection(ENCRYPTED, query, encode_body({"Encrypt": encrypted}, "xml")) == "BAD_ENVELOPE"


def test_in_compat_mode_only_what_is_encrypted_is_believed() -> None:
    query, body = ENCRYPTED.encrypt(TEXT, "compat", "json")
    lying = {
        **orjson.loads(body),
        "FromUserName": "oSomebodyElse",
        "MsgType": "event",
        "Event": "unsubscribe",
    }

    push = ENCRYPTED.open(query, orjson.dumps(lying))

    assert push.openid == COMMON["FromUserName"]
    assert push.facts == {EventKind.MESSAGE}


def test_a_channel_without_a_key_reads_the_plain_fields_of_compat_mode_and_rejects_safe_mode() -> None:
    assert PLAIN.open(*ENCRYPTED.encrypt(TEXT, "compat")).facts == {EventKind.MESSAGE}
    assert rejection(PLAIN, *ENCRYPTED.encrypt(TEXT)) == "BAD_ENVELOPE"


def test_a_key_that_is_none_is_the_pushs_rejection_too() -> None:
    query, body = ENCRYPTED.encrypt(TEXT)

    with pytest.raises(PushRejectedError) as rejected:
        decode_push(
            query,
            body,
            token="AAAAA",
            encoding_aes_key="short",
            app_ids=[ENCRYPTED.app_id],
            now=NOW,
            max_age=TEN_MINUTES,
        )

    assert rejected.value.code == "BAD_ENVELOPE"


def test_a_zero_iv_makes_no_difference() -> None:
    # As a client with a zero IV would: the first block comes out as other random bytes.
    inner = encode_body({**COMMON, **TEXT}, "xml")
    encrypted = Envelope("A" * 43, ENCRYPTED.app_id).encrypt(inner, bytes(16))
    timestamp = str(int(NOW.timestamp()))
    query = {"timestamp": timestamp, "nonce": "1", "msg_signature": sign("AAAAA", timestamp, "1", encrypted)}

    assert ENCRYPTED.open(query, encode_body({"Encrypt": encrypted}, "xml")).facts == {EventKind.MESSAGE}
