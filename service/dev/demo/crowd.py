"""Let an account have followers and tags at WeChat from before it was bound, of whom no push tells."""

import random
from datetime import timedelta
from typing import Final

from service.dev.demo.platform import WechatPlatform
from service.dev.demo.simulated_users import new_openid
from service.dev.demo.wechat_api.books.people import SUBSCRIBE_SCENES

FOLLOWERS: Final = 300
FIRST_FOLLOW: Final = timedelta(days=400)
LAST_FOLLOW: Final = timedelta(days=4)
TAGGED: Final = {"VIP": 40, "Wholesale": 25}
"""Say how many of the followers have which tag, which somebody gave them in WeChat's console."""


def gather_crowd(platform: WechatPlatform, app_id: str) -> None:
    """Let followers be there from before the backlog, some of them tagged; the same ones each time."""
    books, rng = platform.books.accounts[app_id], random.Random(f"{app_id} before")
    openids = [new_openid(app_id, rng) for _ in range(FOLLOWERS)]
    for openid in openids:
        before = rng.uniform(LAST_FOLLOW.total_seconds(), FIRST_FOLLOW.total_seconds())
        user = books.follow(openid, platform.clock() - timedelta(seconds=before))
        user.subscribe_scene = rng.choice(SUBSCRIBE_SCENES)
    for name, size in TAGGED.items():
        tag = books.tags.create(name, platform.clock())
        books.tags.tag(tag.id, rng.sample(openids, size))
