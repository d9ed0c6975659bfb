"""An article is sent as it was at the freeze, each chunk with a copy of its own, and no copy is left at WeChat."""

from typing import Any

import pytest

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.domain.broadcasts.sending.articles import delete_leftover_copies, freeze_article
from service.domain.broadcasts.slices import run_broadcast_slice
from service.entities.broadcasts import MessageKind, SendState, WaitReason
from service.entities.expressions import FOLLOWERS, to_json
from service.entities.jobs import Job, JobState
from tests.domain.broadcasts.delivery.office import Office
from tests.support.broadcast_rows import insert_broadcast_of
from tests.support.tags import openid_of, populate

ARTICLE: dict[str, Any] = {"title": "Tea", "content": "<p>Spring tea</p>", "thumb_media_id": "T1"}
SEND, ADD, GET, DELETE = (
    f"/cgi-bin/{name}" for name in ("message/mass/send", "draft/add", "draft/get", "draft/delete")
)
PEOPLE = ["oAda", "oBob", "oCat"]


async def start(office: Office, *openids: str) -> Job:
    """Begin to send the draft of the account."""
    draft = office.books.drafts.add([dict(ARTICLE)], office.wechat.clock())
    message = {"kind": "MASS_ARTICLE", "media_id": draft, "ignore_reprint": False}
    return await office.start(openids, message=message)


def read_by(office: Office, openid: str) -> list[Any]:
    """The articles that reached somebody."""
    return [message.content["articles"][0]["content"] for message in office.books.messages.of(openid)]


async def copies(office: Office) -> list[str]:
    rows = await office.runtime.pool.fetch("select media_id from broadcast_draft")
    return [row["media_id"] for row in rows]


async def cleaned_up(office: Office) -> int:
    return await delete_leftover_copies(office.runtime, office.channel)


async def test_what_is_sent_is_a_copy_of_the_draft(office: Office) -> None:
    await office.follow(*PEOPLE)
    job = await office.send(await start(office, *PEOPLE))

    assert job.state is JobState.DONE
    assert office.books.messages.receipts() == dict.fromkeys(PEOPLE, 1)
    assert read_by(office, "oAda") == ["<p>Spring tea</p>"]
    message = (await office.broadcast(job)).message
    assert list(office.books.drafts.drafts) == [message["media_id"]]
    assert len(await copies(office)) == 1
    # It was used up.
    assert await cleaned_up(office) == 0
    assert await copies(office) == []


async def test_each_chunk_has_a_copy_of_its_own(office: Office) -> None:
    people = [openid_of(ordinal) for ordinal in range(10_002)]
    await populate(office.runtime, office.channel, {4: range(10_002)})
    for openid in people:
        office.books.follow(openid, office.wechat.clock())
    job = await office.send(await start(office, *people))

    assert job.state is JobState.DONE
    assert office.books.messages.receipts() == dict.fromkeys(people, 1)
    chunks = await office.runtime.pool.fetch("select media_id from broadcast_chunk")
    assert len({row["media_id"] for row in chunks}) == len(chunks) == 2


async def test_later_changes_of_the_draft_are_not_sent(office: Office) -> None:
    await office.follow(*PEOPLE)
    job = await start(office, *PEOPLE)
    broadcast = await office.broadcast(job)
    await freeze_article(office.runtime, office.channel, broadcast)
    office.books.drafts.drafts[broadcast.message["media_id"]].articles[0]["content"] = "<p>Changed</p>"

    await office.send(job)

    assert read_by(office, "oAda") == ["<p>Spring tea</p>"]


async def test_a_draft_that_is_gone_pauses_the_broadcast(office: Office) -> None:
    await office.follow(*PEOPLE)
    job = await start(office, *PEOPLE)
    office.books.drafts.drafts.clear()

    job = await office.send(job)

    assert (job.state, (await office.broadcast(job)).waiting_for) == (JobState.PAUSED, WaitReason.REFUSED_MESSAGE)
    assert job.error is not None
    assert job.error.startswith("WeChat answered 40007: ")
    assert await office.planned(job) == set(PEOPLE)
    assert office.books.messages.sendings == []


