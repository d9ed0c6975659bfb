"""Number people by block and offset, in blocks of one size everywhere (docs/architecture/01-bits-in-blocks.md)."""

import re

from hypothesis import given
from hypothesis import strategies as st

from service.entities.blocks import (
    BLOCK_BYTES,
    BLOCK_SIZE,
    block_of,
    offset_of,
    ordinal_at,
)
from service.storage.database.sql_files import sql_folder

IN_SQL = re.compile(r"bit\((\d{4,})\)|/ (\d{4,})|% (\d{4,})|\* (\d{4,})")


def test_the_size_is_the_same_in_every_statement_and_migration() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sql_folder().rglob("*.sql")]
    sizes = {int(next(filter(None, found.groups()))) for text in texts for found in IN_SQL.finditer(text)}
    assert sizes == {BLOCK_SIZE}
    assert BLOCK_BYTES * 8 == BLOCK_SIZE


@given(ordinal=st.integers(0, 2**31 - 1))
def test_an_ordinal_is_a_block_and_an_offset(ordinal: int) -> None:
    assert ordinal_at(block_of(ordinal), offset_of(ordinal)) == ordinal
    assert 0 <= offset_of(ordinal) < BLOCK_SIZE
