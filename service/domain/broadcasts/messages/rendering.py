"""Put what is known of a person into a message, whose placeholders were compiled once.

What is inserted is data: it is never read for placeholders again, and it holds no markup, control or direction
characters. Source: docs/specification.md §6.6.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import regex

from service.domain.broadcasts.messages.field_rules import LINK, TEXT, TextRule, percent_encode, rule_of_field
from service.domain.broadcasts.messages.placeholders import Placeholder, parse_text
from service.entities.broadcast_messages import (
    BroadcastMessage,
    MiniProgramPage,
    SubscriptionMessage,
    TemplateField,
    TemplateMessage,
    TextMessage,
)

# Where they stand for a folder of an address, they would lead out of it.
FOLDER_NAMES: Final = frozenset({".", ".."})
NO_DATA: Final = regex.compile(r"[<>&\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]")
# What a reader takes for one character, an emoji of a family too.
CLUSTER: Final = regex.compile(r"\X")
MAX_REMEMBERED: Final = 1_000
NO_VALUES: Final[Mapping[str, str]] = {}
Values: TypeAlias = Mapping[str, str]


def cleaned(value: str) -> str:
    """Return a value without what could be read as more than data, and without space around it."""
    return NO_DATA.sub("", value).strip()


class CompiledText:
    """Insert values into a text that fits a rule: each text is parsed once, for everybody."""

    def __init__(self, text: str, rule: TextRule) -> None:
        self._rule = rule
        self._parts = parse_text(text).parts
        self.placeholders = tuple(part for part in self._parts if isinstance(part, Placeholder))
        self._room = rule.limit - sum(rule.measure(part) for part in self._parts if isinstance(part, str))
        self._fallbacks = tuple(self._encoded(each.fallback) for each in self.placeholders)
        # With placeholders, what those get of whom nothing fits; None if there is nothing for them.
        fallen_back = self._insert([each or "" for each in self._fallbacks])
        fits = None not in self._fallbacks and rule.allows(fallen_back)
        self._without_values = fallen_back if fits else None
        self._categories = tuple(each.category for each in self.placeholders)
        self._uses_openid = None in self._categories
        # Many people share their tags, and so what is rendered of them.
        self._fitting_tags = lru_cache(MAX_REMEMBERED)(self._fitting)
        self._fill_or_recall = lru_cache(MAX_REMEMBERED)(self._fill_with)

    def render(self, openid: str, values: Values) -> str | None:
        """Return the text for a person, or None if something has no value that fits, and no fallback."""
        known = tuple(openid if each is None else values.get(each) for each in self._categories)
        return self._fill_with(known) if self._uses_openid else self._fill_or_recall(known)

    def _fill_with(self, known: tuple[str | None, ...]) -> str | None:
        inserted = []
        for category, value, fallback in zip(self._categories, known, self._fallbacks, strict=True):
            fitting = (self._fitting(value) if category is None else self._fitting_tags(value)) or fallback
            if fitting is None:
                return None
            inserted.append(fitting)
        sizes = [self._rule.measure(each) for each in inserted]
        if sum(sizes) > self._room:
            if not self._rule.cuttable:
                return self._without_values
            shares = _shares(sizes, self._room)
            cut = [_cut(text, size, self._rule.measure) for text, size in zip(inserted, shares, strict=True)]
            if any(before and not after for before, after in zip(inserted, cut, strict=True)):
                return self._without_values
            inserted = cut
        text = self._insert(inserted)
        return text if self._rule.allows(text) else self._without_values

    def _fitting(self, value: str | None) -> str | None:
        """Return a value as it is inserted; None without one, and for one that cannot stand there."""
        if not value or not (value := cleaned(value)) or not self._rule.allows_within(value):
            return None
        if self._rule.encoded and value in FOLDER_NAMES:
            return None
        return self._encoded(value)

    def _encoded(self, value: str | None) -> str | None:
        return percent_encode(value) if value and self._rule.encoded else value

    def _insert(self, inserted: Sequence[str]) -> str:
        values = iter(inserted)
        return "".join(part if isinstance(part, str) else next(values) for part in self._parts)


class MessageRenderer:
    """Render a message that was checked for one person after the other.

    `categories` are those of the tags whose names it needs.
    """

    def __init__(self, message: BroadcastMessage) -> None:
        self._render, texts = _compile(message)
        found = [each for text in texts for each in text.placeholders]
        self.categories = frozenset(each.category for each in found if each.category is not None)

    def render(self, openid: str, values: Values = NO_VALUES) -> BroadcastMessage | None:
        """Return the message as a person gets it, or None where a value is missing.

        `values` are `{category: what is inserted}`, as `service.domain.broadcasts.messages.tag_values` reads them.
        """
        return self._render(openid, values)


Render: TypeAlias = Callable[[str, Values], BroadcastMessage | None]


def _compile(message: BroadcastMessage) -> tuple[Render, list[CompiledText]]:
    """Return what renders a message, and the texts in it that have placeholders."""
    texts: list[CompiledText] = []

    def compiled(text: str | None, rule: TextRule) -> CompiledText | None:
        found = None if text is None else CompiledText(text, rule)
        if found is None or not found.placeholders:
            return None
        texts.append(found)
        return found

    if isinstance(message, TextMessage) and not message.kind.mass:
        return _text_renderer(message, compiled(message.text, TEXT)), texts
    if not isinstance(message, TemplateMessage | SubscriptionMessage):
        return lambda _openid, _values: message, texts
    data = [compiled(field.value, rule_of_field(field.key)) for field in message.data]
    link = compiled(_link(message), LINK)
    page = compiled(message.mini_program.page if message.mini_program else None, LINK)
    return (_template_renderer(message, data, link, page) if texts else lambda _openid, _values: message), texts


def _text_renderer(message: TextMessage, compiled: CompiledText | None) -> Render:
    def render(openid: str, values: Values) -> BroadcastMessage | None:
        if compiled is None:
            return message
        text = compiled.render(openid, values)
        return None if text is None else TextMessage(message.kind, text)

    return render


def _template_renderer(
    message: TemplateMessage | SubscriptionMessage,
    data: Sequence[CompiledText | None],
    link: CompiledText | None,
    page: CompiledText | None,
) -> Render:
    written, own_link, own_page = message.data, _link(message), message.mini_program

    def render(openid: str, values: Values) -> BroadcastMessage | None:
        fields = []
        for field, compiled in zip(written, data, strict=True):
            value = field.value if compiled is None else compiled.render(openid, values)
            if value is None:
                return None
            fields.append(TemplateField(field.key, value))
        address, opened = own_link, own_page
        if link is not None and (address := link.render(openid, values)) is None:
            return None
        if page is not None and own_page is not None:
            if (path := page.render(openid, values)) is None:
                return None
            opened = MiniProgramPage(own_page.app_id, path)
        if isinstance(message, TemplateMessage):
            return TemplateMessage(message.template_id, tuple(fields), address, opened)
        return SubscriptionMessage(message.kind, message.template_id, tuple(fields), address, opened)

    return render


def _link(message: TemplateMessage | SubscriptionMessage) -> str | None:
    return message.url if isinstance(message, TemplateMessage) else message.page


def _shares(sizes: Sequence[int], room: int) -> list[int]:
    """Return how much of each may stay so that all fit: the long ones are cut to the same size."""
    shares = [0] * len(sizes)
    by_size = sorted(range(len(sizes)), key=sizes.__getitem__)
    for rank, index in enumerate(by_size):
        shares[index] = min(sizes[index], room // (len(sizes) - rank))
        room -= shares[index]
    return shares


def _cut(text: str, size: int, measure: Callable[[str], int]) -> str:
    """Return the beginning of a text that has at most a size; what a reader takes for one character is not cut."""
    if text.isascii():
        return text[:size].rstrip()
    kept = ""
    for cluster in CLUSTER.findall(text):
        if (size := size - measure(cluster)) < 0:
            break
        kept += cluster
    return kept.rstrip()
