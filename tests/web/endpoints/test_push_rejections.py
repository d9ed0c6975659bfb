"""Refuse pushes that are forged, stale, malformed or senseless: nothing changes, and no traceback is logged."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import httpx
import pytest

from service.dev.demo.push_encoder import encode_body
from service.wechat.crypto import new_encoding_aes_key, sign
from tests.support.robot import table_digests
from tests.web.endpoints.push_account import PushingAccount, message_fields

Query: TypeAlias = dict[str, str]
Alter: TypeAlias = Callable[[Query, bytes], tuple[Query, bytes]]
DTD = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


async def rejected(
    account: PushingAccount, answer: httpx.Response, before: dict[str, str], caplog: pytest.LogCaptureFixture
) -> tuple[int, str]:
    """Return how it was rejected, after checking that it left nothing behind."""
    assert await table_digests(account.robot.web) == before
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert "success" not in answer.text
    assert account.url.rpartition("/")[2] not in caplog.text
    return answer.status_code, answer.text


ALTERED: dict[str, tuple[Alter, tuple[int, str]]] = {
    "signature of nobody": (lambda query, body: ({**query, "msg_signature": "0" * 40}, body), (403, "BAD_SIGNATURE")),
    "no signature": (lambda query, body: ({"timestamp": query["timestamp"]}, body), (403, "BAD_SIGNATURE")),
    "no query": (lambda _, body: ({}, body), (403, "BAD_SIGNATURE")),
    "signature not ASCII": (lambda query, body: ({**query, "msg_signature": "茶"}, body), (403, "BAD_SIGNATURE")),
    "other timestamp": (lambda query, body: ({**query, "timestamp": "1"}, body), (403, "BAD_SIGNATURE")),
    "only the plain signature": (
        lambda query, body: ({**query, "msg_signature": query["signature"]}, body),
        (403, "BAD_SIGNATURE"),
    ),
    "altered body": (lambda query, body: (query, body.replace(b"]]></Enc", b"AAAA]]></Enc")), (403, "BAD_SIGNATURE")),
    "truncated body": (lambda query, body: (query, body[: len(body) // 2]), (400, "BAD_XML")),
    "no body": (lambda query, _: (query, b""), (400, "BAD_XML")),
    "body of NULs": (lambda query, _: (query, bytes(100)), (400, "BAD_XML")),
    "not XML": (lambda query, _: (query, b"hello"), (400, "BAD_XML")),
    "another root": (lambda query, body: (query, body.replace(b"xml>", b"lmx>")), (400, "BAD_XML")),
    "unknown encoding": (lambda query, _: (query, b'<?xml version="1.0" encoding="x"?><xml/>'), (400, "BAD_XML")),
    "XML bomb": (lambda query, _: (query, DTD + b"<xml><Encrypt>&b;</Encrypt></xml>"), (400, "BAD_XML")),
    "external entity": (
        lambda query, _: (
            query,
            b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Encrypt>&a;</Encrypt></xml>',
        ),
        (400, "BAD_XML"),
    ),
    "truncated JSON": (lambda query, _: (query, b'{"Encrypt": "'), (400, "BAD_JSON")),
    "deep JSON": (lambda query, _: (query, b'{"a":' * 5_000 + b"1" + b"}" * 5_000), (400, "BAD_JSON")),
    "deep XML": (
        lambda query, _: (query, b"<xml>" + b"<a>" * 8_000 + b"</a>" * 8_000 + b"</xml>"),
        (400, "BAD_ENVELOPE"),
    ),
    "not encrypted": (lambda query, _: (query, encode_body(message_fields(), "xml")), (400, "BAD_ENVELOPE")),
    "oversized body": (lambda query, body: (query, body + b" " * 70_000), (413, "TOO_LARGE")),
    "very oversized body": (lambda query, body: (query, body + b" " * 5_000_000), (413, "TOO_LARGE")),
}


@pytest.mark.parametrize(("alter", "expected"), ALTERED.values(), ids=ALTERED)
async def test_a_push_that_was_altered_is_rejected(
    account: PushingAccount, alter: Alter, expected: tuple[int, str], caplog: pytest.LogCaptureFixture
) -> None:
    before = await table_digests(account.robot.web)
    answer = await account.post(*alter(*account.encrypt(message_fields())))

    assert await rejected(account, answer, before, caplog) == expected
    assert (await account.push(message_fields())).text == "success", "the unaltered one is taken"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"token": "Another1"}, (403, "BAD_SIGNATURE")),
        ({"token": ""}, (403, "BAD_SIGNATURE")),
        ({"key": new_encoding_aes_key()}, (400, "BAD_ENVELOPE")),
        ({"app_id": "wxsomebodyelse0001"}, (400, "BAD_ENVELOPE")),
        ({"key": None}, (400, "BAD_ENVELOPE")),
    ],
    ids=["another token", "no token", "another key", "another app id", "plain"],
)
async def test_a_sender_that_lacks_a_secret_is_rejected(
    account: PushingAccount, changes: dict[str, Any], expected: tuple[int, str], caplog: pytest.LogCaptureFixture
) -> None:
    before = await table_digests(account.robot.web)
    answer = await account.with_changes(**changes).push(message_fields())

    assert await rejected(account, answer, before, caplog) == expected


@pytest.mark.parametrize("away", [timedelta(minutes=-11), timedelta(minutes=11)])
async def test_a_stale_signature_is_rejected(
    account: PushingAccount, away: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    before = await table_digests(account.robot.web)
    answer = await account.push(message_fields(), sent=datetime.now(UTC) + away)

    assert await rejected(account, answer, before, caplog) == (403, "STALE")
    assert (await account.push(message_fields(), sent=datetime.now(UTC) + away * 0.8)).text == "success"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"FromUserName": ""}, "BAD_FIELDS"),
        ({"FromUserName": "o p"}, "BAD_FIELDS"),
        ({"FromUserName": "x" * 129}, "BAD_FIELDS"),
        ({"FromUserName": "茶"}, "BAD_FIELDS"),
        ({"FromUserName": "o'; drop table tag; --"}, "BAD_FIELDS"),
        ({"MsgType": ""}, "BAD_FIELDS"),
        ({"MsgType": "event"}, "BAD_FIELDS"),
        ({"CreateTime": ""}, "BAD_FIELDS"),
        ({"CreateTime": "yesterday"}, "BAD_FIELDS"),
        ({"CreateTime": "-1"}, "BAD_FIELDS"),
        ({"CreateTime": "0"}, "BAD_FIELDS"),
        ({"CreateTime": "1767225600000"}, "BAD_FIELDS"),
        ({"CreateTime": "1767225600,5"}, "BAD_FIELDS"),
        ({"CreateTime": "9" * 30}, "BAD_FIELDS"),
        pytest.param(
            {"CreateTime": str(int((datetime.now(UTC) + timedelta(hours=1)).timestamp()))},
            "TIME_IN_FUTURE",
            id="in an hour",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_a_genuine_push_that_makes_no_sense_is_rejected(
    account: PushingAccount, fields: dict[str, str], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = await table_digests(account.robot.web)
    answer = await account.push({**message_fields(), **fields})

    assert await rejected(account, answer, before, caplog) == (400, code)


async def test_a_push_five_minutes_ahead_is_taken(account: PushingAccount) -> None:
    assert (await account.push(message_fields(at=datetime.now(UTC) + timedelta(minutes=4)))).text == "success"


async def test_a_plain_channel_rejects_what_it_cannot_decrypt(
    plain_account: PushingAccount, caplog: pytest.LogCaptureFixture
) -> None:
    before = await table_digests(plain_account.robot.web)
    answer = await plain_account.with_changes(key=new_encoding_aes_key()).push(message_fields(), mode="safe")

    assert await rejected(plain_account, answer, before, caplog) == (400, "BAD_ENVELOPE")


@pytest.mark.parametrize("garbage", ["", "!", "AAAA", base64.b64encode(bytes(32)).decode(), "A" * 43])
async def test_a_well_signed_envelope_of_garbage_is_rejected(
    account: PushingAccount, garbage: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = await table_digests(account.robot.web)
    timestamp = str(int(datetime.now(UTC).timestamp()))
    query = {"timestamp": timestamp, "nonce": "n", "msg_signature": sign(account.token, timestamp, "n", garbage)}
    answer = await account.post(query, encode_body({"ToUserName": "x", "Encrypt": garbage}, "xml"))

    assert await rejected(account, answer, before, caplog) == (400, "BAD_ENVELOPE")
