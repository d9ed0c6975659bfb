"""Know what WeChat takes in a field of a template, by the field's type, and in texts, web addresses and pages.

A field of another type than WeChat documents today is one of an old template. Lengths are counted as WeChat may count
them at worst: in UTF-16 units, so that an emoji counts as two. Source: developers.weixin.qq.com
`/doc/service/api/notify/message` and `/doc/service/api/notify/subscribe`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import regex

# WeChat documents no limit for texts; 2,048 bytes is what was met, once as "fewer than".
MAX_TEXT_BYTES: Final = 2_047
MAX_LINK_BYTES: Final = 1_024
MAX_OTHER_FIELD: Final = 200
_TYPE_OF_KEY: Final = regex.compile(r"([A-Za-z][A-Za-z_]{0,31}?)_?[0-9]{0,4}")

_TIME: Final = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"
_MONTH: Final = r"(?:0?[1-9]|1[0-2])"
_DAY: Final = r"(?:0?[1-9]|[12][0-9]|3[01])"
_DATE: Final = (
    rf"(?:(?:[0-9]{{4}}年)?{_MONTH}月{_DAY}日|[0-9]{{4}}年{_MONTH}月"
    rf"|[0-9]{{4}}[-/.]{_MONTH}(?:[-/.]{_DAY})?|{_MONTH}[-/.]{_DAY})"
)
_TIME_OF_DAY: Final = rf"(?:{_DATE} ?)?{_TIME}"
_DAY_OR_TIME: Final = rf"{_DATE}(?: ?{_TIME})?"


def utf16_length(text: str) -> int:
    """Return the length in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8_length(text: str) -> int:
    """Return the length in bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def percent_encode(text: str) -> str:
    """Return a text as it may stand anywhere in a web address."""
    return quote(text, safe="")


@dataclass(frozen=True, slots=True)
class TextRule:
    """Say what may stand in a place of a message.

    Every character of it matches `characters`, the whole matches `whole`; either may be None. What is inserted may be
    cut to fit with `cuttable`, and is percent-encoded with `encoded`. `expects` says all of it to people.
    """

    limit: int
    measure: Callable[[str], int]
    expects: str
    characters: "regex.Pattern[str] | None" = None
    whole: "regex.Pattern[str] | None" = None
    cuttable: bool = True
    encoded: bool = False

    def allows_within(self, text: str) -> bool:
        """Tell whether a text could be a part of what stands there, apart from its length."""
        return self.characters is None or self.characters.fullmatch(text) is not None

    def allows(self, text: str) -> bool:
        """Tell whether a text may stand there as a whole; a blank one may not."""
        return (
            self.measure(text) <= self.limit
            and not text.isspace()
            and text != ""
            and self.allows_within(text)
            and (self.whole is None or self.whole.fullmatch(text) is not None)
        )


def _rule(
    limit: int, expects: str, characters: str | None = None, whole: str | None = None, *, cuttable: bool = True
) -> TextRule:
    return TextRule(
        limit=limit,
        measure=utf16_length,
        expects=expects,
        characters=None if characters is None else regex.compile(f"(?:{characters})*"),
        whole=None if whole is None else regex.compile(whole),
        cuttable=cuttable,
    )


FIELD_RULES: Final = {
    "thing": _rule(20, "At most 20 characters."),
    "character_string": _rule(
        32, "At most 32 digits, letters of the Latin alphabet and symbols.", r"[A-Za-z0-9]|[^\p{L}\p{N}]"
    ),
    "number": _rule(32, "A number of at most 32 digits.", r"[0-9.]", r"[0-9]+(?:\.[0-9]+)?", cuttable=False),
    "letter": _rule(32, "At most 32 letters of the Latin alphabet.", r"[A-Za-z]"),
    "symbol": _rule(5, "At most 5 symbols, no letters and digits.", r"[^\p{L}\p{N}\s]"),
    "phone_number": _rule(
        17, "A phone number of at most 17 digits and symbols.", r"[0-9]|[^\p{L}\p{N}]", r".*[0-9].*", cuttable=False
    ),
    "car_number": _rule(
        8,
        "A licence plate of at most 8 characters: letters and digits; the first and the last may be Chinese.",
        r"[\p{Han}A-Za-z0-9]",
        r"[\p{Han}A-Za-z0-9](?:[A-Za-z0-9]*[\p{Han}A-Za-z0-9])?",
        cuttable=False,
    ),
    "const": _rule(20, "At most 20 characters."),
    "name": _rule(
        20,
        "A name of at most 10 Chinese characters, or of at most 20 letters and symbols.",
        r"[^\p{N}]",
        r"[^\p{Han}]{1,20}|.{1,10}",
    ),
    "phrase": _rule(5, "At most 5 Chinese characters.", r"\p{Han}"),
    "time": _rule(
        64,
        "A time like 15:01, or 2026年3月1日 15:01, or two with ~ between them.",
        r"[0-9:年月日/.~ -]",
        rf"{_TIME_OF_DAY}(?: ?~ ?{_TIME_OF_DAY})?",
        cuttable=False,
    ),
    "date": _rule(
        64,
        "A date like 2026年3月1日 or 2026-03-01, with a time or without, or two with ~ between them.",
        r"[0-9:年月日/.~ -]",
        rf"{_DAY_OR_TIME}(?: ?~ ?{_DAY_OR_TIME})?",
        cuttable=False,
    ),
    "amount": _rule(
        20,
        "An amount of at most 10 digits, with decimals or without, after a sign of the currency or with 元 at the end.",
        r"[\p{Sc}0-9.元]",
        r"\p{Sc}?[0-9]{1,10}(?:\.[0-9]{1,4})?元?",
        cuttable=False,
    ),
}
OTHER_FIELD: Final = _rule(MAX_OTHER_FIELD, f"At most {MAX_OTHER_FIELD} characters.")
TEXT: Final = TextRule(
    MAX_TEXT_BYTES, utf8_length, f"At most {MAX_TEXT_BYTES:,} bytes of UTF-8; a Chinese character has three."
)
# An address that was cut would lead elsewhere.
LINK: Final = TextRule(MAX_LINK_BYTES, utf8_length, f"At most {MAX_LINK_BYTES:,} bytes.", cuttable=False, encoded=True)


def rule_of_field(key: str) -> TextRule:
    """Return the rule of a field by its key: of type `thing` with the key `thing1`."""
    found = _TYPE_OF_KEY.fullmatch(key)
    return OTHER_FIELD if found is None else FIELD_RULES.get(found[1], OTHER_FIELD)
