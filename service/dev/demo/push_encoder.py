"""Sign, encrypt and write pushes as WeChat does, for `service.wechat.pushes` to read.

Source: developers.weixin.qq.com `/doc/subscription/guide/dev/push/encryption.md`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import orjson

from service.wechat.crypto import Envelope, sign

Mode = Literal["plain", "safe", "compat"]
BodyFormat = Literal["xml", "json"]
PushValue: TypeAlias = "str | Mapping[str, PushValue] | Sequence[Mapping[str, PushValue]]"
"""Hold a text, fields inside a field, or several fields of one name."""
PushFields: TypeAlias = Mapping[str, PushValue]

NUMERIC_FIELDS: Final = frozenset({"CreateTime", "MsgId", "MsgID"})
"""Fields that are written without CDATA in XML, and as numbers in JSON."""
XML_NUMERIC_FIELDS: Final = NUMERIC_FIELDS | {
    *("TotalCount", "FilterCount", "SentCount", "ErrorCount", "Count", "CheckState", "ArticleIdx", "UserDeclareState"),
    *("AuditState", "OriginalArticleType", "CanReprint", "NeedReplaceContent", "NeedShowReprintSource", "PopupScene"),
    "ErrorCode",
}
"""Fields that are written without CDATA in XML, but as texts inside the lists of JSON."""


class EncodedPush(NamedTuple):
    """Hold what is sent to the push address of a channel: the query of the URL, and the body."""

    query: dict[str, str]
    body: bytes


def encode_push(
    fields: PushFields,
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
        "openid": str(fields.get("FromUserName", "")),
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


def encode_body(fields: PushFields, body_format: BodyFormat) -> bytes:
    """Return the fields as WeChat writes them: XML with CDATA, or JSON in which numbers have no quotes."""
    if body_format == "json":
        return orjson.dumps({name: _json_value(name, value) for name, value in fields.items()})
    return f"<xml>{_xml_fields(fields)}</xml>".encode()


def _json_value(name: str, value: PushValue) -> Any:
    if not isinstance(value, str):
        return value
    return int(value) if name in NUMERIC_FIELDS and _is_number(value) else value


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdecimal()


def _xml_fields(fields: PushFields) -> str:
    return "".join(_xml_field(name, value) for name, value in fields.items())


def _xml_field(name: str, value: PushValue) -> str:
    if isinstance(value, str):
        inner = value if name in XML_NUMERIC_FIELDS and _is_number(value) else _cdata(value)
    elif isinstance(value, Mapping):
        inner = _xml_fields(value)
    else:
        return "".join(_xml_field(name, each) for each in value)
    return f"<{name}>{inner}</{name}>"


def _cdata(value: str) -> str:
    return "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"
