"""Make the calls of a broadcast, each at most once but for tokens that WeChat refuses, and only while it may send.

Source: docs/specification.md §6.6.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from service.domain.broadcasts.sending.judging import (
    BACK_OFF,
    NOT_CALLED,
    Verdict,
    judge_answer,
    judge_delay,
    judge_refusal,
    judge_request,
    judge_silence,
)
from service.domain.official_account import quotas
from service.domain.official_account.acting import refresh_acting
from service.domain.official_account.calling import heed
from service.domain.official_account.refusals import CallLaterError, require_account
from service.domain.official_account.series import CallSeries
from service.domain.runtime import Runtime
from service.entities.broadcasts import MessageKind
from service.entities.channels import Channel
from service.entities.errors import RequestError
from service.entities.jobs import Job
from service.entities.wechat_accounts import CallQuota
from service.storage import jobs
from service.storage.database.pool import DATABASE_ERRORS
from service.wechat.api import message_calls
from service.wechat.api.call import ApiCall
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import TooLateError, UnansweredError, WechatError
from service.wechat.api.message_calls import Sent

# One more, with another token.
MAX_ATTEMPTS: Final = 2


class Gate:
    """Tell whether the job of a broadcast is held and RUNNING still, at an instant after it was asked.

    Calls that ask together share one look at the database. Once it is shut it stays so; while the database is away it
    is only not open.
    """

    def __init__(self, runtime: Runtime, job: Job) -> None:
        self._runtime, self._job = runtime, job
        self._looking = asyncio.Lock()
        self._looks = 0
        self._seen_open = False
        self._shut = False

    def shut(self) -> None:
        """Let nobody pass from now on."""
        self._shut = True

    async def is_open(self) -> bool:
        """Return whether a call may begin now."""
        before = self._looks
        async with self._looking:
            if not self._shut and self._looks == before:
                self._looks += 1
                self._seen_open = False
                await self._look()
        return self._seen_open and not self._shut

    async def _look(self) -> None:
        with suppress(*DATABASE_ERRORS):
            async with self._runtime.pool.acquire() as conn:
                self._seen_open = await jobs.is_held(conn, self._job)
            self._shut = self._shut or not self._seen_open


@dataclass(slots=True)
class Caller:
    """Make the calls of one job of a channel, with one token for all of them, while its gate is open."""

    runtime: Runtime
    channel: Channel
    gate: Gate
    series: CallSeries
    _quota_was_asked: bool = field(default=False, init=False)

    async def call(self, call: ApiCall[Sent], call_before: float) -> Verdict:
        """Return what is known after a call, which begins before an instant of the monotonic clock or not at all."""
        dead: str | None = None
        for attempt in range(MAX_ATTEMPTS):
            try:
                await refresh_acting(self.runtime)
                require_account(self.runtime, self.channel)
                token = await self.series.token(dead=dead)
                if not await self.gate.is_open():
                    # It stays shut, so that going on would be claiming in vain.
                    return Verdict(None, BACK_OFF, called=False)
                return judge_answer(await self.runtime.wechat.send(call, token, call_before=call_before))
            except WechatError as error:
                if error.decision is Decision.REFRESH and error.path == call.path and attempt + 1 < MAX_ATTEMPTS:
                    dead = token
                    continue
                return await self._judge(error, call.path)
            except TooLateError:
                return NOT_CALLED
            except UnansweredError as error:
                return judge_silence(error) if error.path == call.path else Verdict(None, BACK_OFF, called=False)
            except CallLaterError as error:
                # There was no token to call with.
                return replace(judge_delay(error), called=False)
            except RequestError as error:
                return judge_request(error)
        raise AssertionError("the last attempt returns")

    async def learn_quota(self, path: str, counted: CallQuota) -> None:
        """Ask WeChat for the quota of calls that it has just answered, once, where it is not known."""
        if counted.daily_limit is None and not self._quota_was_asked:
            self._quota_was_asked = True
            with suppress(CallLaterError, RequestError, UnansweredError, WechatError):
                await quotas.learn_quota(self.runtime, self.channel, path, await self.series.token())

    async def _judge(self, error: WechatError, path: str) -> Verdict:
        verdict = judge_refusal(error, self.runtime.clock())
        try:
            if error.decision is not Decision.WAIT_FOR_ADMIN:
                await heed(self.runtime, self.channel, error)
        except CallLaterError as later:
            verdict = judge_delay(later)
        if error.path != path:
            # It was about the token.
            return Verdict(None, verdict.stop, called=False)
        return verdict


def path_of(kind: MessageKind, *, to_tag: bool = False) -> str:
    """Return the path of the calls that send messages of a kind to people, mass messages also to a remote tag."""
    match kind:
        case MessageKind.MASS_TEXT | MessageKind.MASS_IMAGE | MessageKind.MASS_ARTICLE:
            return message_calls.MASS_SEND_TO_TAG if to_tag else message_calls.MASS_SEND
        case MessageKind.TEMPLATE:
            return message_calls.TEMPLATE_SEND
        case MessageKind.CUSTOMER_SERVICE_TEXT:
            return message_calls.CUSTOMER_SERVICE_SEND
        case MessageKind.SERVICE_SUBSCRIPTION:
            return message_calls.SERVICE_SUBSCRIPTION_SEND
        case MessageKind.MINI_PROGRAM_SUBSCRIPTION:
            return message_calls.MINI_PROGRAM_SUBSCRIPTION_SEND
        case _:
            assert_never(kind)
