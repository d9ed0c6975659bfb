"""Identify a state of a block or of the tag states of a channel."""

from datetime import datetime
from typing import NamedTuple


class Revision(NamedTuple):
    """Hold a version and the instant at which it was written. Versions grow by one in commit order.

    In a restored database the version alone may stand for another state; together with the instant it does not. So a
    revision that a cursor holds is valid only if the log, or the head, has exactly this pair
    (docs/architecture/04-cursors.md).
    """

    version: int
    at: datetime
