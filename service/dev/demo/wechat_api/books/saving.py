"""Keep what the books say of people, tags and messages in a file, so that it survives a restart as it does at WeChat.

Tokens, quotas and calls begin anew, and a computed crowd is not kept.
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.books.conversations import Utterance
from service.dev.demo.wechat_api.books.people import PlatformUser
from service.dev.demo.wechat_api.books.saved_messages import SavedMessages, restore_messages, saved_messages


@dataclass(frozen=True, slots=True)
class SavedTag:
    """Hold a tag and who has it."""

    id: int
    name: str
    created_at: datetime
    members: list[str]


@dataclass(frozen=True, slots=True)
class SavedAccount:
    """Hold what one account knows."""

    next_tag_id: int
    people: list[PlatformUser] = field(default_factory=list)
    tags: list[SavedTag] = field(default_factory=list)
    blacklist: list[str] = field(default_factory=list)
    messages: SavedMessages = field(default_factory=SavedMessages)
    conversations: dict[str, list[Utterance]] = field(default_factory=dict)


SAVED: Final = TypeAdapter(dict[str, SavedAccount])


def save_books(books: WechatBooks, file: Path) -> None:
    """Write what all accounts know of people, tags, messages and conversations, unless the file says it already."""
    text = SAVED.dump_json({app_id: _saved_account(books, app_id) for app_id in books.accounts})
    if file.exists() and file.read_bytes() == text:
        return
    # A demo that is killed meanwhile must find the old file or the new one.
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.write_bytes(text)
    unfinished.replace(file)


def restore_books(books: WechatBooks, file: Path) -> frozenset[str]:
    """Fill the books of the accounts that are open from the file; return the app ids of those that it knew.

    A file that is missing or unreadable knows none.
    """
    try:
        found = SAVED.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return frozenset()
    known = frozenset(found.keys() & books.accounts.keys())
    for app_id in known:
        account, saved = books.accounts[app_id], found[app_id]
        account.people.known.update((user.openid, user) for user in saved.people)
        account.tags.next_id = saved.next_tag_id
        for tag in saved.tags:
            account.tags.restore(tag.id, tag.name, tag.created_at)
            account.tags.tag(tag.id, tag.members)
        account.blacklist.update(dict.fromkeys(saved.blacklist))
        restore_messages(account, saved.messages)
        account.conversations.restore(saved.conversations)
    return known


def _saved_account(books: WechatBooks, app_id: str) -> SavedAccount:
    account = books.accounts[app_id]
    return SavedAccount(
        account.tags.next_id,
        list(account.people.known.values()),
        [SavedTag(tag.id, tag.name, tag.created_at, sorted(tag.members)) for tag in account.tags.tags.values()],
        list(account.blacklist),
        saved_messages(account),
        {openid: list(said) for openid, said in account.conversations.people.items()},
    )
