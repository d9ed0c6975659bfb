"""Write text for spreadsheets so that it is no formula, and read back exactly that text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.foundation.spreadsheet_cells import formula_safe, formula_unsafe

SIGNS = "=+-@＝＋－＠\t\r\n"


@given(st.text(st.sampled_from(SIGNS + "'a ")) | st.text())
def test_every_text_comes_back_and_none_is_a_formula(text: str) -> None:
    written = formula_safe(text)
    assert not written.startswith(tuple(SIGNS))
    assert formula_unsafe(written) == text


@pytest.mark.parametrize("text", ["", "plain", "a=b", "'quoted'", " =1", "标签"])
def test_other_text_is_written_as_it_is(text: str) -> None:
    assert formula_safe(text) == text
