"""Count what was delivered at once though WeChat tells it before it answers the call."""

from dataclasses import replace

import pytest

from service.dev.demo.wechat_api.faults import FaultKind
from service.domain.broadcasts.results.recording import record_results
from service.entities.broadcasts import MessageKind
from service.entities.jobs import JobState
from service.entities.message_results import MassResult, MessageResult, PushedResult, ResultEvent
from tests.domain.broadcasts.sending.against_wechat.post import Post
from tests.support.runtime import counted_statements

TEMPLATE = MessageKind.TEMPLATE
KINDS = (MessageKind.MASS_TEXT, TEMPLATE)


def results(post: Post, kind: MessageKind) -> list[PushedResult]:
    """Return the results of the messages that are sent next, to three people who are all there are."""
    now = post.wechat.clock()
    if kind.mass:
        return [MassResult(str(post.wechat.account.mass.next_id()), "send success", 3, 3, 3, 0, now)]
    next_id = post.wechat.account.next_message_id() + 1
    return [
        MessageResult(ResultEvent.TEMPLATE, str(next_id + place), openid, "success", True, now)
        for place, openid in enumerate(post.ordinals)
    ]


async def delivered(post: Post) -> int | None:
    found: int | None = await post.runtime.pool.fetchval("select max(delivered) from broadcast")
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_it_counts_as_soon_as_the_answer_is_written_down(post: Post, kind: MessageKind) -> None:
    people = await post.people(3)
    await record_results(post.runtime, post.channel.channel_id, results(post, kind))

    job = await post.send(kind, people)

    assert job.state is JobState.DONE
    assert await delivered(post) == 3


@pytest.mark.parametrize("kind", KINDS)
async def test_it_counts_when_a_repeat_tells_that_a_message_was_sent(post: Post, kind: MessageKind) -> None:
    people = await post.people(3)
    # Neither by the number of people nor by one person can it be found out what they are about.
    pushed: list[PushedResult] = []
    for each in results(post, kind):
        if isinstance(each, MassResult):
            pushed.append(replace(each, total=9))
        elif isinstance(each, MessageResult):
            pushed.append(replace(each, openid="oStranger"))
    post.fault(kind, kind=FaultKind.RESET, accepted=True, times=3)
    await record_results(post.runtime, post.channel.channel_id, pushed)

    job = await post.send(kind, people)

    assert job.state is JobState.DONE
    assert await delivered(post) == 3


async def test_it_costs_one_statement_for_all_who_are_sent_to_at_once(post: Post) -> None:
    people = await post.people(12)
    with counted_statements() as ran:
        await post.send(TEMPLATE, people)
    assert sum("push_result" in each for each in ran) == 1
