"""Compile an expression to SQL that holds nothing but numbers (docs/architecture/06-combos-from-stored-members.md)."""

from typing import cast

import pytest

from service.entities.expressions import tag
from service.storage.combos import compile_expression


def test_nothing_but_numbers_enters_the_statement() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        compile_expression(tag(cast("int", "1) or (true")))
