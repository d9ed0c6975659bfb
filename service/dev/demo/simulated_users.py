"""Simulate the users of an account, who follow, write, click, scan, accept messages, unfollow and come back."""

import asyncio
import random
import string
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import cycle
from typing import Final

from service.dev.demo.platform import Delivery, WechatPlatform
from service.dev.demo.templates import NEWS_TEMPLATE
from service.dev.demo.wechat_api.books.people import PlatformUser
from service.entities.channels import ChannelKind

OPENID_CHARACTERS: Final = string.ascii_letters + string.digits + "_-"
BACKLOG_DURATION: Final = timedelta(days=3)
MEAN_INTERVAL: Final = timedelta(hours=9)
MAX_USERS: Final = 1_000
CONCURRENCY: Final = 4
NEW_USER_PROBABILITY: Final = 0.05


class Action(StrEnum):
    """Name what a simulated user can do."""

    FOLLOW = "FOLLOW"
    FOLLOW_BY_SCAN = "FOLLOW_BY_SCAN"
    UNFOLLOW = "UNFOLLOW"
    TEXT = "TEXT"
    IMAGE = "IMAGE"
    CARD = "CARD"
    CLICK = "CLICK"
    LINK = "LINK"
    SCAN = "SCAN"
    ENTER = "ENTER"
    ANSWER = "ANSWER"
    """Accept or refuse subscription messages, when asked."""


FOLLOWER_WEIGHTS: Final = {
    Action.TEXT: 45,
    Action.IMAGE: 5,
    Action.CLICK: 22,
    Action.LINK: 8,
    Action.SCAN: 12,
    Action.ANSWER: 6,
    Action.UNFOLLOW: 8,
}
NON_FOLLOWER_WEIGHTS: Final = {Action.FOLLOW: 7, Action.FOLLOW_BY_SCAN: 3}
MINI_PROGRAM_WEIGHTS: Final = {Action.TEXT: 5, Action.IMAGE: 1, Action.CARD: 2, Action.ENTER: 2, Action.ANSWER: 3}
ACCEPTED_SHARE: Final = 0.8
WATCHED_ACTIONS: Final = (
    Action.TEXT,
    Action.UNFOLLOW,
    Action.FOLLOW,
    Action.CLICK,
    Action.UNFOLLOW,
    Action.FOLLOW_BY_SCAN,
)

SCENES: Final = ("store-12", "poster-spring", "table-7", "receipt", "1024")
TEXTS: Final = (
    "你好",
    "在吗",
    "今天几点关门",
    "可以退货吗",
    "怎么用优惠券",
    "有桂花乌龙吗",
    "多少钱一杯",
    "谢谢",
    "人工客服",
    "1",
    "👍",
    "hello",
)
Choices = tuple[dict[str, str], ...]
MESSAGES: Final[dict[Action, tuple[str, Choices]]] = {
    Action.TEXT: ("text", tuple({"Content": text} for text in TEXTS)),
    Action.IMAGE: ("image", ({"PicUrl": "https://tea.example/photo.jpg", "MediaId": "bGlicmFyeS1vZi10ZWE"},)),
    Action.CARD: ("miniprogrampage", ({"Title": "桂花乌龙", "PagePath": "pages/tea?id=7"},)),
}
EVENTS: Final[dict[Action, tuple[str, Choices]]] = {
    Action.CLICK: ("CLICK", tuple({"EventKey": f"MENU_{key}"} for key in ("NEW", "ORDERS", "HELP", "COUPONS"))),
    Action.LINK: ("VIEW", ({"EventKey": "https://tea.example/menu", "MenuId": "425714631"},)),
    Action.ENTER: ("user_enter_tempsession", ({"SessionFrom": "orders"},)),
}


@dataclass(frozen=True, slots=True)
class ScheduledAction:
    """Describe an action of a user at a whole second."""

    openid: str
    action: Action
    at: datetime


def new_openid(app_id: str, rng: random.Random) -> str:
    """Return a random openid of 28 characters; those of one account begin alike, as at WeChat."""
    prefix = "".join(random.Random(app_id).choices(string.ascii_letters, k=5))
    return "o" + prefix + "".join(rng.choices(OPENID_CHARACTERS, k=22))


def draw_action(kind: ChannelKind, following: bool, rng: random.Random) -> Action:
    """Return a random action that the user can do, who either follows the account or does not."""
    if kind is ChannelKind.MINI_PROGRAM:
        weights = MINI_PROGRAM_WEIGHTS
    else:
        weights = FOLLOWER_WEIGHTS if following else NON_FOLLOWER_WEIGHTS
    return rng.choices(list(weights), list(weights.values()))[0]