@pytest.mark.parametrize("path", [GET, ADD])
@pytest.mark.parametrize("accepted", [True, False])
async def test_a_lost_answer_about_the_draft_sends_nobody_twice(office: Office, path: str, accepted: bool) -> None:
    await office.follow(*PEOPLE)
    office.wechat.books.faults.add(path, Fault(kind=FaultKind.RESET, accepted=accepted))

    job = await office.send(await start(office, *PEOPLE))

    assert job.state is JobState.DONE
    assert office.books.messages.receipts() == dict.fromkeys(PEOPLE, 1)


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_lost_answer_to_the_message_is_asked_for_with_the_same_copy(office: Office, accepted: bool) -> None:
    await office.follow(*PEOPLE)
    office.wechat.books.faults.add(SEND, Fault(kind=FaultKind.RESET, accepted=accepted))

    job = await office.send(await start(office, *PEOPLE))

    assert job.state is JobState.DONE
    assert office.books.messages.receipts() == dict.fromkeys(PEOPLE, 1)
    [chunk] = await office.runtime.pool.fetch("select state, media_id from broadcast_chunk")
    assert (chunk["state"], [chunk["media_id"]]) == (SendState.SENT, await copies(office))


async def test_a_copy_that_was_not_used_serves_the_next_chunk_and_is_deleted_in_the_end(office: Office) -> None:
    await office.follow(*PEOPLE)
    office.wechat.books.faults.add(SEND, Fault(kind=FaultKind.ERROR, code=45062, times=2))
    job = await office.send(await start(office, *PEOPLE))
    assert job.state is JobState.PAUSED
    [copy] = await copies(office)
    assert await cleaned_up(office) == 0

    await office.runtime.pool.execute("update job set state = 'QUEUED'")
    job = await office.send(await office.book.take_up(job))
    assert (job.state, await copies(office)) == (JobState.PAUSED, [copy])

    await office.runtime.pool.execute("update job set state = 'CANCELLED'")
    assert await cleaned_up(office) == 1
    assert await copies(office) == []
    assert copy not in office.books.drafts.drafts
    assert office.books.messages.sendings == []


async def test_what_is_gone_already_need_not_be_deleted(office: Office) -> None:
    await office.follow(*PEOPLE)
    office.wechat.books.faults.add(SEND, Fault(kind=FaultKind.ERROR, code=45062))
    await office.send(await start(office, *PEOPLE))
    [copy] = await copies(office)
    del office.books.drafts.drafts[copy]
    await office.runtime.pool.execute("update job set state = 'CANCELLED'")

    assert await cleaned_up(office) == 0
    assert await copies(office) == []


@pytest.mark.parametrize("told", [True, False])
async def test_the_draft_is_read_when_the_audience_is_frozen(office: Office, told: bool) -> None:
    await office.follow(*PEOPLE)
    draft = office.books.drafts.add([dict(ARTICLE)], office.wechat.clock())
    message = {"kind": "MASS_ARTICLE", "media_id": draft, "ignore_reprint": False}
    job = await insert_broadcast_of(
        office.runtime, office.channel, audience=to_json(FOLLOWERS), kind=MessageKind.MASS_ARTICLE, message=message
    )
    if not told:
        office.wechat.books.faults.add(GET, Fault(kind=FaultKind.ERROR, code=-1, times=None))

    job = await run_broadcast_slice(office.runtime, await office.book.take_up(job))

    assert (await office.broadcast(job)).frozen_at is not None
    office.wechat.books.faults.clear()
    office.books.drafts.drafts[draft].articles[0]["content"] = "<p>Changed</p>"
    job = await office.send(job)
    assert job.state is JobState.DONE
    # Where WeChat did not tell it at once, it is what the draft held when it did.
    assert read_by(office, "oAda") == ["<p>Spring tea</p>" if told else "<p>Changed</p>"]
