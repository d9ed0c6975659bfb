"""Decide what each error code of WeChat's server API asks for: one table, with one decision a code.

Source: docs/specification.md, §6.1.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final


class Decision(Enum):
    """Name what to do about an answer with an error code."""

    REFRESH = "REFRESH"
    """Get another token and repeat the call, once."""
    STOP_ACCOUNT = "STOP_ACCOUNT"
    """Make no more calls for this account for a while: its owner has to change something."""
    WAIT_FOR_ADMIN = "WAIT_FOR_ADMIN"
    """Make no more calls for a while: an administrator of the account is asked to allow them."""
    BACK_OFF = "BACK_OFF"
    """Repeat the call, later each time."""
    SLOW_DOWN = "SLOW_DOWN"
    """Make no more calls of this kind in this minute."""
    WAIT_FOR_QUOTA = "WAIT_FOR_QUOTA"
    """Make no more calls of this kind today."""
    PARTIAL = "PARTIAL"
    """Look at the list of those who failed; the others are done."""
    SKIP_PERSON = "SKIP_PERSON"
    """Leave this person out for good; of a list that is longer, find out who it is."""
    PERSON_UNREACHABLE = "PERSON_UNREACHABLE"
    """Leave this person out for now."""
    ALREADY_DONE = "ALREADY_DONE"
    """Take it as done."""
    OUR_FAULT = "OUR_FAULT"
    """Do not repeat it: what was asked for is wrong."""
    UNKNOWN = "UNKNOWN"
    """Do not repeat it either: the code is in no document."""


_CODES: Final = {
    Decision.REFRESH: (40001, 40014, 42001),
    Decision.STOP_ACCOUNT: (
        *(40002, 40013, 40125, 40164, 40243, 41002, 41004, 45102, 48001, 48003, 48004, 48008, 50004, 61004, 61007),
        *(89503, 89506, 89507),
    ),
    Decision.WAIT_FOR_ADMIN: (89504, 89505),
    Decision.BACK_OFF: (-1, 42010, 45066, 45159, 45169, 268487001, 268487002, 268488001, 9500001, 9500002),
    Decision.SLOW_DOWN: (45011,),
    Decision.WAIT_FOR_QUOTA: (43116, 45009, 45028),
    Decision.PARTIAL: (45171,),
    Decision.SKIP_PERSON: (40003, 43004, 49003, 50002, 50005),
    Decision.PERSON_UNREACHABLE: (43019, 43101, 43108, 45015, 45047, 45080, 45081, 45087, 48002, 70000),
    Decision.ALREADY_DONE: (45065,),
    Decision.OUR_FAULT: (
        *(40031, 40032, 40033, 40036, 40037, 40039, 40059, 40060, 40062, 40065, 40130, 40152, 40165, 40166, 40204),
        *(40215, 40246, 40247, 40249, 41030, 41040, 43107, 44002, 45008, 45056, 45057, 45058, 45059, 45062, 45067),
        *(45072, 45083, 45084, 45109, 45113, 45157, 45158, 45162, 45168, 47001, 47002, 47003, 48021, 48022),
        *(61452, 65401),
    ),
}
DECISIONS: Final[Mapping[int, Decision]] = MappingProxyType(
    {code: decision for decision, codes in _CODES.items() for code in codes}
)


def decide(errcode: int) -> Decision:
    """Return the decision on a code that answers a call made with a token."""
    return DECISIONS.get(errcode, Decision.UNKNOWN)


def decide_on_token(errcode: int) -> Decision:
    """Return the decision on a code that answers the request for a token, where 40001 speaks of the app secret."""
    decision = decide(errcode)
    return Decision.STOP_ACCOUNT if decision is Decision.REFRESH else decision
