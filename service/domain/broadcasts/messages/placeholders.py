"""Read the placeholders of a text: `{{openid}}`, `{{tag:Category}}` and either with `|fallback`.

Source: docs/specification.md §6.6.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from service.domain.input_rules import name_error, normalise_name
from service.foundation.tidy_text import has_forbidden_character

OPENING: Final = "{{"
CLOSING: Final = "}}"
FALLBACK_MARK: Final = "|"
OPENID_NAME: Final = "openid"
TAG_PREFIX: Final = "tag:"
# Of a placeholder in a message: as long as a text that quotes all of it may become.
MAX_QUOTED: Final = 80


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Stand for what is known of a person: the names of their tags of a category, or with None the openid.

    `fallback` is inserted where nothing is known; None has such a person held.
    """

    category: str | None
    fallback: str | None


Part: TypeAlias = str | Placeholder


class PlaceholderError(NamedTuple):
    """Say what is wrong with a placeholder, and that it begins at `position`, counted in characters from 0."""

    position: int
    message: str


class ParsedText(NamedTuple):
    """Hold a text as its parts in order; with `errors` the parts are of no use."""

    parts: tuple[Part, ...]
    errors: tuple[PlaceholderError, ...]

    @property
    def placeholders(self) -> list[Placeholder]:
        """Return the placeholders, in order."""
        return [part for part in self.parts if isinstance(part, Placeholder)]


def has_placeholder(text: str) -> bool:
    """Tell whether a text has anything that looks like a placeholder, be it a known one or not."""
    return CLOSING in text.partition(OPENING)[2]


def parse_text(text: str) -> ParsedText:
    """Return the parts of a text, and what is wrong with its placeholders: unknown ones, and those without an end."""
    parts: list[Part] = []
    errors: list[PlaceholderError] = []
    start = 0
    while (opened := text.find(OPENING, start)) >= 0:
        closed = text.find(CLOSING, opened)
        if closed < 0:
            errors.append(PlaceholderError(opened, "A placeholder ends with }}."))
            break
        if opened > start:
            parts.append(text[start:opened])
        inner = text[opened + len(OPENING) : closed]
        found = _read_placeholder(inner)
        if isinstance(found, Placeholder):
            parts.append(found)
        else:
            quoted = text[opened : closed + len(CLOSING)]
            errors.append(PlaceholderError(opened, f"{_shorten(quoted)}: {found}"))
        start = closed + len(CLOSING)
    if text[start:]:
        parts.append(text[start:])
    return ParsedText(tuple(parts), tuple(errors))


def _read_placeholder(inner: str) -> Placeholder | str:
    """Return the placeholder between the braces, or what is wrong with it."""
    if OPENING in inner:
        return "A placeholder holds no other one."
    name, mark, fallback = inner.partition(FALLBACK_MARK)
    name = name.strip()
    if has_forbidden_character(fallback):
        return "Control, line-separator and direction characters are not allowed in a fallback."
    stands_in = fallback.strip() if mark else None
    if name == OPENID_NAME:
        return Placeholder(None, stands_in)
    if not name.startswith(TAG_PREFIX):
        return "The placeholders are {{openid}} and {{tag:Category}}."
    category = normalise_name(name.removeprefix(TAG_PREFIX))
    wrong = name_error("category", category)
    return Placeholder(category, stands_in) if wrong is None else wrong.message


def _shorten(quoted: str) -> str:
    return quoted if len(quoted) <= MAX_QUOTED else f"{quoted[:MAX_QUOTED]}…"
