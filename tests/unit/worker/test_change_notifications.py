"""Read a change notification only where one of our processes can have written it."""

import pytest

from service.entities.blocks import ChangeNotification
from service.entities.jobs import JobChangeNotification
from service.valkey.notifications import decode, encode


@pytest.mark.parametrize(
    "notification",
    [ChangeNotification(7, 3, 12), ChangeNotification(7, None, 2**63 - 1), JobChangeNotification(7, 5)],
)
def test_a_notification_reads_back(notification: ChangeNotification | JobChangeNotification) -> None:
    assert decode(7, encode(notification)) == notification


@pytest.mark.parametrize(
    "text", ["", ":", "3", "3:", "3:-1", "3:x", f"3:{2**63}", f"{2**31}:1", "job:", "job:x", "٣:1", "3:" + "9" * 5000]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        decode(7, text)
