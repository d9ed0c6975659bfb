"""Do what each error code asks for, at the request for a token and at a call, by the books of the imitation."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.refusals import CallLaterError
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.foundation.settings import Settings
from service.wechat.api.account_calls import STABLE_TOKEN
from service.wechat.api.decisions import DECISIONS, Decision, decide
from service.wechat.api.errors import WechatError
from service.wechat.api.tag_calls import list_tags, tag_users
from tests.dev.wechat_api.wechat import Wechat

TAGS = "/cgi-bin/tags/get"
UNDOCUMENTED = 99_999
LEFT_TO_THE_CALLER = [
    *(Decision.PARTIAL, Decision.SKIP_PERSON, Decision.PERSON_UNREACHABLE),
    *(Decision.ALREADY_DONE, Decision.OUR_FAULT, Decision.UNKNOWN),
]


class Account:
    """Call for one account of the imitation, and count the calls since the last look."""

    def __init__(self, runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
        self.runtime = runtime
        self.channel = channel
        self.wechat = wechat
        self._seen: Counter[str] = Counter()

    def each_code(self, *decisions: Decision) -> Iterator[int]:
        """Yield every code with one of these decisions, each on a day of its own and without a token."""
        for code in [*sorted(DECISIONS), UNDOCUMENTED]:
            if decide(code) in decisions:
                self.wechat.clock.advance(timedelta(days=2))
                self.wechat.books.faults.clear()
                self.new_calls()
                yield code

    def new_calls(self) -> dict[str, int]:
        """Return how often each path was called since the last look."""
        seen: Counter[str] = Counter()
        for (_, path, _), number in self.wechat.books.calls.outcomes.items():
            seen[path] += number
        new = seen - self._seen
        self._seen = seen
        new.pop("/cgi-bin/openapi/quota/get", None)
        return dict(new)

    def refuse(self, path: str, code: int, times: int | None = 1) -> None:
        """Let the next calls of a path be answered by a code."""
        self.wechat.books.faults.add(path, Fault(kind=FaultKind.ERROR, code=code, times=times))

    async def list_tags(self) -> bool:
        """Return whether tags came."""
        found = await call_wechat(self.runtime, self.channel, list_tags())
        return bool(found)

    async def refusal(self) -> WechatError | CallLaterError:
        """Return what a call ends with."""
        with pytest.raises((WechatError, CallLaterError)) as raised:
            await self.list_tags()
        assert isinstance(raised.value, WechatError | CallLaterError)
        return raised.value

    async def held_back(self) -> CallLaterError:
        """Return why no call is made."""
        found = await self.refusal()
        assert isinstance(found, CallLaterError)
        return found


@pytest.fixture
def account(runtime: Runtime, channel: Channel, wechat: Wechat) -> Account:
    return Account(runtime, channel, wechat)


async def test_a_call_is_repeated_after_codes_that_pass(account: Account) -> None:
    for code in account.each_code(Decision.REFRESH, Decision.BACK_OFF):
        account.refuse(TAGS, code)

        assert await account.list_tags()
        assert account.new_calls()[TAGS] == 2


async def test_repeats_are_bounded(account: Account, settings: Settings) -> None:
    for code in account.each_code(Decision.BACK_OFF):
        account.refuse(TAGS, code, times=None)

        assert (await account.refusal()).errcode == code
        assert account.new_calls() == {STABLE_TOKEN: 1, TAGS: settings.wechat.attempts}


async def test_the_token_is_refreshed_once_only(account: Account) -> None:
    for code in account.each_code(Decision.REFRESH):
        account.refuse(TAGS, code, times=None)

        assert (await account.refusal()).errcode == code
        # For the first call, then the same one again, then a forced one.
        assert account.new_calls() == {STABLE_TOKEN: 3, TAGS: 2}


async def test_the_account_is_stopped_for_a_while(account: Account, settings: Settings) -> None:
    pauses = {89506: timedelta(hours=24), 89507: timedelta(hours=1)}
    for code in account.each_code(Decision.STOP_ACCOUNT, Decision.WAIT_FOR_ADMIN):
        account.refuse(TAGS, code)

        assert (await account.refusal()).errcode == code
        stop = await account.held_back()
        assert stop.errcode == code
        assert stop.until == account.wechat.clock() + pauses.get(code, settings.wechat.stop_for)
        assert account.new_calls()[TAGS] == 1
        account.wechat.clock.now = stop.until
        assert await account.list_tags()


async def test_calls_of_one_kind_wait_for_their_quota(account: Account) -> None:
    account.wechat.follow("oAda")
    for code in account.each_code(Decision.WAIT_FOR_QUOTA, Decision.SLOW_DOWN):
        account.refuse(TAGS, code)

        first, second = await account.held_back(), await account.held_back()
        assert first.until == second.until
        with pytest.raises(WechatError):  # another kind of call is made: there is no such tag
            await call_wechat(account.runtime, account.channel, tag_users(100, ["oAda"]))
        assert account.new_calls()[TAGS] == 1
        account.wechat.clock.now = first.until
        assert await account.list_tags()


@pytest.mark.parametrize("decision", LEFT_TO_THE_CALLER)
async def test_other_codes_are_left_to_the_caller(account: Account, decision: Decision) -> None:
    for code in account.each_code(decision):
        account.refuse(TAGS, code)

        refusal = await account.refusal()
        assert isinstance(refusal, WechatError)
        assert (refusal.errcode, refusal.decision) == (code, decision)
        assert refusal.rid
        assert account.new_calls()[TAGS] == 1
        assert await account.list_tags()


async def test_a_refused_request_for_a_token_is_repeated_only_after_codes_that_pass(
    account: Account, settings: Settings
) -> None:
    for code in account.each_code(*Decision):
        account.refuse(STABLE_TOKEN, code, times=settings.wechat.attempts)

        assert (await account.refusal()).errcode == code
        passes = decide(code) is Decision.BACK_OFF
        assert account.new_calls() == {STABLE_TOKEN: settings.wechat.attempts if passes else 1}


async def test_a_token_that_was_refused_is_not_asked_for_at_every_call(account: Account) -> None:
    for code in account.each_code(
        *(Decision.REFRESH, Decision.STOP_ACCOUNT, Decision.WAIT_FOR_ADMIN),
        *(Decision.SLOW_DOWN, Decision.WAIT_FOR_QUOTA),
    ):
        account.refuse(STABLE_TOKEN, code)

        await account.refusal()
        stop = await account.held_back()
        assert account.new_calls() == {STABLE_TOKEN: 1}
        account.wechat.clock.now = stop.until
        assert await account.list_tags()


async def test_an_address_that_wechat_refuses_is_named_in_the_log(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    account.refuse(STABLE_TOKEN, 40164)

    await account.refusal()

    assert "Allow 127.0.0.1 in the IP whitelist" in caplog.text
