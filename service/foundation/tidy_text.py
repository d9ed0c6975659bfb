"""Tidy short texts that people type or paste, so that texts that look alike are alike.

Invisible characters are those that Unicode calls default-ignorable (https://www.unicode.org/reports/tr44/). The caller
bounds the length: normalising takes time that grows with the square of a run of combining marks.
"""

import unicodedata
from typing import Final, Literal

import regex

# Direction characters are invisible too. They stay, since a text in which they are hidden is refused, not mended.
INVISIBLE: Final = regex.compile(
    r"[\p{Default_Ignorable_Code_Point}--\p{Bidi_Control}--[\u200D\uFE0E\uFE0F]]", regex.V1
)
# The joiner and the two selectors mean something within an emoji only.
OUTSIDE_EMOJI: Final = regex.compile(
    r"""
    (?<! (?: \p{Extended_Pictographic}\uFE0F? | \p{Emoji_Modifier} ) )\u200D
    | \u200D(?! \p{Extended_Pictographic} )
    | (?<! \p{Extended_Pictographic} | [0-9#*](?=.\u20E3) )[\uFE0E\uFE0F]
    """,
    regex.VERBOSE | regex.DOTALL,
)
IGNORABLE: Final = regex.compile(r"\p{Default_Ignorable_Code_Point}")
FORBIDDEN: Final = regex.compile(r"[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]")


def tidy(text: str) -> str:
    """Return a text in NFC without invisible characters, but those within emoji, and without space around it."""
    if text.isascii():
        return text.strip()
    if IGNORABLE.search(text) is not None:
        text = OUTSIDE_EMOJI.sub("", INVISIBLE.sub("", text))
    return _normalise("NFC", text)


def tidy_code(text: str) -> str:
    """Return a code in NFKC without invisible characters and space around it: `１２` is `12`."""
    if text.isascii():
        return text.strip()
    return _normalise("NFKC", IGNORABLE.sub("", text))


def has_forbidden_character(text: str) -> bool:
    """Tell whether a text holds a control, line-separator or direction character, or half of a surrogate pair."""
    return FORBIDDEN.search(text) is not None


def _normalise(form: Literal["NFC", "NFKC"], text: str) -> str:
    return unicodedata.normalize(form, text).strip()
