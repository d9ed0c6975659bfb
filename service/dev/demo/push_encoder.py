"""Sign, encrypt and write pushes as WeChat does, for `service.wechat.pushes` to read.

Source: developers.weixin.qq.com `/doc/subscription/guide/dev/push/encryption.md`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, NamedTuple

import orjson

from service.wechat.crypto import Envelope, sign

Mode = Literal["plain", "safe", "compat"]
BodyFormat = Literal["xml", "json"]

NUMERIC_FIELDS: Final = frozenset({"CreateTime", "MsgId", "MsgID"})
"""Fields that are written without CDATA in XML, and as numbers in JSON."""


class EncodedPush(NamedTuple):
    """Hold what is sent to the push address of a channel: the query of the URL, and the body."""

    query: dict[str, str]
    body: bytes


def encode_push(
    fields: Mapping[str, str],
    *,
    token: str,
    encoding_aes_key: str | None,
    app_id: str,
    now: datetime,
    mode: Mode,
    nonce: str,
    body_format: BodyFormat = "xml",
) -> EncodedPush:
    """Return a push sent at `now`; raises ValueError for an encrypted mode without a key.

    The body of `plain` has the fields as they are, of `safe` only `ToUserName` and `Encrypt`, of `compat` all.
    """
    timestamp = str(int(now.timestamp()))
    query = {
        "signature": sign(token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "openid": fields.get("FromUserName", ""),
    }
    plaintext = encode_body(fields, body_format)
    if mode == "plain":
        return EncodedPush(query, plaintext)
    if encoding_aes_key is None:
        raise ValueError(f"{mode} mode needs an EncodingAESKey")
    encrypted = Envelope(encoding_aes_key, app_id).encrypt(plaintext)
    query |= {"encrypt_type": "aes", "msg_signature": sign(token, timestamp, nonce, encrypted)}
    plain_fields = dict(fields) if mode == "compat" else {"ToUserName": fields.get("ToUserName", "")}
    return EncodedPush(query, encode_body({**plain_fields, "Encrypt": encrypted}, body_format))


def encode_body(fields: Mapping[str, str], body_format: BodyFormat) -> bytes:
    """Return the fields as WeChat writes them: XML with CDATA, or JSON in which numbers have no quotes."""
    if body_format == "json":
        return orjson.dumps({name: int(value) if _is_number(name, value) else value for name, value in fields.items()})
    inner = "".join(f"<{name}>{_xml_text(name, value)}</{name}>" for name, value in fields.items())
    return f"<xml>{inner}</xml>".encode()


def _is_number(name: str, value: str) -> bool:
    return name in NUMERIC_FIELDS and value.isascii() and value.isdecimal()


def _xml_text(name: str, value: str) -> str:
    if _is_number(name, value):
        return value
    return "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"
