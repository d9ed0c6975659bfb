"""Decode what WeChat pushes to a channel's callback address: check that it is genuine and fresh, and read its facts.

Rules: docs/specification.md §9.2. Source: developers.weixin.qq.com `/doc/oplatform/developers/dev/push`,
`/doc/subscription/guide/dev/push/encryption.md` and, for JSON bodies,
`/miniprogram/dev/framework/server-ability/message-push.md`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import orjson
from defusedxml import ElementTree

from service.entities.users import EventKind
from service.wechat.crypto import Envelope, EnvelopeError, verify_signature

MAX_BODY_BYTES: Final = 64 * 1024
"""Bytes. WeChat names no limit; a text message has at most 2,048 characters, compatible mode triples the body."""
FUTURE_TOLERANCE: Final = timedelta(minutes=5)
MIN_CREATE_TIME: Final = datetime(2011, 1, 1, tzinfo=UTC)
"""Before WeChat there were no pushes: a smaller CreateTime is garbage."""
MAX_UNIX_SECONDS: Final = 9_999_999_999
"""Anything with more digits is in milliseconds."""

DECIMAL: Final = re.compile(r"[0-9]{1,20}")
OPENID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")

SCENE_PREFIX: Final = "qrscene_"
MESSAGE_TYPES: Final = frozenset(
    {"text", "image", "voice", "video", "shortvideo", "location", "link", "miniprogrampage", "file"}
)
MENU_EVENTS: Final = frozenset(
    {
        "click",
        "view",
        "view_miniprogram",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
    }
)


class PushRejection(StrEnum):
    """Name why a push is rejected. The codes are stable and safe to count in metrics."""

    TOO_LARGE = "TOO_LARGE"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    STALE = "STALE"
    BAD_ENVELOPE = "BAD_ENVELOPE"
    BAD_XML = "BAD_XML"
    BAD_JSON = "BAD_JSON"
    BAD_FIELDS = "BAD_FIELDS"
    TIME_IN_FUTURE = "TIME_IN_FUTURE"


class PushRejectedError(Exception):
    """The push is forged, stale, malformed or senseless. `code` is for the caller, the message for logs only."""

    def __init__(self, code: PushRejection, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Push:
    """Hold what one genuine push says.

    `at` is WeChat's `CreateTime` (aware, UTC, whole seconds). `facts` is empty where it says nothing of the user.
    """

    openid: str
    at: datetime
    facts: frozenset[EventKind]


def verify_url(query: Mapping[str, str], token: str, now: datetime, max_age: timedelta) -> str:
    """Return the `echostr` to answer in plain text when WeChat checks a new callback address by GET.

    Raises PushRejectedError: BAD_SIGNATURE, STALE, or BAD_FIELDS without an `echostr`.
    """
    _check_signature(query, "signature", token, now, max_age)
    echo = query.get("echostr", "")
    if not echo:
        raise PushRejectedError(PushRejection.BAD_FIELDS, "echostr is missing")
    return echo


def decode_push(
    query: Mapping[str, str],
    body: bytes,
    *,
    token: str,
    encoding_aes_key: str | None,
    app_id: str,
    now: datetime,
    max_age: timedelta,
) -> Push:
    """Return what a POST to a channel's callback address says. Raises PushRejectedError and nothing else.

    A channel with an EncodingAESKey takes encrypted pushes only, and believes only what is inside `Encrypt`:
    the plain fields of compat mode are ignored, because no signature covers them. Without a key, the plain
    fields are taken, and the signature proves only that the sender saw a genuine one less than `max_age` ago.
    The query's `timestamp` must be within `max_age` of `now`, in either direction; `CreateTime` may be old.
    """
    if len(body) > MAX_BODY_BYTES:
        raise PushRejectedError(PushRejection.TOO_LARGE, f"{len(body)} bytes")
    if encoding_aes_key is None:
        _check_signature(query, "signature", token, now, max_age)
        fields = _parse_fields(body)
        if "Encrypt" in fields and "FromUserName" not in fields:
            raise PushRejectedError(PushRejection.BAD_ENVELOPE, "encrypted, but the channel has no EncodingAESKey")
        return _to_push(fields, now)
    encrypted = _parse_fields(body).get("Encrypt", "")
    if not encrypted:
        raise PushRejectedError(PushRejection.BAD_ENVELOPE, "not encrypted, but the channel has an EncodingAESKey")
    _check_signature(query, "msg_signature", token, now, max_age, encrypted)
    try:
        message = Envelope(encoding_aes_key, app_id).decrypt(encrypted)
    except EnvelopeError as error:
        raise PushRejectedError(PushRejection.BAD_ENVELOPE, error.reason) from error
    return _to_push(_parse_fields(message), now)


def _check_signature(
    query: Mapping[str, str], name: str, token: str, now: datetime, max_age: timedelta, *signed: str
) -> None:
    timestamp = query.get("timestamp", "")
    # With an empty token any sender could sign.
    if not token or not verify_signature(token, timestamp, query.get("nonce", ""), *signed, given=query.get(name, "")):
        raise PushRejectedError(PushRejection.BAD_SIGNATURE, f"{name} does not match")
    if DECIMAL.fullmatch(timestamp) is None or abs(now.timestamp() - int(timestamp)) > max_age.total_seconds():
        raise PushRejectedError(PushRejection.STALE, f"timestamp {timestamp[:20]!r} is too far from now")


def _parse_fields(body: bytes) -> dict[str, str]:
    """Return the scalar fields of an XML or JSON body; of a repeated XML field the first counts."""
    return _parse_json(body) if body.lstrip()[:1] == b"{" else _parse_xml(body)


def _parse_json(body: bytes) -> dict[str, str]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise PushRejectedError(PushRejection.BAD_JSON, str(error)) from error
    return {name: str(value) for name, value in found.items() if isinstance(value, str | int | float)}


def _parse_xml(body: bytes) -> dict[str, str]:
    try:
        root = ElementTree.fromstring(body, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    # Besides ParseError: what defusedxml forbids is a ValueError, an unknown encoding is a LookupError.
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise PushRejectedError(PushRejection.BAD_XML, str(error) or type(error).__name__) from error
    if root.tag != "xml":
        raise PushRejectedError(PushRejection.BAD_XML, "the root is not <xml>")
    fields: dict[str, str] = {}
    for child in root:
        if not len(child):
            fields.setdefault(child.tag, child.text or "")
    return fields


def _to_push(fields: Mapping[str, str], now: datetime) -> Push:
    openid = fields.get("FromUserName", "")
    if OPENID_PATTERN.fullmatch(openid) is None:
        raise PushRejectedError(PushRejection.BAD_FIELDS, "FromUserName is not an openid")
    message_type = _optional_field(fields, "MsgType")
    if message_type is None:
        raise PushRejectedError(PushRejection.BAD_FIELDS, "MsgType is missing")
    is_event = message_type.lower() == "event"
    event = _optional_field(fields, "Event") if is_event else None
    if is_event and event is None:
        raise PushRejectedError(PushRejection.BAD_FIELDS, "Event is missing")
    event_key = _optional_field(fields, "EventKey")
    message_id = _optional_field(fields, "MsgId") or _optional_field(fields, "MsgID")
    if event is None:
        facts = _facts_of_message(message_type, message_id)
    else:
        facts = _facts_of_event(event.lower(), event_key or "", ticket=bool(fields.get("Ticket")))
    return Push(openid, _parse_create_time(fields.get("CreateTime", ""), now), facts)


def _optional_field(fields: Mapping[str, str], name: str) -> str | None:
    value = fields.get(name, "").strip()
    # JSON can carry a NUL, which no database text holds.
    if "\0" in value:
        raise PushRejectedError(PushRejection.BAD_FIELDS, f"{name} holds a NUL")
    return value or None


def _parse_create_time(text: str, now: datetime) -> datetime:
    if DECIMAL.fullmatch(text) is None or not MIN_CREATE_TIME.timestamp() <= int(text) <= MAX_UNIX_SECONDS:
        raise PushRejectedError(PushRejection.BAD_FIELDS, f"CreateTime {text[:20]!r} is not a time in unix seconds")
    at = datetime.fromtimestamp(int(text), UTC)
    if at > now + FUTURE_TOLERANCE:
        raise PushRejectedError(PushRejection.TIME_IN_FUTURE, f"CreateTime {at.isoformat()} is ahead of us")
    return at


def _facts_of_message(message_type: str, message_id: str | None) -> frozenset[EventKind]:
    # Only what a person sends carries a MsgId, so message types invented after this was written count too.
    if message_type.lower() in MESSAGE_TYPES or message_id is not None:
        return frozenset({EventKind.MESSAGE})
    return frozenset()


def _facts_of_event(event: str, key: str, *, ticket: bool) -> frozenset[EventKind]:
    if event == "subscribe":
        has_scene = key.startswith(SCENE_PREFIX) and key != SCENE_PREFIX
        return frozenset({EventKind.FOLLOW, EventKind.SCAN} if has_scene or ticket else {EventKind.FOLLOW})
    if event == "unsubscribe":
        return frozenset({EventKind.UNFOLLOW})
    if event == "scan":
        return frozenset({EventKind.SCAN})
    if event in MENU_EVENTS:
        return frozenset({EventKind.MENU_CLICK})
    return frozenset()
