"""Find the line and column of a place in a document fast: each error of an answer names some."""

import re
from bisect import bisect_left
from functools import cached_property
from typing import Final

from graphql import Source, SourceLocation

LINE_END: Final = re.compile(r"\r\n|[\n\r]")


class IndexedSource(Source):
    """Know where the lines of a text begin, instead of looking for them from its beginning each time."""

    @cached_property
    def _line_ends(self) -> list[tuple[int, int]]:
        return [match.span() for match in LINE_END.finditer(self.body)]

    def get_location(self, position: int) -> SourceLocation:
        """Return the line and column of a position, both from 1."""
        before = bisect_left(self._line_ends, (position,))
        line_start = self._line_ends[before - 1][1] if before else 0
        return SourceLocation(before + 1, position + 1 - line_start)
