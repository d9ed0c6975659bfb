"""Check a message before anything of it is stored: all that is wrong with it is said at once.

Source: docs/specification.md §6.6.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, assert_never
from urllib.parse import urlsplit

from service.domain.broadcasts.messages.field_rules import LINK, TEXT, TextRule, rule_of_field
from service.domain.broadcasts.messages.kinds import kind_error
from service.domain.broadcasts.messages.placeholders import OPENING, Part, Placeholder, has_placeholder, parse_text
from service.domain.channels.binding import APP_ID_PATTERN
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
from service.entities.channels import Channel
from service.entities.errors import FieldError, FieldPath
from service.foundation.tidy_text import has_forbidden_character, tidy

MAX_IMAGES: Final = 20
MAX_RECOMMEND_LENGTH: Final = 100
MAX_FIELDS: Final = 20
MAX_PLACEHOLDERS: Final = 20
# Of a text, a value or an address as it is written, with its placeholders.
MAX_WRITTEN_LENGTH: Final = 4_096
MEDIA_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
TEMPLATE_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
KEY_PATTERN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
LINE_ENDS: Final = "\n\t"
# What leads to a site stands there for everybody: no placeholder chooses it.
SITE_PATTERN: Final = re.compile(r"https?://[^\s/?#\\]+(?:[/?#]|$)", re.IGNORECASE)
PAGE_PATTERN: Final = re.compile(r"[A-Za-z0-9_./-]+")


class ExaminedMessage(NamedTuple):
    """Hold a message as it is stored, and all that is wrong with it."""

    message: BroadcastMessage
    errors: tuple[FieldError, ...]


def examine_message(channel: Channel, message: BroadcastMessage, path: FieldPath = ("message",)) -> ExaminedMessage:
    """Return the message as it is stored, and every failing input, also if the channel's account cannot send it.

    Inputs are named from `path` on by the kind and the attributes, as in `("message", "template", "data", 2, "value")`.
    """
    tidied = _tidied(message)
    branch = (*path, branch_name(message.kind))
    wrong_kind = kind_error(channel, message.kind, branch)
    errors = [] if wrong_kind is None else [wrong_kind]
    errors += (replace(error, path=(*branch, *error.path)) for error in _errors(tidied))
    return ExaminedMessage(tidied, tuple(errors))


def branch_name(kind: MessageKind) -> str:
    """Return the name under which clients write a message of a kind."""
    return kind.value.lower()


def _tidied(message: BroadcastMessage) -> BroadcastMessage:
    """Return the message with line ends of one kind, and ids without the space around them."""
    match message:
        case TextMessage():
            return replace(message, text=message.text.replace("\r\n", "\n").replace("\r", "\n"))
        case ImagesMessage():
            recommend = None if message.recommend is None else message.recommend.strip() or None
            return replace(message, media_ids=tuple(each.strip() for each in message.media_ids), recommend=recommend)
        case ArticleMessage():
            return replace(message, media_id=message.media_id.strip())
        case TemplateMessage() | SubscriptionMessage():
            data = tuple(TemplateField(field.key.strip(), field.value) for field in message.data)
            return replace(message, template_id=message.template_id.strip(), data=data)
        case _:
            assert_never(message)


def _errors(message: BroadcastMessage) -> Iterator[FieldError]:
    match message:
        case TextMessage():
            yield from _text_errors(("text",), message.text, TEXT, same_for_all=message.kind.mass, lines=True)
        case ImagesMessage():
            yield from _image_errors(message)
        case ArticleMessage():
            yield from _id_errors(("media_id",), message.media_id, MEDIA_ID_PATTERN)
        case TemplateMessage():
            yield from _template_errors(message.template_id, message.data)
            yield from _link_errors(("url",), message.url)
            yield from _mini_program_errors(message.mini_program)
        case SubscriptionMessage():
            yield from _subscription_errors(message)
        case _:
            assert_never(message)


def _text_errors(
    path: FieldPath, text: str, rule: TextRule, *, same_for_all: bool = False, lines: bool = False
) -> Iterator[FieldError]:
    """Yield what is wrong with a text that may hold placeholders, unless it is the `same_for_all`."""
    if len(text) > MAX_WRITTEN_LENGTH:
        yield FieldError(path, "BAD_LENGTH", rule.expects)
        return
    plain = text.translate(dict.fromkeys(map(ord, LINE_ENDS))) if lines else text
    if has_forbidden_character(plain):
        also = "Control" if not lines else "Control characters other than line ends and tabs"
        yield FieldError(path, "BAD_CHARACTER", f"{also}, line-separator and direction characters are not allowed.")
        return
    if same_for_all:
        if has_placeholder(text):
            yield FieldError(path, "PLACEHOLDER", "A mass message is the same for all; it has no placeholders.")
        elif (wrong := _whole_error(path, text, rule)) is not None:
            yield wrong
        return
    parsed = parse_text(text)
    for error in parsed.errors:
        yield FieldError(path, "UNKNOWN_PLACEHOLDER", f"{error.message} (Character {error.position + 1}.)")
    if not parsed.errors and (wrong := _parts_error(path, text, parsed.parts, rule)) is not None:
        yield wrong


def _whole_error(path: FieldPath, text: str, rule: TextRule) -> FieldError | None:
    if rule.measure(text) > rule.limit or not tidy(text):
        return FieldError(path, "BAD_LENGTH", f"Something visible. {rule.expects}")
    return None if rule.allows(text) else FieldError(path, "BAD_VALUE", rule.expects)


def _parts_error(path: FieldPath, text: str, parts: Sequence[Part], rule: TextRule) -> FieldError | None:
    """Return why a text cannot fit its rule, whoever it is for: by what stands in it, or by its fallbacks."""
    placeholders = [part for part in parts if isinstance(part, Placeholder)]
    if not placeholders:
        return _whole_error(path, text, rule)
    if len(placeholders) > MAX_PLACEHOLDERS:
        return FieldError(path, "TOO_MANY", f"At most {MAX_PLACEHOLDERS} placeholders.")
    literal = "".join(part for part in parts if isinstance(part, str))
    if rule.measure(literal) + len(placeholders) > rule.limit:
        return FieldError(path, "BAD_LENGTH", f"No room is left for the placeholders. {rule.expects}")
    if not rule.allows_within(literal):
        return FieldError(path, "BAD_VALUE", rule.expects)
    if any(part.fallback is None for part in placeholders):
        unfit = any(part.fallback and not rule.allows_within(part.fallback) for part in placeholders)
        return FieldError(path, "BAD_VALUE", f"A fallback does not fit. {rule.expects}") if unfit else None
    fallen_back = "".join(part if isinstance(part, str) else part.fallback or "" for part in parts)
    wrong = _whole_error(path, fallen_back, rule)
    return None if wrong is None else replace(wrong, message=f"With its fallbacks: {wrong.message}")


def _image_errors(message: ImagesMessage) -> Iterator[FieldError]:
    if not 1 <= len(message.media_ids) <= MAX_IMAGES:
        code = "TOO_MANY" if message.media_ids else "TOO_FEW"
        yield FieldError(("media_ids",), code, f"Between 1 and {MAX_IMAGES} images.")
    for index, media_id in enumerate(message.media_ids[:MAX_IMAGES]):
        yield from _id_errors(("media_ids", index), media_id, MEDIA_ID_PATTERN)
    if message.recommend is None:
        return
    if len(message.recommend) > MAX_RECOMMEND_LENGTH:
        yield FieldError(("recommend",), "BAD_LENGTH", f"At most {MAX_RECOMMEND_LENGTH} characters.")
    else:
        yield from _text_errors(("recommend",), message.recommend, TEXT, same_for_all=True)


def _id_errors(path: FieldPath, given: str, pattern: re.Pattern[str]) -> Iterator[FieldError]:
    if pattern.fullmatch(given) is None:
        yield FieldError(path, "BAD_FORMAT", "An id of WeChat's: letters, digits, _ and -.")


def template_id_errors(template_id: str) -> Iterator[FieldError]:
    """Yield what is wrong with WeChat's id of a template."""
    yield from _id_errors(("template_id",), template_id, TEMPLATE_ID_PATTERN)