def draw_history(kind: ChannelKind, user: PlatformUser, now: datetime, rng: random.Random) -> list[ScheduledAction]:
    """Return random actions of a user within three days before `now`, after the last known one, the oldest first."""
    at, following = now - rng.random() * BACKLOG_DURATION, user.following
    if user.acted_at is not None:
        at = max(at, user.acted_at + timedelta(seconds=1))
    actions: list[ScheduledAction] = []
    while at < now:
        action = draw_action(kind, following, rng)
        actions.append(ScheduledAction(user.openid, action, at.replace(microsecond=0)))
        following = action in NON_FOLLOWER_WEIGHTS or (following and action is not Action.UNFOLLOW)
        at += rng.expovariate(1.0) * MEAN_INTERVAL + timedelta(seconds=1)
    return actions


class SimulatedUsers:
    """Simulate the users of one account, who are the same in every run.

    `rate` is in events per second. `on_push_failure` is awaited after each push that was not acknowledged, and should
    return when the service can be reached again; `on_follow` is awaited with (openid, at) after each follow.
    """

    def __init__(
        self,
        platform: WechatPlatform,
        app_id: str,
        *,
        size: int = 200,
        rate: float = 2.0,
        watched_every: timedelta = timedelta(seconds=10),
        on_push_failure: Callable[[], Awaitable[None]] | None = None,
        unionids: Sequence[str] = (),
        on_follow: Callable[[str, datetime | None], Awaitable[None]] | None = None,
    ) -> None:
        self._platform = platform
        self._app_id = app_id
        self._kind = platform.account(app_id).kind
        self._rng = random.Random(app_id)
        self._rate = rate
        self._watched_every = watched_every
        self._on_push_failure = on_push_failure
        self._on_follow = on_follow
        self.openids = [new_openid(app_id, self._rng) for _ in range(size)]
        for openid, unionid in zip(self.openids, unionids, strict=False):
            platform.user(app_id, openid).unionid = unionid

    @property
    def watched(self) -> str:
        """Return the openid of the first user, who acts at regular intervals and is the one to look at."""
        return self.openids[0]

    async def send_backlog(self) -> None:
        """Push the last three days of all users, the oldest event first, as fast as the service takes them."""
        now = self._platform.clock()
        actions = [
            scheduled
            for openid in self.openids
            for scheduled in draw_history(self._kind, self._platform.user(self._app_id, openid), now, self._rng)
        ]
        actions.sort(key=lambda scheduled: scheduled.at)
        remaining = iter(actions)
        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(self._send_actions(remaining))

    async def simulate(self) -> None:
        """Push events for ever: of the watched user at regular intervals, of the others at random moments."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._simulate_users())
            if self._kind is not ChannelKind.MINI_PROGRAM:
                group.create_task(self._simulate_watched())

    async def perform(self, openid: str, action: Action, at: datetime | None = None) -> Delivery:
        """Perform an action of a user, at `at` or now, and return how the service took the push."""
        delivery = await self._push(openid, action, at)
        if not delivery.acknowledged and self._on_push_failure is not None:
            await self._on_push_failure()
        if action in NON_FOLLOWER_WEIGHTS and self._on_follow is not None:
            await self._on_follow(openid, at)
        return delivery

    async def _send_actions(self, remaining: Iterator[ScheduledAction]) -> None:
        for scheduled in remaining:
            await self.perform(scheduled.openid, scheduled.action, scheduled.at)

    async def _simulate_users(self) -> None:
        while True:
            await asyncio.sleep(self._rng.expovariate(self._rate))
            openid = self._pick_user()
            following = self._platform.user(self._app_id, openid).following
            await self.perform(openid, draw_action(self._kind, following, self._rng))

    async def _simulate_watched(self) -> None:
        for action in cycle(WATCHED_ACTIONS):
            await asyncio.sleep(self._watched_every.total_seconds())
            await self.perform(self.watched, action)

    def _pick_user(self) -> str:
        """Return a random user other than the watched one, now and then a new one."""
        others = self.openids[1:]
        if not others or (len(others) < MAX_USERS and self._rng.random() < NEW_USER_PROBABILITY):
            self.openids.append(new_openid(self._app_id, self._rng))
            return self.openids[-1]
        return self._rng.choice(others)

    async def _push(self, openid: str, action: Action, at: datetime | None) -> Delivery:
        platform, app_id, rng = self._platform, self._app_id, self._rng
        if action in NON_FOLLOWER_WEIGHTS:
            scene = rng.choice(SCENES) if action is Action.FOLLOW_BY_SCAN else None
            return await platform.follow(app_id, openid, scene, at)
        if action is Action.UNFOLLOW:
            return await platform.unfollow(app_id, openid, at)
        if action is Action.SCAN:
            return await platform.scan(app_id, openid, rng.choice(SCENES), at)
        if action is Action.ANSWER:
            answers = {NEWS_TEMPLATE: rng.random() < ACCEPTED_SHARE}
            return await platform.answer_request(app_id, openid, answers, at)
        if action in MESSAGES:
            kind, choices = MESSAGES[action]
            return await platform.message(app_id, openid, kind, dict(rng.choice(choices)), at)
        kind, choices = EVENTS[action]
        return await platform.event(app_id, openid, kind, dict(rng.choice(choices)), at)
