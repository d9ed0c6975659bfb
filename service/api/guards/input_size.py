"""Count what variables hold before their types read it."""

from collections.abc import Mapping
from typing import Any, Final

from service.entities.errors import LimitExceededError

# No operation takes a longer list.
MAX_LIST_ENTRIES: Final = 10_000
CONTAINERS: Final = (list, dict)


def count_values(variables: Mapping[str, Any] | None) -> int:
    """Return how many values variables hold, at any depth.

    Raises LimitExceededError for a list of more than 10,000 entries.
    """
    if not variables:
        return 0
    count, unread = 0, [*variables.values()]
    while unread:
        value = unread.pop()
        count += 1
        if isinstance(value, list):
            if len(value) > MAX_LIST_ENTRIES:
                raise LimitExceededError(f"A list in the variables has at most {MAX_LIST_ENTRIES:,} entries.")
            inner = [each for each in value if type(each) in CONTAINERS]
            count += len(value) - len(inner)
            unread += inner
        elif isinstance(value, dict):
            unread += value.values()
    return count
