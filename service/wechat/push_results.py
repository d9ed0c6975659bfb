"""Read the events by which WeChat tells what became of messages, and what people allow (docs/specification.md §9.2).

Source: developers.weixin.qq.com `/doc/service/guide/product/message/Batch_Sends`,
`/doc/service/guide/product/message/Template_Message_Interface`, `/doc/service/guide/product/subscribe_notice` and, for
Mini Programs, `/miniprogram/dev/framework/open-ability/subscribe-message`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from service.entities.message_results import (
    ConsentChange,
    MassResult,
    MessageResult,
    PushedResult,
    ResultEvent,
    status_word,
)
from service.wechat.push_fields import read_entries

MASS_EVENT: Final = "masssendjobfinish"
TEMPLATE_EVENT: Final = "templatesendjobfinish"
CONSENT_EVENTS: Final = frozenset({"subscribe_msg_popup_event", "subscribe_msg_change_event"})
SENT_EVENT: Final = "subscribe_msg_sent_event"
RESULT_EVENTS: Final = frozenset({MASS_EVENT, TEMPLATE_EVENT, SENT_EVENT, *CONSENT_EVENTS})

MAX_STATUS_LENGTH: Final = 200
MESSAGE_ID: Final = re.compile(r"[0-9]{1,20}")
TEMPLATE_ID: Final = re.compile(r"[!-~]{1,128}")
COUNT: Final = re.compile(r"[0-9]{1,9}")


def read_mass_result(fields: Mapping[str, str], at: datetime) -> tuple[PushedResult, ...]:
    """Return what became of a message to many; nothing without the id of one."""
    msg_id = _message_id(fields)
    if msg_id is None:
        return ()
    total, filtered, sent, errors = (
        _count(fields.get(name, "")) for name in ("TotalCount", "FilterCount", "SentCount", "ErrorCount")
    )
    return (MassResult(msg_id, _status(fields.get("Status", "")), total, filtered, sent, errors, at),)


def read_results(
    event: str, fields: Mapping[str, str], body: bytes, openid: str, at: datetime, *, sealed: bool
) -> tuple[PushedResult, ...]:
    """Return what an event tells of messages to one person, or of what that person allows.

    Unless it is `sealed`, encrypted and signed, no result is believed.
    """
    if event == TEMPLATE_EVENT and sealed:
        return tuple(_template_results(fields, openid, at))
    if event == SENT_EVENT and sealed:
        return tuple(_sent_results(body, openid, at))
    if event in CONSENT_EVENTS:
        return tuple(_consents(body, openid, at))
    return ()


def _template_results(fields: Mapping[str, str], openid: str, at: datetime) -> Iterator[MessageResult]:
    msg_id, status = _message_id(fields), _status(fields.get("Status", ""))
    if msg_id is not None:
        yield MessageResult(ResultEvent.TEMPLATE, msg_id, openid, status, _is_delivered(status), at)


def _sent_results(body: bytes, openid: str, at: datetime) -> Iterator[MessageResult]:
    for entry in read_entries(body, "List"):
        msg_id, code, status = _message_id(entry), entry.get("ErrorCode", ""), _status(entry.get("ErrorStatus", ""))
        if msg_id is not None:
            delivered = code == "0" if code else _is_delivered(status)
            yield MessageResult(ResultEvent.SUBSCRIPTION, msg_id, openid, status or code, delivered, at)


def _consents(body: bytes, openid: str, at: datetime) -> Iterator[ConsentChange]:
    for entry in read_entries(body, "List"):
        template_id, answer = entry.get("TemplateId", ""), status_word(entry.get("SubscribeStatusString", ""))
        if TEMPLATE_ID.fullmatch(template_id) and answer in {"accept", "reject"}:
            yield ConsentChange(openid, template_id, answer == "accept", at)


def _message_id(fields: Mapping[str, str]) -> str | None:
    found = fields.get("MsgID") or fields.get("MsgId") or ""
    return found if MESSAGE_ID.fullmatch(found) else None


def _status(text: str) -> str:
    return text[:MAX_STATUS_LENGTH].replace("\0", "")


def _is_delivered(status: str) -> bool | None:
    word = status_word(status)
    if word.startswith("fail"):
        return False
    return True if word == "success" else None


def _count(text: str) -> int | None:
    return int(text) if COUNT.fullmatch(text) else None
