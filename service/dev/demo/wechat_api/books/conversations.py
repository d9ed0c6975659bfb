"""Keep the newest of what people and an account said to each other, as a chat shows it."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

KEPT_OF_EACH: Final = 30
MAX_PEOPLE: Final = 1_000


class Speaker(StrEnum):
    """Name who said something."""

    PERSON = "PERSON"
    ACCOUNT = "ACCOUNT"


@dataclass(frozen=True, slots=True)
class Utterance:
    """Hold what somebody said or did. `number` rises within the account; `kind` says what `text` is.

    That of a person is TEXT, IMAGE, CARD, FOLLOW, UNFOLLOW, CLICK, VIEW, SCAN, ENTER, CONSENT or OTHER; that of the
    account names the call that sent it.
    """

    number: int
    at: datetime
    by: Speaker
    kind: str
    text: str


class ConversationBook:
    """Hold the last utterances of everybody who ever did something, for the people who did so last.

    What is delivered to others begins no conversation: a broadcast to all would push everybody else out.
    """

    def __init__(self) -> None:
        self.people: dict[str, deque[Utterance]] = {}
        self.count = 0

    def hear(self, openid: str, fields: Mapping[str, Any], at: datetime) -> None:
        """Note what a person did, as the push says it."""
        known = self.people.pop(openid, None)
        # Whoever did something last is at the end, and is forgotten last.
        self.people[openid] = known or deque(maxlen=KEPT_OF_EACH)
        while len(self.people) > MAX_PEOPLE:
            del self.people[next(iter(self.people))]
        self._add(openid, at, Speaker.PERSON, *_told_by(fields))

    def deliver(self, openids: Sequence[str], kind: str, content: Mapping[str, Any], at: datetime) -> None:
        """Note what reached people of whom there is a conversation."""
        reached = [openid for openid in openids if openid in self.people] if self.people else []
        if reached:
            text = text_of(content)
            for openid in reached:
                self._add(openid, at, Speaker.ACCOUNT, kind, text)

    def newest(self, most: int) -> list[tuple[str, Utterance]]:
        """Return at most so many people with what was said last, the newest first."""
        last = [(openid, said[-1]) for openid, said in self.people.items()]
        return sorted(last, key=lambda each: (each[1].at, each[1].number), reverse=True)[:most]

    def of(self, openid: str, after: int = 0) -> list[Utterance]:
        """Return what was said after a number, the oldest first."""
        return [each for each in self.people.get(openid, ()) if each.number > after]

    def restore(self, people: Mapping[str, Sequence[Utterance]]) -> None:
        """Remember what was saved."""
        self.people = {openid: deque(said, KEPT_OF_EACH) for openid, said in people.items() if said}
        self.count = max((each.number for said in self.people.values() for each in said), default=0)

    def _add(self, openid: str, at: datetime, by: Speaker, kind: str, text: str) -> None:
        self.count += 1
        self.people[openid].append(Utterance(self.count, at, by, kind, text))


def text_of(content: Mapping[str, Any]) -> str:
    """Return what people read of a message: its text, the values of its template or the titles of its articles."""
    kind = str(content.get("msgtype", ""))
    branch = content.get(kind)
    if isinstance(branch, dict) and isinstance(text := branch.get("content"), str):
        return text
    if isinstance(data := content.get("data"), dict):
        return " · ".join(str(each.get("value", "")) for each in data.values() if isinstance(each, dict))
    articles = content.get("articles") or (branch.get("articles") if isinstance(branch, dict) else None)
    if isinstance(articles, list):
        return " · ".join(str(each.get("title", "")) for each in articles if isinstance(each, dict))
    return str(branch.get("title", "")) if isinstance(branch, dict) else ""


def _told_by(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Return what kind of thing a push tells of, and what it says."""
    match fields:
        case {"MsgType": "text", "Content": text}:
            return "TEXT", str(text)
        case {"MsgType": "image"}:
            return "IMAGE", ""
        case {"MsgType": "miniprogrampage", "Title": title}:
            return "CARD", str(title)
        case {"Event": "subscribe", "EventKey": key}:
            return "FOLLOW", str(key).removeprefix("qrscene_")
        case {"Event": "unsubscribe"}:
            return "UNFOLLOW", ""
        case {"Event": "CLICK" | "VIEW" | "SCAN" as event, "EventKey": key}:
            return str(event), str(key)
        case {"Event": "user_enter_tempsession", "SessionFrom": origin}:
            return "ENTER", str(origin)
        case {"Event": "subscribe_msg_popup_event" | "subscribe_msg_change_event"}:
            return "CONSENT", ""
        case _:
            return "OTHER", str(fields.get("Event") or fields.get("MsgType") or "")
