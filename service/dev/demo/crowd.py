"""A believable crowd on an account: people who follow, write, click, scan, leave and come back."""

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
from service.entities.enums import ChannelKind

OPENID_CHARACTERS: Final = string.ascii_letters + string.digits + "_-"
BACKLOG_SPAN: Final = timedelta(days=3)
MEAN_PAUSE: Final = timedelta(hours=9)
LARGEST_CROWD: Final = 1_000
AT_ONCE: Final = 4
NEWCOMERS: Final = 0.05


class Act(StrEnum):
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


WEIGHTS_FOLLOWING: Final = {
    Act.TEXT: 45,
    Act.IMAGE: 5,
    Act.CLICK: 22,
    Act.LINK: 8,
    Act.SCAN: 12,
    Act.UNFOLLOW: 8,
}
WEIGHTS_AWAY: Final = {Act.FOLLOW: 7, Act.FOLLOW_BY_SCAN: 3}
WEIGHTS_MINI_PROGRAM: Final = {Act.TEXT: 5, Act.IMAGE: 1, Act.CARD: 2, Act.ENTER: 2}
WATCHED_ACTS: Final = (Act.TEXT, Act.UNFOLLOW, Act.FOLLOW, Act.CLICK, Act.UNFOLLOW, Act.FOLLOW_BY_SCAN)

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
MESSAGES: Final[dict[Act, tuple[str, Choices]]] = {
    Act.TEXT: ("text", tuple({"Content": text} for text in TEXTS)),
    Act.IMAGE: ("image", ({"PicUrl": "https://tea.example/photo.jpg", "MediaId": "bGlicmFyeS1vZi10ZWE"},)),
    Act.CARD: ("miniprogrampage", ({"Title": "桂花乌龙", "PagePath": "pages/tea?id=7"},)),
}
EVENTS: Final[dict[Act, tuple[str, Choices]]] = {
    Act.CLICK: ("CLICK", tuple({"EventKey": f"MENU_{key}"} for key in ("NEW", "ORDERS", "HELP", "COUPONS"))),
    Act.LINK: ("VIEW", ({"EventKey": "https://tea.example/menu", "MenuId": "425714631"},)),
    Act.ENTER: ("user_enter_tempsession", ({"SessionFrom": "orders"},)),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Somebody doing something at a whole second."""

    openid: str
    act: Act
    at: datetime


def new_openid(app_id: str, draw: random.Random) -> str:
    """Draw an openid of 28 characters; those of one account begin alike, as at WeChat."""
    prefix = "".join(random.Random(app_id).choices(string.ascii_letters, k=5))
    return "o" + prefix + "".join(draw.choices(OPENID_CHARACTERS, k=22))


def next_act(kind: ChannelKind, following: bool, draw: random.Random) -> Act:
    """Draw what a person does next; nobody unfollows twice, or writes to an account they do not follow."""
    if kind is ChannelKind.MINI_PROGRAM:
        weights = WEIGHTS_MINI_PROGRAM
    else:
        weights = WEIGHTS_FOLLOWING if following else WEIGHTS_AWAY
    return draw.choices(list(weights), list(weights.values()))[0]


def history(kind: ChannelKind, openid: str, now: datetime, draw: random.Random) -> list[Moment]:
    """Draw a person's last three days, oldest first, all before `now`."""
    at = now - draw.random() * BACKLOG_SPAN
    following = False
    moments: list[Moment] = []
    while at < now:
        act = next_act(kind, following, draw)
        moments.append(Moment(openid, act, at.replace(microsecond=0)))
        following = act in WEIGHTS_AWAY or (following and act is not Act.UNFOLLOW)
        at += draw.expovariate(1.0) * MEAN_PAUSE + timedelta(seconds=1)
    return moments


class Crowd:
    """The people of one account, the same ones for the same account each time.

    `rate` is in events per second. `on_trouble` is awaited after each push that was not acknowledged, and
    should return when the service can be reached again, `on_follow` with (openid, at) after each
    follow. The first person of the crowd is the `watched` one.
    """

    def __init__(
        self,
        platform: WechatPlatform,
        app_id: str,
        *,
        size: int = 200,
        rate: float = 2.0,
        watched_every: timedelta = timedelta(seconds=10),
        on_trouble: Callable[[], Awaitable[None]] | None = None,
        unionids: Sequence[str] = (),
        on_follow: Callable[[str, datetime | None], Awaitable[None]] | None = None,
    ) -> None:
        self._platform = platform
        self._app_id = app_id
        self._kind = platform.accounts[app_id].kind
        self._draw = random.Random(app_id)
        self._rate = rate
        self._watched_every = watched_every
        self._on_trouble = on_trouble
        self._on_follow = on_follow
        self.openids = [new_openid(app_id, self._draw) for _ in range(size)]
        for openid, unionid in zip(self.openids, unionids, strict=False):
            platform.person(app_id, openid).unionid = unionid

    @property
    def watched(self) -> str:
        return self.openids[0]

    async def backlog(self) -> None:
        """Push everybody's last three days, oldest first, as fast as the service takes them."""
        now = self._platform.clock()
        moments = [moment for openid in self.openids for moment in history(self._kind, openid, now, self._draw)]
        moments.sort(key=lambda moment: moment.at)
        remaining = iter(moments)
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work_off(remaining))

    async def live(self) -> None:
        """Go on for ever: the crowd at random moments, the watched person on a beat."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._live_crowd())
            if self._kind is not ChannelKind.MINI_PROGRAM:
                group.create_task(self._live_watched())

    async def perform(self, openid: str, act: Act, at: datetime | None = None) -> Delivery:
        """Let a person do something, at `at` or now."""
        delivery = await self._push(openid, act, at)
        if not delivery.acknowledged and self._on_trouble is not None:
            await self._on_trouble()
        if act in WEIGHTS_AWAY and self._on_follow is not None:
            await self._on_follow(openid, at)
        return delivery

    async def _work_off(self, remaining: Iterator[Moment]) -> None:
        for moment in remaining:
            await self.perform(moment.openid, moment.act, moment.at)

    async def _live_crowd(self) -> None:
        while True:
            await asyncio.sleep(self._draw.expovariate(self._rate))
            openid = self._somebody()
            following = self._platform.person(self._app_id, openid).following
            await self.perform(openid, next_act(self._kind, following, self._draw))

    async def _live_watched(self) -> None:
        for act in cycle(WATCHED_ACTS):
            await asyncio.sleep(self._watched_every.total_seconds())
            await self.perform(self.watched, act)

    def _somebody(self) -> str:
        """Pick anybody but the watched person, now and then somebody new."""
        others = self.openids[1:]
        if not others or (len(others) < LARGEST_CROWD and self._draw.random() < NEWCOMERS):
            self.openids.append(new_openid(self._app_id, self._draw))
            return self.openids[-1]
        return self._draw.choice(others)

    async def _push(self, openid: str, act: Act, at: datetime | None) -> Delivery:
        platform, app_id, draw = self._platform, self._app_id, self._draw
        if act in WEIGHTS_AWAY:
            scene = draw.choice(SCENES) if act is Act.FOLLOW_BY_SCAN else None
            return await platform.follow(app_id, openid, scene, at)
        if act is Act.UNFOLLOW:
            return await platform.unfollow(app_id, openid, at)
        if act is Act.SCAN:
            return await platform.scan(app_id, openid, draw.choice(SCENES), at)
        if act in MESSAGES:
            kind, choices = MESSAGES[act]
            return await platform.message(app_id, openid, kind, dict(draw.choice(choices)), at)
        kind, choices = EVENTS[act]
        return await platform.event(app_id, openid, kind, dict(draw.choice(choices)), at)
