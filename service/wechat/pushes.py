"""Decode what WeChat pushes to a channel's callback address: check that it is genuine and fresh, and read its facts.

Rules: docs/specification.md §9.2. Source: developers.weixin.qq.com `/doc/oplatform/developers/dev/push`,
`/doc/subscription/guide/dev/push/encryption.md` and, for JSON bodies,
`/miniprogram/dev/framework/server-ability/message-push.md`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from service.entities.message_results import PushedResult
from service.entities.users import EventKind
from service.wechat.crypto import Envelope, EnvelopeError, verify_signature
from service.wechat.push_fields import UnreadableError, encrypted_texts, read_fields
from service.wechat.push_results import CONSENT_EVENTS, MASS_EVENT, RESULT_EVENTS, read_mass_result, read_results

MAX_BODY_BYTES: Final = 64 * 1024
"""Bytes. WeChat names no limit; a text message has at most 2,048 characters, compatible mode triples the body."""
FUTURE_TOLERANCE: Final = timedelta(minutes=5)
MIN_CREATE_TIME: Final = datetime(2011, 1, 1, tzinfo=UTC)
"""Before WeChat there were no pushes: a smaller CreateTime is garbage."""
MAX_UNIX_SECONDS: Final = 9_999_999_999
"""Anything with more digits is in milliseconds."""

DECIMAL: Final = re.compile(r"[0-9]{1,20}")
SECONDS: Final = re.compile(r"([0-9]{1,20})(?:\.[0-9]*)?")
OPENID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")

SCENE_PREFIX: Final = "qrscene_"
CANCELLATION: Final = "user_authorization_cancellation"
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
    """Hold what one genuine push says of the user with `openid`.

    `at` is WeChat's `CreateTime` (aware, UTC, whole seconds). `facts` is empty where it says nothing that is kept;
    `openid` may then be empty and `at` the time of arrival. `is_cancellation`: the user closed their account at WeChat
    and must be forgotten. `results` are what it tells of messages.
    """

    openid: str
    at: datetime
    facts: frozenset[EventKind]
    is_cancellation: bool = False
    results: tuple[PushedResult, ...] = ()


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
    app_ids: Sequence[str],
    now: datetime,
    max_age: timedelta,
) -> Push:
    """Return what a POST to a channel's callback address says. Raises PushRejectedError and nothing else.

    A channel with an EncodingAESKey takes encrypted pushes only, and believes only what is inside `Encrypt`:
    the plain fields of compat mode are ignored, because no signature covers them. Without a key, the plain
    fields are taken, and the signature proves only that the sender saw a genuine one less than `max_age` ago.
    An envelope may be that of any of `app_ids`.
    The query's `timestamp` must be within `max_age` of `now`, in either direction; `CreateTime` may be old.
    """
    if len(body) > MAX_BODY_BYTES:
        raise PushRejectedError(PushRejection.TOO_LARGE, f"{len(body)} bytes")
    try:
        if encoding_aes_key is not None:
            message = _decrypt(query, body, token, Envelope(encoding_aes_key, *app_ids), now, max_age)
            return _to_push(read_fields(message), message, now, sealed=True)
        _check_signature(query, "signature", token, now, max_age)
        fields = read_fields(body)
    except UnreadableError as error:
        code = PushRejection.BAD_JSON if error.is_json else PushRejection.BAD_XML
        raise PushRejectedError(code, str(error)) from error
    except EnvelopeError as error:
        raise PushRejectedError(PushRejection.BAD_ENVELOPE, error.reason) from error
    if "Encrypt" in fields and "FromUserName" not in fields:
        raise PushRejectedError(PushRejection.BAD_ENVELOPE, "encrypted, but the channel has no EncodingAESKey")
    return _to_push(fields, body, now, sealed=False)


def _decrypt(
    query: Mapping[str, str], body: bytes, token: str, envelope: Envelope, now: datetime, max_age: timedelta
) -> bytes:
    encrypted = list(encrypted_texts(body))
    if not encrypted:
        raise PushRejectedError(PushRejection.BAD_ENVELOPE, "not encrypted, but the channel has an EncodingAESKey")
    signed = (text for text in encrypted if _is_signed(query, "msg_signature", token, text))
    message = next(signed, encrypted[0])
    _check_signature(query, "msg_signature", token, now, max_age, message)
    return envelope.decrypt(message)


def _check_signature(
    query: Mapping[str, str], name: str, token: str, now: datetime, max_age: timedelta, *signed: str
) -> None:
    timestamp = query.get("timestamp", "")
    if not _is_signed(query, name, token, *signed):
        raise PushRejectedError(PushRejection.BAD_SIGNATURE, f"{name} does not match")
    if DECIMAL.fullmatch(timestamp) is None or abs(now.timestamp() - int(timestamp)) > max_age.total_seconds():
        raise PushRejectedError(PushRejection.STALE, f"timestamp {timestamp[:20]!r} is too far from now")


def _is_signed(query: Mapping[str, str], name: str, token: str, *signed: str) -> bool:
    parts = (token, query.get("timestamp", ""), query.get("nonce", ""), *signed)
    # With an empty token any sender could sign.
    return bool(token) and verify_signature(*parts, given=query.get(name, ""))


def _to_push(fields: Mapping[str, str], body: bytes, now: datetime, *, sealed: bool) -> Push:
    """Return what the fields say. `sealed`: they were encrypted and signed, so that they may delete something."""
    message_type = fields.get("MsgType", "").lower()
    event = fields.get("Event", "").lower()
    if not message_type or (message_type == "event" and not event):
        raise PushRejectedError(PushRejection.BAD_FIELDS, "MsgType or Event is missing")
    if message_type != "event":
        facts = _facts_of_message(message_type, fields.get("MsgId") or fields.get("MsgID"))
    elif event == CANCELLATION and sealed and OPENID_PATTERN.fullmatch(fields.get("OpenID", "")):
        # Its FromUserName is the platform's.
        return Push(fields["OpenID"], now, frozenset(), is_cancellation=True)
    elif event in RESULT_EVENTS:
        return _to_results(event, fields, body, now, sealed=sealed)
    else:
        facts = _facts_of_event(event, fields.get("EventKey", ""), ticket=bool(fields.get("Ticket")))
    try:
        return Push(_parse_openid(fields.get("FromUserName", "")), _parse_create_time(fields, now), facts)
    except PushRejectedError:
        if facts:
            raise
        return Push("", now, frozenset())


def _to_results(event: str, fields: Mapping[str, str], body: bytes, now: datetime, *, sealed: bool) -> Push:
    """Return what an event tells of messages: nothing if it lacks whose message it was, or the time of a consent."""
    try:
        at = _parse_create_time(fields, now)
    except PushRejectedError:
        if event in CONSENT_EVENTS:
            return Push("", now, frozenset())
        at = now
    if event == MASS_EVENT:
        # Its FromUserName is anybody.
        return Push("", at, frozenset(), results=read_mass_result(fields, at) if sealed else ())
    openid = fields.get("FromUserName", "")
    if OPENID_PATTERN.fullmatch(openid) is None:
        return Push("", at, frozenset())
    return Push(openid, at, frozenset(), results=read_results(event, fields, body, openid, at, sealed=sealed))


def _parse_openid(text: str) -> str:
    if OPENID_PATTERN.fullmatch(text) is None:
        raise PushRejectedError(PushRejection.BAD_FIELDS, "FromUserName is not an openid")
    return text


def _parse_create_time(fields: Mapping[str, str], now: datetime) -> datetime:
    text = fields.get("CreateTime", "")
    found = SECONDS.fullmatch(text)
    if found is None or not MIN_CREATE_TIME.timestamp() <= int(found[1]) <= MAX_UNIX_SECONDS:
        raise PushRejectedError(PushRejection.BAD_FIELDS, f"CreateTime {text[:20]!r} is not a time in unix seconds")
    at = datetime.fromtimestamp(int(found[1]), UTC)
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
