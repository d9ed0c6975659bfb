"""Read over HTTP which messages reached whom, and order what people and the platform do about them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request

from service.dev.demo.wechat_api.books.accounts import AccountBooks
from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.books.mass_sends import MassSend
from service.dev.demo.wechat_api.books.messages import Message
from service.dev.demo.wechat_api.orders import DONE, account_of, read_order
from service.dev.demo.wechat_api.outcomes import Outcome
from service.dev.demo.wechat_api.plan import EVERY_PATH

MAX_NEWEST: Final = 20


@dataclass(slots=True, kw_only=True)
class OutcomeOrder(Outcome):
    """Ask for an outcome of a path, or of every path."""

    path: str = EVERY_PATH


@dataclass(frozen=True, slots=True)
class TemplateOrder:
    """Ask for a template."""

    id: str
    fields: list[str]
    subscription: bool = False


@dataclass(frozen=True, slots=True)
class ConsentOrder:
    """Ask that people accept so many messages by a template, or none any more."""

    openids: list[str]
    template_id: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class PeopleOrder:
    """Ask for something of people, or that it be no longer so."""

    openids: list[str] = field(default_factory=list)
    on: bool = True


@dataclass(frozen=True, slots=True)
class ConsoleOrder:
    """Ask for a text to people that somebody sends in WeChat's console."""

    openids: list[str]
    text: str = "From the console"


class MessageControls:
    """Answer the control calls about messages."""

    def __init__(self, books: WechatBooks) -> None:
        self._books = books

    async def messages(self, request: Request) -> dict[str, Any]:
        """Return what reached the `openid` of the query, or how many messages reached each and who got one twice.

        Of messages `containing` a text only the receipts are told.
        """
        book, query = account_of(self._books, request).messages, request.query_params
        if "openid" in query:
            return {"messages": _shown(book.of(query["openid"]))}
        if "containing" in query:
            return {"receipts": book.receipts_containing(query["containing"])}
        repeated = {each: _shown(messages) for each, messages in book.repeated().items()}
        return {"receipts": book.receipts(), "repeated": repeated}

    async def crowd_counts(self, request: Request) -> dict[str, Any]:
        """Return how many of the crowd were reached how often, where only that is recorded."""
        account = account_of(self._books, request)
        counts = account.messages.crowd_counts(account.people.crowd_size)
        return {"people": {str(times): people for times, people in sorted(counts.items())}}

    async def add_template(self, request: Request) -> dict[str, Any]:
        """Add a template."""
        order = await read_order(request, TemplateOrder)
        templates = account_of(self._books, request).templates
        templates.add(order.id, *order.fields, subscription=order.subscription)
        return DONE

    async def set_consents(self, request: Request) -> dict[str, Any]:
        """Let people accept messages, or with `times` 0 none any more; no push tells of it."""
        order = await read_order(request, ConsentOrder)
        consents = account_of(self._books, request).consents
        for openid in order.openids:
            if order.times:
                consents.accept(openid, order.template_id, order.times)
            else:
                consents.reject(openid, order.template_id)
        return DONE

    async def set_blacklist(self, request: Request) -> dict[str, Any]:
        """Put people on the blacklist, or take them from it, as somebody does in WeChat's console."""
        order, account = await read_order(request, PeopleOrder), account_of(self._books, request)
        for openid in order.openids:
            if order.on:
                account.blacklist[openid] = None
            else:
                account.blacklist.pop(openid, None)
        return DONE

    async def set_refusals(self, request: Request) -> dict[str, Any]:
        """Let people turn off the messages of the account, or on again."""
        order, account = await read_order(request, PeopleOrder), account_of(self._books, request)
        for openid in order.openids:
            account.people.user(openid).refuses_messages = order.on
        return DONE

    async def send_from_console(self, request: Request) -> dict[str, Any]:
        """Send a text to people as somebody does in WeChat's console, which uses up one of their four a month."""
        order = await read_order(request, ConsoleOrder)
        account_of(self._books, request).send_from_console(order.openids, order.text, self._books.now())
        return DONE

    async def order_outcome(self, request: Request) -> dict[str, Any]:
        """Order what becomes of messages."""
        order = await read_order(request, OutcomeOrder)
        self._books.outcomes.add(order.path, order)
        return DONE

    async def clear_outcomes(self, _: Request) -> dict[str, Any]:
        """Let all messages succeed from now on."""
        self._books.outcomes.clear()
        return DONE


def summary_of_messages(account: AccountBooks, now: datetime) -> dict[str, Any]:
    """Return what the books of an account say of messages, with the newest of them."""
    newest = account.messages.sendings[-MAX_NEWEST:]
    return {
        "sent": {sent_by.value: number for sent_by, number in account.messages.sent.items()},
        "receivedTwice": len(account.messages.repeated()),
        "massSends": [_shown_mass(send, now) for send in account.mass.sends.values()],
        "templates": [each.id for each in account.templates.templates.values()],
        "drafts": list(account.drafts.drafts),
        "resultsToPush": len(account.results.pending),
        "newest": [
            {**_shown_message(sending.message), "people": len(sending.openids), "first": sending.openids[0]}
            for sending in reversed(newest)
        ],
    }


def _shown(messages: Iterable[Message]) -> list[dict[str, Any]]:
    return [_shown_message(message) for message in messages]


def _shown_message(message: Message) -> dict[str, Any]:
    # A program in JavaScript would round these ids.
    return {
        "sentBy": message.sent_by,
        "at": message.at,
        "clientId": message.client_id,
        "msgId": str(message.msg_id),
        "content": message.content,
    }


def _shown_mass(send: MassSend, now: datetime) -> dict[str, Any]:
    return {
        "msgId": str(send.msg_id),
        "clientId": send.client_id,
        "at": send.at,
        "state": send.state(now),
        "status": send.status,
        "total": send.total,
        "filtered": send.filtered,
        "sent": send.sent,
        "errors": send.errors,
    }
