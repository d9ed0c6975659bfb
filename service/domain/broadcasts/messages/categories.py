"""Refuse placeholders for categories that a channel does not have (docs/specification.md §6.6)."""

from collections.abc import Iterator

from service.domain.broadcasts.messages.checking import branch_name
from service.domain.broadcasts.messages.placeholders import parse_text
from service.domain.input_rules import normalise_name
from service.entities.broadcast_messages import BroadcastMessage, SubscriptionMessage, TemplateMessage, TextMessage
from service.entities.errors import FieldError, FieldPath
from service.entities.tags import Catalogue


def category_errors(
    catalogue: Catalogue, message: BroadcastMessage, path: FieldPath = ("message",)
) -> list[FieldError]:
    """Return an error for each text of a checked message that asks for a category in which the channel has no tag."""
    known = {normalise_name(tag.category) for tag in catalogue.living()}
    found = []
    for place, text in _personal_texts(message):
        categories = {each.category for each in parse_text(text).placeholders if each.category is not None}
        if unknown := sorted(categories - known):
            reason = f"The channel has no tags of the category {', '.join(unknown)}."
            found.append(FieldError((*path, branch_name(message.kind), *place), "UNKNOWN_CATEGORY", reason))
    return found


def _personal_texts(message: BroadcastMessage) -> Iterator[tuple[FieldPath, str]]:
    """Yield where placeholders may stand, and what is written there."""
    match message:
        case TextMessage() if not message.kind.mass:
            yield ("text",), message.text
        case TemplateMessage() | SubscriptionMessage():
            for index, field in enumerate(message.data):
                yield ("data", index, "value"), field.value
            name, link = ("url", message.url) if isinstance(message, TemplateMessage) else ("page", message.page)
            yield (name,), link or ""
            if message.mini_program is not None:
                yield ("mini_program", "page"), message.mini_program.page
        case _:
            return
