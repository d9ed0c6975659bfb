"""Ask WeChat about mass messages of which it pushed no result, now and then, and about a few at a time."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.demo.wechat_api.outcomes import Outcome as Ordered
from service.domain.broadcasts.results.polling import ask_for_results, channels_with_overdue_results
from service.domain.channels.binding import ChannelDetails, Credentials, bind_channel
from service.domain.official_account.calling import call_wechat
from service.domain.runtime import Runtime
from service.entities.broadcasts import MessageKind
from service.entities.channels import Channel, ChannelKind
from service.entities.jobs import Job
from service.foundation.settings import Settings, WechatCalls
from service.wechat.api.message_calls import MassText, send_to_many
from tests.dev.wechat_api.wechat import ACCOUNT, Wechat, open_wechat
from tests.domain.broadcasts.results.sent import SentMessages, taken
from tests.support.runtime import admin, open_runtime

MASS_GET = "/cgi-bin/message/mass/get"
SECRET = "c0ffee11c0ffee11c0ffee11c0ffee11"
MINUTES = timedelta(minutes=1)


@pytest.fixture
async def wechat() -> AsyncIterator[Wechat]:
    """Serve the imitated server API."""
    async with open_wechat() as running:
        running.platform.register(replace(ACCOUNT, secret=SECRET))
        yield running


@pytest.fixture
async def runtime(database_url: str, wechat: Wechat) -> AsyncIterator[Runtime]:
    """Call the imitation, by its clock."""
    settings = Settings(wechat_api_url=wechat.url, wechat=WechatCalls(retry_after=timedelta(milliseconds=1)))
    async with open_runtime(database_url, wechat.clock, settings=settings) as running:
        yield running


@pytest.fixture
async def channel(runtime: Runtime) -> Channel:
    """Bind the imitated account with its app secret."""
    credentials = Credentials(app_secret=SECRET)
    details = ChannelDetails(ChannelKind.SERVICE_ACCOUNT, ACCOUNT.app_id, "An account", True, credentials)
    return await bind_channel(runtime, admin(), details)


async def send(sent: SentMessages, wechat: Wechat, status: str = "send success") -> Job:
    """Send a chunk to three people, of which no result is pushed, and return its broadcast."""
    people = await sent.people(3)
    wechat.follow(*people)
    job = await sent.claim(MessageKind.MASS_TEXT, list(people.values()))
    wechat.books.outcomes.add("/cgi-bin/message/mass/send", Ordered(status=status, lost=True))
    call = send_to_many(list(people), MassText("Sale"), f"c-{job.job_id}")
    answer = await call_wechat(sent.book.runtime, sent.book.channel, call)
    await sent.chunk_outcome(job, taken(answer.msg_id))
    return job


def asked(wechat: Wechat) -> int:
    """Return how often WeChat was asked."""
    return wechat.books.calls.count(ACCOUNT.app_id, MASS_GET)


@pytest.mark.parametrize(
    ("status", "word", "count", "delivered"),
    [("send success", "SEND_SUCCESS", None, None), ("err(20001)", "SEND_FAIL", 0, 0)],
)
async def test_a_result_that_did_not_come_is_asked_for(
    sent: SentMessages,
    wechat: Wechat,
    channel: Channel,
    status: str,
    word: str,
    count: int | None,
    delivered: int | None,
) -> None:
    job = await send(sent, wechat, status)
    wechat.clock.advance(9 * MINUTES)
    assert await channels_with_overdue_results(sent.book.runtime) == []
    wechat.clock.advance(2 * MINUTES)
    assert await channels_with_overdue_results(sent.book.runtime) == [channel.channel_id]

    assert await ask_for_results(sent.book.runtime, channel) == 1

    assert await sent.chunk(job) == ("SENT", word, count)
    assert await sent.delivered(job) == delivered
    assert await channels_with_overdue_results(sent.book.runtime) == []
    assert (await sent.book.counts(job))["sent"] == 3


async def test_a_push_that_comes_at_last_tells_more(sent: SentMessages, wechat: Wechat, channel: Channel) -> None:
    job = await send(sent, wechat)
    wechat.clock.advance(11 * MINUTES)
    await ask_for_results(sent.book.runtime, channel)
    msg_id = await sent.book.runtime.pool.fetchval("select msg_id from broadcast_chunk")

    await sent.push(sent.mass_result(msg_id, 3, 2))

    assert await sent.chunk(job) == ("SENT", "send success", 2)
    assert await sent.delivered(job) == 2


async def test_a_push_that_came_is_not_asked_for(sent: SentMessages, wechat: Wechat, channel: Channel) -> None:
    job = await send(sent, wechat)
    msg_id = await sent.book.runtime.pool.fetchval("select msg_id from broadcast_chunk")
    await sent.push(sent.mass_result(msg_id, 3, 3))
    wechat.clock.advance(11 * MINUTES)

    assert await ask_for_results(sent.book.runtime, channel) == 0

    assert asked(wechat) == 0
    assert await sent.delivered(job) == 3


async def test_one_that_is_being_sent_is_asked_about_again_later(
    sent: SentMessages, wechat: Wechat, channel: Channel
) -> None:
    await send(sent, wechat)
    runtime = sent.book.runtime
    for each in wechat.account.mass.sends.values():
        each.ends_at = wechat.clock() + timedelta(hours=1)
    wechat.clock.advance(11 * MINUTES)
    assert await ask_for_results(runtime, channel) == 0
    assert await ask_for_results(runtime, channel) == 0
    assert asked(wechat) == 1

    wechat.clock.advance(60 * MINUTES)

    assert await ask_for_results(runtime, channel) == 1
    assert asked(wechat) == 2


async def test_it_is_not_asked_about_for_ever(sent: SentMessages, wechat: Wechat, channel: Channel) -> None:
    await send(sent, wechat)

    wechat.clock.advance(timedelta(days=3, seconds=1))

    assert await channels_with_overdue_results(sent.book.runtime) == []
    assert await ask_for_results(sent.book.runtime, channel) == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=FaultKind.ERROR, code=40059, times=None),
        Fault(kind=FaultKind.ERROR, code=45009, times=None),
        Fault(kind=FaultKind.RESET, times=None),
    ],
)
async def test_where_wechat_does_not_tell_the_result_is_open(
    sent: SentMessages, wechat: Wechat, channel: Channel, fault: Fault
) -> None:
    job = await send(sent, wechat)
    wechat.clock.advance(11 * MINUTES)
    wechat.books.faults.add(MASS_GET, fault)

    assert await ask_for_results(sent.book.runtime, channel) == 0
    assert await sent.chunk(job) == ("SENT", None, None)

    wechat.books.faults.clear()
    wechat.clock.advance(timedelta(days=1))
    assert await ask_for_results(sent.book.runtime, channel) == 1
