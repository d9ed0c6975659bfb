"""Make the calls that send a message, of what was checked and rendered (docs/specification.md §6.6)."""

from collections.abc import Sequence

from service.entities.broadcast_messages import (
    ArticleMessage,
    BroadcastMessage,
    ImagesMessage,
    MiniProgramPage,
    SubscriptionMessage,
    TemplateField,
    TemplateMessage,
    TextMessage,
)
from service.entities.broadcasts import MessageKind
from service.wechat.api import message_calls
from service.wechat.api.call import ApiCall
from service.wechat.api.message_calls import MassArticle, MassContent, MassImages, MassText, Sent


def call_to_many(
    message: BroadcastMessage, openids: Sequence[str], client_id: str, *, media_id: str | None = None
) -> ApiCall[Sent]:
    """Return the call that sends a mass message to 2 to 10,000 people; with `media_id` an article by that draft.

    Raises ValueError for a message to one person.
    """
    return message_calls.send_to_many(openids, mass_content(message, media_id=media_id), client_id)


def call_to_tag(
    message: BroadcastMessage, remote_tag_id: int, client_id: str, *, media_id: str | None = None
) -> ApiCall[Sent]:
    """Return the call that sends a mass message to who has a remote tag; with `media_id` an article by that draft.

    Raises ValueError for a message to one person.
    """
    return message_calls.send_to_tag(remote_tag_id, mass_content(message, media_id=media_id), client_id)


def call_to_one(message: BroadcastMessage, openid: str, client_id: str | None = None) -> ApiCall[Sent]:
    """Return the call that sends a rendered message to one person; of `client_id` only templates know.

    Raises ValueError for a mass message.
    """
    match message:
        case TextMessage(kind=MessageKind.CUSTOMER_SERVICE_TEXT):
            return message_calls.send_customer_service_text(openid, message.text)
        case TemplateMessage():
            return message_calls.send_template(
                openid,
                message.template_id,
                _fields(message.data),
                url=message.url,
                mini_program=_page(message.mini_program),
                client_id=client_id,
            )
        case SubscriptionMessage(kind=MessageKind.SERVICE_SUBSCRIPTION):
            return message_calls.send_service_subscription(
                openid,
                message.template_id,
                _fields(message.data),
                page=message.page,
                mini_program=_page(message.mini_program),
            )
        case SubscriptionMessage():
            return message_calls.send_mini_program_subscription(
                openid, message.template_id, _fields(message.data), page=message.page
            )
        case _:
            raise ValueError(f"{message.kind} is no message to one person")


def mass_content(message: BroadcastMessage, *, media_id: str | None = None) -> MassContent:
    """Return what a mass message says; with `media_id` an article by that draft. Raises ValueError for other kinds."""
    match message:
        case TextMessage(kind=MessageKind.MASS_TEXT):
            return MassText(message.text)
        case ImagesMessage():
            return MassImages(message.media_ids, message.recommend)
        case ArticleMessage():
            return MassArticle(media_id or message.media_id, message.ignore_reprint)
        case _:
            raise ValueError(f"{message.kind} is no message to many people")


def _fields(data: Sequence[TemplateField]) -> dict[str, str]:
    return {field.key: field.value for field in data}


def _page(page: MiniProgramPage | None) -> message_calls.MiniProgramPage | None:
    return None if page is None else message_calls.MiniProgramPage(page.app_id, page.page)
