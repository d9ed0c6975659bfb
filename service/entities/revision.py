"""Identify a state of a block or of the tag states of a channel."""

from datetime import datetime
from typing import NamedTuple


class Revision(NamedTuple):
    """Hold a version and the instant at which it was written.

    In a restored database the version alone may stand for another state; together with the instant it does not.
    """

    version: int
    at: datetime
