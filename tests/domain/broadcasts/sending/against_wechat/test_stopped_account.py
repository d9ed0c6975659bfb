"""Send while WeChat refuses the account: who was refused pauses, and everybody else waits until it is mended."""

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.domain.broadcasts.control.stopping import resume_broadcast
from service.entities.broadcasts import MessageKind
from service.entities.jobs import JobState
from service.wechat.api.account_calls import STABLE_TOKEN
from tests.domain.broadcasts.sending.against_wechat.post import Post
from tests.support.runtime import admin

TEMPLATE = MessageKind.TEMPLATE


async def test_after_a_refusal_of_the_account_the_others_wait_and_go_on_with_the_one_that_is_resumed(
    post: Post,
) -> None:
    people = await post.people(6)
    post.fault(TEMPLATE, kind=FaultKind.ERROR, code=48001, times=None)
    refused = await post.send(TEMPLATE, people[:3])
    calls = post.calls(TEMPLATE)

    other = await post.work(await post.book.insert(TEMPLATE, people[3:]))

    assert (refused.state, await post.waiting_for(refused)) == (JobState.PAUSED, "CONFIGURATION")
    assert (other.state, await post.waiting_for(other)) == (JobState.WAITING, "CONFIGURATION")
    assert other.error is not None
    assert "48001" in other.error
    assert other.resumes_at == post.wechat.clock() + post.runtime.settings.wechat.stop_for
    assert post.calls(TEMPLATE) == calls

    post.wechat.books.faults.clear()
    await resume_broadcast(post.runtime, admin(), refused.channel_id, refused.job_id)

    for job in (refused, other):
        ended = await post.work(job)
        assert (ended.state, ended.error, await post.waiting_for(job)) == (JobState.DONE, None, None)
    assert post.received() == dict.fromkeys(people, 1)


async def test_one_that_only_waits_for_the_account_is_resumed_too(post: Post) -> None:
    people = await post.people(2)
    post.fault(TEMPLATE, kind=FaultKind.ERROR, code=48001)
    await post.send(TEMPLATE, people[:1])
    other = await post.work(await post.book.insert(TEMPLATE, people[1:]))

    await resume_broadcast(post.runtime, admin(), other.channel_id, other.job_id)

    assert (await post.work(other)).state is JobState.DONE


async def test_a_stop_for_a_wrong_secret_is_waited_for_as_configuration(post: Post) -> None:
    people = await post.people(2)
    post.wechat.books.faults.add(STABLE_TOKEN, Fault(kind=FaultKind.ERROR, code=40001))
    refused = await post.send(TEMPLATE, people[:1])
    other = await post.work(await post.book.insert(TEMPLATE, people[1:]))

    assert (refused.state, await post.waiting_for(refused)) == (JobState.PAUSED, "CONFIGURATION")
    assert (other.state, await post.waiting_for(other)) == (JobState.WAITING, "CONFIGURATION")
