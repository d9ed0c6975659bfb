"""Put the books of all accounts together with the clock, the switches and the faults of the imitated server API."""

from collections.abc import Callable
from datetime import datetime, timedelta

from service.dev.demo.wechat_api.behaviour import Behaviour
from service.dev.demo.wechat_api.books.accounts import Account, AccountBooks
from service.dev.demo.wechat_api.books.call_log import CallLog
from service.dev.demo.wechat_api.books.tokens import TokenBook
from service.dev.demo.wechat_api.faults import FaultPlan
from service.dev.demo.wechat_api.limits import Limits
from service.dev.demo.wechat_api.outcomes import Outcome
from service.dev.demo.wechat_api.plan import Plan
from service.foundation.clock import system_clock


class WechatBooks:
    """Hold everything the imitation knows; tests read and change it as they like."""

    def __init__(self, clock: Callable[[], datetime] = system_clock, limits: Limits | None = None) -> None:
        self.clock = clock
        self.clock_offset = timedelta()
        self.limits = limits or Limits()
        self.behaviour = Behaviour()
        self.faults = FaultPlan()
        self.outcomes: Plan[Outcome] = Plan()
        self.tokens = TokenBook(self.limits, self.behaviour)
        self.calls = CallLog()
        self.accounts: dict[str, AccountBooks] = {}

    def now(self) -> datetime:
        """Return the time of the platform."""
        return self.clock() + self.clock_offset

    def register(self, account: Account) -> AccountBooks:
        """Open an account, or replace its configuration; its books stay."""
        books = self.accounts.setdefault(account.app_id, AccountBooks(account, self.limits))
        books.account = account
        return books

    def migrate(self, from_app_id: str, to_app_id: str) -> None:
        """Move whoever follows one account, as far as known one by one, to another; each gets a new openid there.

        Source: developers.weixin.qq.com, "account migration" under `/doc/service/guide/product`.
        """
        old, new = self.accounts[from_app_id], self.accounts[to_app_id]
        mapping = new.migrated.setdefault(from_app_id, {})
        for number, openid in enumerate(old.people.followers_after("", old.people.follower_count())):
            moved = new.people.user(f"oMoved{number:022d}")
            found = old.people.user(openid)
            moved.following, moved.followed_at, moved.unionid = True, found.followed_at, found.unionid
            moved.subscribe_scene = "ADD_SCENE_ACCOUNT_MIGRATION"
            mapping[openid] = moved.openid
