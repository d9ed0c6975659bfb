"""WeChat's side of a push: fields in, signed query and body out. The inverse of `service.wechat.pushes`.

Source: developers.weixin.qq.com `/doc/subscription/guide/dev/push/encryption.md`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import orjson

from service.wechat.crypto import Envelope, sign

Mode = Literal["plain", "safe", "compat"]
BodyFormat = Literal["xml", "json"]

NUMERIC_FIELDS: Final = frozenset({"CreateTime", "MsgId", "MsgID"})
"""Written bare in XML, and as numbers in JSON."""


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
) -> tuple[dict[str, str], bytes]:
    """Return query and body of a push sent at `now`; raises ValueError for an encrypted mode without key.

    `plain` has the fields as they are, `safe` only `ToUserName` and `Encrypt`, `compat` all of them.
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
        return query, plaintext
    if encoding_aes_key is None:
        raise ValueError(f"{mode} mode needs an EncodingAESKey")
    encrypted = Envelope(encoding_aes_key, app_id).encrypt(plaintext)
    query |= {"encrypt_type": "aes", "msg_signature": sign(token, timestamp, nonce, encrypted)}
    plain_fields = dict(fields) if mode == "compat" else {"ToUserName": fields.get("ToUserName", "")}
    return query, encode_body({**plain_fields, "Encrypt": encrypted}, body_format)


def encode_body(fields: Mapping[str, str], body_format: BodyFormat) -> bytes:
    """Return the fields as WeChat writes them: XML with CDATA, or JSON with bare numbers."""
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
