"""Keep over several calls for a channel what each of them needs: the token, calls that are counted, the turn to tag.

What a process that dies has kept is lost: calls that were counted and not made, and the turn until its time is over.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from service.domain.official_account import quotas
from service.domain.official_account.tokens import LEASE_MARGIN, POLL_INTERVAL, access_token
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.wechat_accounts import CallQuota
from service.storage import wechat_accounts

# So soon it is noticed that another process has stopped the account.
READ_TOKEN_AGAIN_AFTER: Final = timedelta(seconds=5)
# So many are lost at most when a process dies, and so late it is noticed that another one has closed the path.
MAX_COUNTED_AHEAD: Final = 20


class CallSeries:
    """Keep what the calls of a path need, of which about `calls` are left to be made; several may be under way."""

    def __init__(self, runtime: Runtime, channel: Channel, path: str, calls: int) -> None:
        self._runtime, self._channel, self._path = runtime, channel, path
        self._calls = calls
        self._turn = _TaggingTurn(runtime, channel)
        self._token: str | None = None
        self._token_until: datetime | None = None
        self._counted: CallQuota | None = None
        self._unused = 0
        self._counting = asyncio.Lock()

    async def token(self, *, dead: str | None = None) -> str:
        """Return the token as `access_token` does, and raise what that raises."""
        now = self._runtime.clock()
        if self._token is None or self._token == dead or self._token_until is None or now >= self._token_until:
            self._token = await access_token(self._runtime, self._channel, dead=dead)
            self._token_until = now + READ_TOKEN_AGAIN_AFTER
        return self._token

    async def count(self) -> CallQuota:
        """Count a call that is about to be made, unless one is left of those that were counted together.

        Raises CallLaterError where the day's quota or the rate is used up.
        """
        async with self._counting:
            if self._unused and not self._in_time():
                await self._give_back()
            if not self._unused:
                self._counted, self._unused = await self._count_some()
            assert self._counted is not None  # noqa: S101 - some were counted just now or before
            self._unused -= 1
            self._calls -= 1
            return self._counted

    async def not_made(self, counted: CallQuota) -> None:
        """Let the next call have the count of one that was certainly not made."""
        async with self._counting:
            self._calls += 1
            if counted is self._counted:
                self._unused += 1
            else:
                await quotas.give_back(self._runtime, self._channel, self._path, counted, 1)

    async def take_turn(self) -> None:
        """Wait until no other process makes an exclusive call, and keep others waiting."""
        await self._turn.take()

    async def look_again(self) -> None:
        """Read anew whatever may have changed, as a call failed."""
        self._token = None
        async with self._counting:
            await self._give_back()

    async def end(self) -> None:
        """Give back what was not used; no call may be under way."""
        await self._give_back()
        await self._turn.end()

    async def _count_some(self) -> tuple[CallQuota, int]:
        """Count the next calls, as many as are left, or one where so many are not allowed or no quota is known yet."""
        known = self._counted is not None and self._counted.daily_limit is not None
        calls = min(self._calls, MAX_COUNTED_AHEAD) if known else 1
        if calls > 1 and (counted := await quotas.count_calls(self._runtime, self._channel, self._path, calls)):
            return counted, calls
        return await quotas.reserve_call(self._runtime, self._channel, self._path), 1

    def _in_time(self) -> bool:
        """Tell whether what was counted counts now, by the day and by the window of the rate."""
        return self._counted is not None and quotas.counts_now(self._runtime, self._counted)

    async def _give_back(self) -> None:
        if self._counted is None or not self._unused:
            return
        unused, self._unused = self._unused, 0
        await quotas.give_back(self._runtime, self._channel, self._path, self._counted, unused)


@asynccontextmanager
async def call_series(runtime: Runtime, channel: Channel, path: str, calls: int) -> AsyncGenerator[CallSeries]:
    """Keep what about so many calls of a path need over all of them that are made in the block."""
    series = CallSeries(runtime, channel, path, calls)
    try:
        yield series
    finally:
        await series.end()


class _TaggingTurn:
    """Keep the account's turn to tag over several calls, so that it need not be taken and ended for each of them."""

    def __init__(self, runtime: Runtime, channel: Channel) -> None:
        self._runtime, self._channel = runtime, channel
        self._number: int | None = None
        self._until: datetime | None = None

    async def take(self) -> None:
        """Wait until no other process makes an exclusive call, and keep others waiting for as long as one may take."""
        call_within = self._runtime.settings.wechat.call_within
        if self._until is not None and self._runtime.clock() + call_within <= self._until:
            return
        await self.end()
        self._number, self._until = await self._begin()

    async def end(self) -> None:
        """Let others tag, unless the turn is over by now."""
        if self._number is None:
            return
        async with self._runtime.pool.acquire() as conn:
            await wechat_accounts.end_tagging(conn, self._channel.channel_id, self._number)
        self._number = self._until = None

    async def _begin(self) -> tuple[int, datetime]:
        while True:
            now = self._runtime.clock()
            until = now + self._runtime.settings.wechat.call_within + LEASE_MARGIN
            async with self._runtime.pool.acquire() as conn:
                number = await wechat_accounts.begin_tagging(conn, self._channel.channel_id, now, until)
            if number is not None:
                return number, until
            await asyncio.sleep(POLL_INTERVAL)
