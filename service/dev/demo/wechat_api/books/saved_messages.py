"""Give what an account knows of messages a shape that can be saved, and take it back."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.dev.demo.wechat_api.behaviour import Records
from service.dev.demo.wechat_api.books.accounts import AccountBooks
from service.dev.demo.wechat_api.books.drafts import Draft
from service.dev.demo.wechat_api.books.mass_sends import MassSend
from service.dev.demo.wechat_api.books.messages import Message, SentBy
from service.dev.demo.wechat_api.books.reply_windows import OpenedWindow
from service.dev.demo.wechat_api.books.results import ResultPush
from service.dev.demo.wechat_api.books.templates import SentTemplate, Template
from service.dev.demo.wechat_api.limits import Trigger


@dataclass(frozen=True, slots=True)
class SavedSending:
    """Hold a message and whom it reached."""

    message: Message
    openids: list[str]


@dataclass(frozen=True, slots=True)
class SavedTemplateSend:
    """Hold that somebody was sent a template message."""

    openid: str
    client_id: str
    sent: SentTemplate


@dataclass(frozen=True, slots=True)
class SavedConsent:
    """Hold how many messages by a template somebody has accepted."""

    openid: str
    template_id: str
    left: int


@dataclass(frozen=True, slots=True)
class SavedResult:
    """Hold an event to push."""

    due_at: datetime
    openid: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SavedMessages:
    """Hold what one account knows of messages."""

    sendings: list[SavedSending] = field(default_factory=list)
    mass_sends: list[MassSend] = field(default_factory=list)
    speed: int = 0
    message_count: int = 0
    templates: list[Template] = field(default_factory=list)
    template_sends: list[SavedTemplateSend] = field(default_factory=list)
    consents: list[SavedConsent] = field(default_factory=list)
    replies: dict[str, dict[Trigger, OpenedWindow]] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)
    results: list[SavedResult] = field(default_factory=list)


def saved_messages(account: AccountBooks) -> SavedMessages:
    """Return what an account knows of messages."""
    return SavedMessages(
        sendings=[SavedSending(each.message, list(each.openids)) for each in account.messages.sendings],
        mass_sends=list(account.mass.sends.values()),
        speed=account.mass.speed,
        message_count=account.message_count,
        templates=list(account.templates.templates.values()),
        template_sends=[SavedTemplateSend(*key, sent) for key, sent in account.templates.sent.items()],
        consents=[SavedConsent(*key, left) for key, left in account.consents.left.items() if left],
        replies=account.replies.opened,
        drafts=account.drafts.drafts,
        results=[SavedResult(each.due_at, each.openid, dict(each.fields)) for each in account.results.pending],
    )


def restore_messages(account: AccountBooks, saved: SavedMessages) -> None:
    """Let an account that is new know what was saved; who got what this month follows from it."""
    for sending in saved.sendings:
        account.messages.deliver(sending.message, sending.openids, Records.EACH)
        if sending.message.sent_by in {SentBy.MASS, SentBy.CONSOLE}:
            account.mass.count(sending.openids, sending.message.at)
    for send in saved.mass_sends:
        account.mass.add(send)
    account.mass.speed = saved.speed
    account.message_count = saved.message_count
    account.templates.templates.update((each.id, each) for each in saved.templates)
    for each in saved.template_sends:
        account.templates.remember(each.openid, each.client_id, each.sent)
    account.consents.left.update({(each.openid, each.template_id): each.left for each in saved.consents})
    account.replies.opened.update(saved.replies)
    account.drafts.drafts.update(saved.drafts)
    account.results.pending.extend(ResultPush(each.due_at, each.openid, each.fields) for each in saved.results)
