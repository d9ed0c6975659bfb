"""Keep which messages reached whom: by which call, with which id, when and how often."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from service.dev.demo.wechat_api.behaviour import Records
from service.dev.demo.wechat_api.books.conversations import ConversationBook


class SentBy(StrEnum):
    """Name the call that sent a message."""

    MASS = "MASS"
    PREVIEW = "PREVIEW"
    TEMPLATE = "TEMPLATE"
    CUSTOM = "CUSTOM"
    SUBSCRIPTION = "SUBSCRIPTION"
    CONSOLE = "CONSOLE"
    """No call: somebody sent it in WeChat's console, to many."""
    AGENT = "AGENT"
    """No call of the service: somebody of customer service answered in another program."""


NOT_BY_SERVICE: Final = frozenset({SentBy.PREVIEW, SentBy.CONSOLE, SentBy.AGENT})
"""Name what is no message of a broadcast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Hold a message as people see it: `content` is the body of the call without people and ids, with whole articles.

    `client_id` is "" where the call has none, and `msg_id` 0 where none is answered.
    """

    sent_by: SentBy
    content: dict[str, Any]
    at: datetime
    client_id: str = ""
    msg_id: int = 0

    @property
    def key(self) -> str:
        """Return a text that is the same for messages of the same content by the same call."""
        return f"{self.sent_by} {json.dumps(self.content, sort_keys=True, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class Sending:
    """Hold a message and whom it reached; an openid that was named twice was reached twice."""

    message: Message
    openids: Sequence[str]


class MessageBook:
    """Hold the messages that reached somebody, the oldest first; previews too.

    `sent` counts by call how many reached somebody, however few records are kept.
    """

    def __init__(self, crowd_number: Callable[[str], int | None], conversations: ConversationBook) -> None:
        self.sendings: list[Sending] = []
        self.sent: Counter[SentBy] = Counter()
        self._crowd_number = crowd_number
        self._conversations = conversations
        self._of: defaultdict[str, list[Message]] = defaultdict(list)
        self._counts = bytearray()

    def deliver(self, message: Message, openids: Sequence[str], records: Records) -> None:
        """Let a message reach people."""
        self.sent[message.sent_by] += len(openids)
        if records is Records.COUNTS:
            self._count(openids)
        elif records is Records.EACH and openids:
            self.sendings.append(Sending(message, openids))
            for openid in openids:
                self._of[openid].append(message)
            self._conversations.deliver(openids, message.sent_by, message.content, message.at)

    def of(self, openid: str) -> list[Message]:
        """Return the messages that reached somebody, the oldest first."""
        return list(self._of.get(openid, ()))

    def receipts(self, *sent_by: SentBy) -> Counter[str]:
        """Return how many messages reached each, by openid; of these only, or of all that the service sent."""
        calls = frozenset(sent_by) or frozenset(SentBy) - NOT_BY_SERVICE
        found: Counter[str] = Counter()
        for sending in self.sendings:
            if sending.message.sent_by in calls:
                found.update(sending.openids)
        return found

    def receipts_containing(self, text: str) -> Counter[str]:
        """Return how many messages with this text in their content reached each, by openid; previews too."""
        found: Counter[str] = Counter()
        for sending in self.sendings:
            if text in sending.message.key:
                found.update(sending.openids)
        return found

    def repeated(self) -> dict[str, list[Message]]:
        """Return whom the same content reached more than once by the same call, with these messages.

        Previews and what people sent by hand do not count.
        """
        found: dict[str, list[Message]] = {}
        for openid, received in self._of.items():
            messages = [each for each in received if each.sent_by not in NOT_BY_SERVICE]
            counted = Counter(each.key for each in messages) if len(messages) > 1 else {}
            if again := [each for each in messages if counted.get(each.key, 0) > 1]:
                found[openid] = again
        return found

    def crowd_counts(self, size: int) -> Counter[int]:
        """Return how many of a crowd of this size were reached how often, where only that is recorded.

        More than 255 times is told as 255.
        """
        found = Counter(self._counts[:size])
        found[0] += size - min(size, len(self._counts))
        return +found

    def _count(self, openids: Sequence[str]) -> None:
        counts = self._counts
        for number in map(self._crowd_number, openids):
            if number is None:
                continue
            if number >= len(counts):
                counts.extend(bytes(number + 1 - len(counts)))
            counts[number] = min(255, counts[number] + 1)
