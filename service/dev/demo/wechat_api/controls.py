"""Read the books over HTTP, and order faults, switches, quotas and the time, for programs elsewhere.

Bodies and answers are JSON objects with the names of the fields here; a wrong one is answered 47001.
"""

from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from starlette.requests import Request

from service.dev.demo.wechat_api.behaviour import Behaviour
from service.dev.demo.wechat_api.books.accounts import AccountBooks
from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.errors import ApiError
from service.dev.demo.wechat_api.faults import Fault
from service.dev.demo.wechat_api.limits import Quota
from service.dev.demo.wechat_api.message_controls import summary_of_messages
from service.dev.demo.wechat_api.orders import DONE, account_of, read_order
from service.dev.demo.wechat_api.plan import EVERY_PATH


@dataclass(frozen=True, slots=True)
class CrowdSize:
    """Ask for computed followers, the first of whom followed at `first_followed_at`."""

    size: int
    first_followed_at: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    unionids: bool = True


@dataclass(slots=True, kw_only=True)
class FaultOrder(Fault):
    """Ask for a fault of a path, or of every path."""

    path: str = EVERY_PATH


@dataclass(frozen=True, slots=True)
class QuotaOrder:
    """Ask for another quota of a path."""

    path: str
    quota: Quota


@dataclass(frozen=True, slots=True)
class ClockOrder:
    """Ask for a clock that runs so many seconds ahead of the system's."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CallbackOrder:
    """Ask for pushes to another address, which is not verified."""

    url: str | None


@dataclass(frozen=True, slots=True)
class MigrationOrder:
    """Ask for the followers of another account."""

    from_app_id: str


class BookControls:
    """Answer the control calls on the books of the server API."""

    def __init__(self, books: WechatBooks) -> None:
        self._books = books

    async def books(self, _: Request) -> dict[str, Any]:
        """Return what is in the books of each account: followers, tags, tokens issued, and calls."""
        return {"now": self._books.now(), "accounts": [self._account(each) for each in self._books.accounts.values()]}

    async def tag_members(self, request: Request) -> dict[str, Any]:
        """Return the openids of everybody who has a tag."""
        tag = account_of(self._books, request).tags.tags.get(request.path_params["tag_id"])
        if tag is None:
            raise ApiError(45159)
        return {"openids": sorted(tag.members)}

    async def recent_calls(self, _: Request) -> dict[str, Any]:
        """Return the newest calls, the oldest first, without their secrets."""
        return {
            "calls": [
                {"path": each.path, "appId": each.app_id, "at": each.at, "outcome": each.outcome, "body": each.payload}
                for each in self._books.calls.recent
            ]
        }

    async def order_fault(self, request: Request) -> dict[str, Any]:
        """Order a fault."""
        order = await read_order(request, FaultOrder)
        self._books.faults.add(order.path, order)
        return DONE

    async def clear_faults(self, _: Request) -> dict[str, Any]:
        """Forget all faults to come, and let go what is held."""
        self._books.faults.clear()
        return DONE

    async def change_behaviour(self, request: Request) -> dict[str, Any]:
        """Change the switches that are named in the body."""
        found = await read_order(request, dict[str, Any])
        changed = TypeAdapter(Behaviour).validate_python({**asdict(self._books.behaviour), **found})
        for name, value in asdict(changed).items():
            setattr(self._books.behaviour, name, value)
        return DONE

    async def move_clock(self, request: Request) -> dict[str, Any]:
        """Let the clock run ahead of the system's, or behind it."""
        self._books.clock_offset = timedelta(seconds=(await read_order(request, ClockOrder)).seconds)
        return DONE

    async def set_crowd(self, request: Request) -> dict[str, Any]:
        """Let a crowd follow an account."""
        asked = await read_order(request, CrowdSize)
        account_of(self._books, request).people.set_crowd(asked.size, asked.first_followed_at, asked.unionids)
        return DONE

    async def set_quota(self, request: Request) -> dict[str, Any]:
        """Change the quota of a path."""
        order = await read_order(request, QuotaOrder)
        account_of(self._books, request).quotas.set_quota(order.path, order.quota)
        return DONE

    async def set_callback(self, request: Request) -> dict[str, Any]:
        """Change the address of the pushes of an account, or let it have none."""
        order, account = await read_order(request, CallbackOrder), account_of(self._books, request).account
        self._books.register(replace(account, callback_url=order.url))
        return DONE

    async def kill_tokens(self, request: Request) -> dict[str, Any]:
        """Refuse all tokens of an account from now on, which only a forced refresh cures."""
        self._books.tokens.kill(account_of(self._books, request).account.app_id, self._books.now())
        return DONE

    async def migrate(self, request: Request) -> dict[str, Any]:
        """Migrate the followers of another account to this one."""
        origin = (await read_order(request, MigrationOrder)).from_app_id
        if origin not in self._books.accounts:
            raise ApiError(40013)
        self._books.migrate(origin, account_of(self._books, request).account.app_id)
        return DONE

    def _account(self, books: AccountBooks) -> dict[str, Any]:
        app_id = books.account.app_id
        return {
            "appId": app_id,
            "followers": books.people.follower_count(),
            "blacklisted": list(books.blacklist),
            "tags": [{"id": tag.id, "name": tag.name, "members": len(tag.members)} for tag in books.tags.tags.values()],
            "memberships": {"changed": books.tags.changed, "unchanged": books.tags.unchanged},
            "messages": summary_of_messages(books, self._books.now()),
            "tokensIssued": [
                {"space": token.space, "at": token.issued_at}
                for token in self._books.tokens.issued
                if token.app_id == app_id
            ],
            "calls": self._calls(app_id),
        }

    def _calls(self, app_id: str) -> dict[str, Any]:
        log = self._books.calls
        outcomes: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for (owner, path, outcome), number in log.outcomes.items():
            if owner == app_id:
                outcomes[path][str(outcome)] = number
        groups = [group for owner, group in log.peaks if owner == app_id]
        return {
            group: {
                "outcomes": outcomes.get(group, {}),
                "running": log.running[app_id, group],
                "peak": log.peaks[app_id, group],
            }
            for group in groups
        }
