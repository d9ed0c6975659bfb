"""Merge what waits for a slow reader, so that it stays bounded."""

from service.foundation.mailbox import MAX_PENDING, Mailbox


def test_a_mailbox_never_holds_more_than_its_bound() -> None:
    mailbox: Mailbox[int] = Mailbox(lambda waiting: [sum(waiting)])
    for _ in range(1000):
        mailbox.put(1)
        assert len(mailbox._waiting) <= MAX_PENDING
    assert sum(mailbox._waiting) == 1000
