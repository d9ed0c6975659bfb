"""Tidy names and codes so that texts which look alike are alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.foundation.tidy_text import has_forbidden_character, tidy, tidy_code

FAMILY = "👩\u200d👩\u200d👧"
ODD = "ae1#🙂👩❤🔥↔⚕🏽\u200b\u200c\u200d\u200e\ufe0e\ufe0f\ufeff\u00ad\u2060\u0301\u20e3\u3164 中"


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("  Cafe\u0301 \u3000", "Café"),
        ("VI\u200bP\u2060\u00ad", "VIP"),
        ("\ufeff 金牌\u200c", "金牌"),
        ("e\u200b\u0301", "é"),
        ("a\u200db\ufe0f", "ab"),
        ("1\ufe0f", "1"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        (FAMILY, FAMILY),
        ("👩🏽\u200d⚕\ufe0f", "👩🏽\u200d⚕\ufe0f"),
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
        ("🙂\u200d↔\ufe0f", "🙂\u200d↔\ufe0f"),
        ("👩\u200b\u200d👩", "👩\u200d👩"),
        ("❤\ufe0f\ufe0f\u200d", "❤\ufe0f"),
        ("\u3164\u200b\U000e0041", ""),
        ("\u200eVIP", "\u200eVIP"),
    ],
)
def test_names_lose_what_cannot_be_seen(text: str, tidied: str) -> None:
    assert tidy(text) == tidied


@pytest.mark.parametrize(
    ("text", "tidied"),
    [("\ufeff１２３ ", "123"), ("ＡＢ\u200d\u200e", "AB"), (" ad-1", "ad-1"), ("\u200b", ""), ("❤\ufe0f", "❤")],
)
def test_codes_lose_width_and_emphasis_too(text: str, tidied: str) -> None:
    assert tidy_code(text) == tidied


@given(st.text(st.sampled_from(ODD) | st.characters()))
def test_what_is_tidy_stays_as_it_is(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert tidy_code(tidy_code(text)) == tidy_code(text)


@pytest.mark.parametrize(
    "character", ["\x00", "\n", "\x7f", "\x85", "\u2028", "\u2029", "\u061c", "\u202e", "\u2066", "\ud800"]
)
def test_control_separator_and_direction_characters_are_forbidden(character: str) -> None:
    assert has_forbidden_character(f"a{character}b")


def test_other_characters_are_not_forbidden() -> None:
    assert not has_forbidden_character(f"Tea 茶 {FAMILY} -_.\u00a0")
