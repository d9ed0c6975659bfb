"""Make broadcasts of each kind of message: one key makes one of them (docs/specification.md §6.6)."""

from dataclasses import replace
from typing import Any

import pytest

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
from service.entities.errors import ConflictError
from tests.domain.broadcasts.audience.starting import Starter
from tests.domain.broadcasts.audience.test_creating import create, made, new, starter

__all__ = ("starter",)

FIELDS = (TemplateField("thing1", "Oolong"), TemplateField("time2", "15:01"))


@pytest.mark.parametrize(
    "message",
    [
        TextMessage(MessageKind.MASS_TEXT, "Spring tea is here."),
        ImagesMessage(("image-1", "image-2"), "New"),
        ArticleMessage("draft-1", ignore_reprint=False),
        TextMessage(MessageKind.CUSTOMER_SERVICE_TEXT, "Hello {{openid}}"),
        TemplateMessage(
            "T1", FIELDS, "https://tea.example/?who={{openid}}", MiniProgramPage("wx0123456789", "pages/tea")
        ),
        SubscriptionMessage(MessageKind.SERVICE_SUBSCRIPTION, "S1", FIELDS, None, None),
    ],
    ids=lambda message: message.kind.value,
)
async def test_each_kind_of_message_is_made_once_for_a_key(starter: Starter, message: BroadcastMessage) -> None:
    given = new(starter.channel, message=message)

    job = await made(starter, given)

    again = await create(starter, given)
    assert (again.job_id, again.replayed) == (job.job_id, True)
    other = replace(given, request=replace(given.request, message=replace(message, **another(message))))
    with pytest.raises(ConflictError):
        await create(starter, other)


def another(message: BroadcastMessage) -> dict[str, Any]:
    """Return what makes another message of one, deep inside of it where it has fields."""
    match message:
        case TextMessage():
            return {"text": "Autumn tea is here."}
        case ImagesMessage():
            return {"media_ids": ("image-1", "image-3")}
        case ArticleMessage():
            return {"media_id": "draft-2"}
        case TemplateMessage() | SubscriptionMessage():
            return {"data": (FIELDS[0], TemplateField("time2", "16:01"))}