def _template_errors(template_id: str, data: Sequence[TemplateField]) -> Iterator[FieldError]:
    yield from template_id_errors(template_id)
    if not 1 <= len(data) <= MAX_FIELDS:
        yield FieldError(("data",), "TOO_MANY" if data else "TOO_FEW", f"Between 1 and {MAX_FIELDS} fields.")
    seen: set[str] = set()
    for index, field in enumerate(data[:MAX_FIELDS]):
        if KEY_PATTERN.fullmatch(field.key) is None:
            message = "The name of a field of the template, like thing1."
            yield FieldError(("data", index, "key"), "BAD_FORMAT", message)
        elif field.key in seen:
            yield FieldError(("data", index, "key"), "REPEATED", "Each field is given once.")
        seen.add(field.key)
        yield from _text_errors(("data", index, "value"), field.value, rule_of_field(field.key))


def _subscription_errors(message: SubscriptionMessage) -> Iterator[FieldError]:
    yield from _template_errors(message.template_id, message.data)
    if message.kind is MessageKind.SERVICE_SUBSCRIPTION:
        yield from _link_errors(("page",), message.page)
        yield from _mini_program_errors(message.mini_program)
        return
    yield from _page_errors(("page",), message.page)
    if message.mini_program is not None:
        yield FieldError(("mini_program",), "NOT_ALLOWED", "A Mini Program opens its own pages only: give the page.")


