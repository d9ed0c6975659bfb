"""Find lines and columns in a document as graphql-core does."""

import pytest
from graphql import Source

from service.api.engine.source import IndexedSource


@pytest.mark.parametrize("text", ["", "a", "\n", "a\nb", "a\r\nb\rc\n\nd", "\r\r\n\n\r", "a\n"])
def test_a_place_has_the_same_line_and_column(text: str) -> None:
    for position in range(len(text) + 2):
        assert IndexedSource(text).get_location(position) == Source(text).get_location(position), position
