"""Describe the messages that can be sent, each as it is written and, without placeholders, as one person gets it.

`to_json` is the stored form, which `message_from_json` reads. Source: docs/specification.md §6.6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, assert_never

from service.entities.broadcasts import MessageKind

Json: TypeAlias = dict[str, Any]


class TemplateField(NamedTuple):
    """Hold what stands in a field of a template; the key tells of which type it is, as in `thing1`."""

    key: str
    value: str


class MiniProgramPage(NamedTuple):
    """Name a page of a Mini Program that opens when the message is tapped."""

    app_id: str
    page: str


@dataclass(frozen=True, slots=True)
class TextMessage:
    """Hold a text: MASS_TEXT to many people, CUSTOMER_SERVICE_TEXT to one."""

    kind: MessageKind
    text: str

    def to_json(self) -> Json:
        """Return the stored form."""
        return {"kind": self.kind.value, "text": self.text}


@dataclass(frozen=True, slots=True)
class ImagesMessage:
    """Hold images by their ids at WeChat, and the line that stands above them; None for WeChat's own."""

    media_ids: tuple[str, ...]
    recommend: str | None

    @property
    def kind(self) -> MessageKind:
        """Return MASS_IMAGE."""
        return MessageKind.MASS_IMAGE

    def to_json(self) -> Json:
        """Return the stored form."""
        return {"kind": self.kind.value, "media_ids": list(self.media_ids), "recommend": self.recommend}


@dataclass(frozen=True, slots=True)
class ArticleMessage:
    """Hold an article by the id of its draft at WeChat.

    `ignore_reprint` has it sent also if WeChat finds that it was taken from another account.
    """

    media_id: str
    ignore_reprint: bool

    @property
    def kind(self) -> MessageKind:
        """Return MASS_ARTICLE."""
        return MessageKind.MASS_ARTICLE

    def to_json(self) -> Json:
        """Return the stored form."""
        return {"kind": self.kind.value, "media_id": self.media_id, "ignore_reprint": self.ignore_reprint}


@dataclass(frozen=True, slots=True)
class TemplateMessage:
    """Hold a template message; the Mini Program is opened rather than the `url` where there are both."""

    template_id: str
    data: tuple[TemplateField, ...]
    url: str | None
    mini_program: MiniProgramPage | None

    @property
    def kind(self) -> MessageKind:
        """Return TEMPLATE."""
        return MessageKind.TEMPLATE

    def to_json(self) -> Json:
        """Return the stored form."""
        return {
            "kind": self.kind.value,
            "template_id": self.template_id,
            "data": _data_json(self.data),
            "url": self.url,
            "mini_program": _page_json(self.mini_program),
        }


@dataclass(frozen=True, slots=True)
class SubscriptionMessage:
    """Hold a subscription message of either kind.

    `page` is a web address with SERVICE_SUBSCRIPTION, and a page of the own Mini Program with
    MINI_PROGRAM_SUBSCRIPTION, which has no `mini_program`.
    """

    kind: MessageKind
    template_id: str
    data: tuple[TemplateField, ...]
    page: str | None
    mini_program: MiniProgramPage | None

    def to_json(self) -> Json:
        """Return the stored form."""
        return {
            "kind": self.kind.value,
            "template_id": self.template_id,
            "data": _data_json(self.data),
            "page": self.page,
            "mini_program": _page_json(self.mini_program),
        }


BroadcastMessage: TypeAlias = TextMessage | ImagesMessage | ArticleMessage | TemplateMessage | SubscriptionMessage


def message_from_json(stored: Mapping[str, Any]) -> BroadcastMessage:
    """Return the message of a stored form."""
    kind = MessageKind(stored["kind"])
    match kind:
        case MessageKind.MASS_TEXT | MessageKind.CUSTOMER_SERVICE_TEXT:
            return TextMessage(kind, stored["text"])
        case MessageKind.MASS_IMAGE:
            return ImagesMessage(tuple(stored["media_ids"]), stored["recommend"])
        case MessageKind.MASS_ARTICLE:
            return ArticleMessage(stored["media_id"], stored["ignore_reprint"])
        case MessageKind.TEMPLATE:
            data, page = _read_data(stored["data"]), _read_page(stored["mini_program"])
            return TemplateMessage(stored["template_id"], data, stored["url"], page)
        case MessageKind.SERVICE_SUBSCRIPTION | MessageKind.MINI_PROGRAM_SUBSCRIPTION:
            data, page = _read_data(stored["data"]), _read_page(stored["mini_program"])
            return SubscriptionMessage(kind, stored["template_id"], data, stored["page"], page)
        case _:
            assert_never(kind)


def _data_json(data: Sequence[TemplateField]) -> list[Json]:
    return [{"key": field.key, "value": field.value} for field in data]


def _page_json(page: MiniProgramPage | None) -> Json | None:
    return None if page is None else {"app_id": page.app_id, "page": page.page}


def _read_data(stored: Sequence[Mapping[str, str]]) -> tuple[TemplateField, ...]:
    return tuple(TemplateField(field["key"], field["value"]) for field in stored)


def _read_page(stored: Mapping[str, str] | None) -> MiniProgramPage | None:
    return None if stored is None else MiniProgramPage(stored["app_id"], stored["page"])
