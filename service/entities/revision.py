"""A revision: what a block or the tag states of a channel stand at."""

from datetime import datetime
from typing import NamedTuple


class Revision(NamedTuple):
    """A version with its instant; versions grow by one in commit order, and the instants never go back.

    Only both together say that a log is the one that was read before: in a database restored from a backup the same
    number may stand for another change. So a revision that somebody brings is valid only if the log, or the head,
    holds exactly this pair (docs/architecture/04-cursors.md).
    """

    version: int
    at: datetime
