"""Count what variables hold before their types read it."""

import math
from collections.abc import Collection, Mapping
from typing import Any, Final

from service.entities.errors import LimitExceededError

# No operation takes a longer list.
MAX_LIST_ENTRIES: Final = 10_000
# Nor a longer text: a thousand ad ids that were pasted at once have half of that.
MAX_TEXT_CHARACTERS: Final = 131_072
# A text counts as one more value for each so many characters: what is wrong with it is told with all of it.
CHARACTERS_PER_VALUE: Final = 1_024
CONTAINERS: Final = (list, dict)


def count_values(variables: Mapping[str, Any] | None, *, up_to: float = math.inf) -> int:
    """Return how many values variables hold, at any depth; long texts and names count as several.

    More than `up_to` are not counted to the end, nor looked at. Raises LimitExceededError for a list of more than
    10,000 entries, and a text of more than 131,072 characters.
    """
    if not variables:
        return 0
    count, unread = 0, [variables]
    while unread:
        value: Any = unread.pop()
        if isinstance(value, str):
            if len(value) > MAX_TEXT_CHARACTERS:
                raise LimitExceededError(f"A text in the variables has at most {MAX_TEXT_CHARACTERS:,} characters.")
            count += len(value) // CHARACTERS_PER_VALUE
            continue
        if isinstance(value, dict):
            if max(map(len, value), default=0) >= CHARACTERS_PER_VALUE:
                unread += value
            inside: Collection[Any] = value.values()
        else:
            if len(value) > MAX_LIST_ENTRIES:
                raise LimitExceededError(f"A list in the variables has at most {MAX_LIST_ENTRIES:,} entries.")
            inside = value
        count += len(inside)
        if count > up_to:
            break
        unread += [
            each
            for each in inside
            if type(each) in CONTAINERS or (type(each) is str and len(each) >= CHARACTERS_PER_VALUE)
        ]
    return count
