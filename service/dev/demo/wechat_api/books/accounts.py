"""Describe the accounts of the imitated platform, and keep the books of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from service.dev.demo.push_encoder import BodyFormat, Mode
from service.dev.demo.wechat_api.behaviour import Records
from service.dev.demo.wechat_api.books.conversations import ConversationBook
from service.dev.demo.wechat_api.books.drafts import DraftBook
from service.dev.demo.wechat_api.books.mass_sends import MassBook
from service.dev.demo.wechat_api.books.messages import Message, MessageBook, SentBy
from service.dev.demo.wechat_api.books.people import People, PlatformUser
from service.dev.demo.wechat_api.books.quotas import QuotaBook
from service.dev.demo.wechat_api.books.reply_windows import ReplyWindows
from service.dev.demo.wechat_api.books.results import ResultBook
from service.dev.demo.wechat_api.books.tags import TagBook
from service.dev.demo.wechat_api.books.templates import ConsentBook, TemplateBook
from service.dev.demo.wechat_api.limits import Limits, Trigger
from service.entities.channels import ChannelKind


@dataclass(frozen=True, slots=True)
class Account:
    """Describe an Official Account or Mini Program as its owner configured it in WeChat's console."""

    app_id: str
    gh_id: str
    token: str = field(repr=False)
    secret: str = field(repr=False)
    encoding_aes_key: str | None = field(default=None, repr=False)
    mode: Mode = "safe"
    body_format: BodyFormat = "xml"
    kind: ChannelKind = ChannelKind.SERVICE_ACCOUNT
    callback_url: str | None = None
    verified: bool = True
    ip_whitelist: frozenset[str] | None = None
    """The addresses that may ask for a token; None lets all do so."""


class AccountBooks:
    """Hold what the platform knows of one account.

    `tagging` has the openids that calls are tagging now, `migrated` the new openid of each of an account that was
    migrated to this one, by the old account's app id. `message_count` is of those to one person.
    """

    def __init__(self, account: Account, limits: Limits) -> None:
        self.account = account
        self.people = People(account.app_id)
        self.tags = TagBook(limits.first_tag_id)
        self.conversations = ConversationBook()
        self.messages = MessageBook(self.people.crowd_number, self.conversations)
        self.mass = MassBook(limits)
        self.templates = TemplateBook(limits)
        self.consents = ConsentBook()
        self.replies = ReplyWindows()
        self.drafts = DraftBook()
        self.results = ResultBook()
        self.message_count = 0
        self._first_message_id = limits.first_message_id
        self.quotas = QuotaBook()
        self.blacklist: dict[str, None] = {}
        self.tagging: set[str] = set()
        self.migrated: dict[str, dict[str, str]] = {}

    def next_message_id(self) -> int:
        """Return the id of a new message to one person."""
        self.message_count += 1
        return self._first_message_id + self.message_count

    def send_from_console(self, openids: Sequence[str], text: str, at: datetime) -> None:
        """Let people receive a text that somebody sent in WeChat's console, which counts as a mass message."""
        content = {"msgtype": "text", "text": {"content": text}}
        self.messages.deliver(Message(sent_by=SentBy.CONSOLE, content=content, at=at), openids, Records.EACH)
        self.mass.count(openids, at)

    def follow(self, openid: str, at: datetime, scene: str | None = None) -> PlatformUser:
        """Let a user follow, with `scene` by scanning that QR code; one who comes back has no tags.

        Nothing happens if the user followed or left later than `at`.
        """
        user = self.people.user(openid)
        if _is_older(user, at):
            return user
        user.following = True
        user.followed_at = at
        user.subscribe_scene = "ADD_SCENE_SEARCH" if scene is None else "ADD_SCENE_QR_CODE"
        user.qr_scene = scene or ""
        self.replies.open(openid, Trigger.FOLLOW if scene is None else Trigger.SCAN, at)
        return user

    def unfollow(self, openid: str, at: datetime | None = None) -> None:
        """Let a user leave, who loses all tags; nothing happens if the user followed or left later than `at`."""
        user = self.people.user(openid)
        if at is not None:
            if _is_older(user, at):
                return
            user.left_at = at
        user.following = False
        self.tags.drop_user(openid)


def _is_older(user: PlatformUser, at: datetime) -> bool:
    """Say whether the user followed or left since."""
    return any(known is not None and known > at for known in (user.followed_at, user.left_at))