def _link_errors(path: FieldPath, link: str | None) -> Iterator[FieldError]:
    """Yield what is wrong with a web address, which may hold placeholders behind the site."""
    if link is None:
        return
    wrong = list(_text_errors(path, link, LINK))
    yield from wrong
    if not wrong and (_has_space(link) or not _leads_to_site(link.partition(OPENING)[0], whole=OPENING not in link)):
        message = "An http or https address without space in it; placeholders stand behind the name of the site."
        yield FieldError(path, "BAD_FORMAT", message)


def _has_space(link: str) -> bool:
    """Tell whether there is space in what is written of an address, apart from its placeholders."""
    return any(isinstance(part, str) and any(map(str.isspace, part)) for part in parse_text(link).parts)


def _leads_to_site(start: str, *, whole: bool) -> bool:
    """Tell whether an address names its site, before anything else unless it is the `whole` address."""
    found = SITE_PATTERN.match(start)
    if found is None or (not whole and found[0][-1] not in "/?#"):
        return False
    try:
        parts = urlsplit(start)
        return bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False


def _mini_program_errors(mini_program: MiniProgramPage | None) -> Iterator[FieldError]:
    if mini_program is None:
        return
    if APP_ID_PATTERN.fullmatch(mini_program.app_id) is None:
        message = "An app id is wx followed by 4 to 62 letters and digits."
        yield FieldError(("mini_program", "app_id"), "BAD_FORMAT", message)
    yield from _page_errors(("mini_program", "page"), mini_program.page)


def _page_errors(path: FieldPath, page: str | None) -> Iterator[FieldError]:
    """Yield what is wrong with a page of a Mini Program, which may hold placeholders in its query."""
    if page is None:
        return
    wrong = list(_text_errors(path, page, LINK))
    yield from wrong
    if not wrong and (_has_space(page) or PAGE_PATTERN.fullmatch(page.partition("?")[0]) is None):
        message = "A page like pages/index/index?key=value; placeholders stand behind the question mark."
        yield FieldError(path, "BAD_FORMAT", message)
