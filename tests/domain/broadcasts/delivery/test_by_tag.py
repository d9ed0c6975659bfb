"""Subscription accounts send to a tag: a synced one if it is exactly right, else a temporary one, else none."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.behaviour import BadOpenid
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.domain.broadcasts.sending.tag_deletion import delete_finished_tags
from service.entities.broadcasts import HeldReason, WaitReason
from service.entities.expressions import tag, to_json
from service.entities.jobs import Job, JobState
from service.entities.remote_tags import RemoteAdditions
from service.storage import remote_tags
from tests.domain.broadcasts.delivery.office import Office

SENDALL, SEND = "/cgi-bin/message/mass/sendall", "/cgi-bin/message/mass/send"
CREATE, TAG, READ = "/cgi-bin/tags/create", "/cgi-bin/tags/members/batchtagging", "/cgi-bin/user/tag/get"
PEOPLE = ["oAda", "oBob", "oCat"]
OURS = 9


@pytest.fixture
async def office(subscription_office: Office) -> Office:
    await subscription_office.follow(*PEOPLE, "oEve")
    return subscription_office


def tagged(office: Office, remote_tag_id: int) -> set[str]:
    """Return who has a remote tag."""
    return set(office.books.tags.tags[remote_tag_id].members_after("", 100))


def temporary_tags(office: Office) -> list[int]:
    return [each.id for each in office.books.tags.tags.values() if each.name.startswith("bc-")]


async def sync(office: Office, *openids: str) -> int:
    """Link our tag to a remote one that these people have."""
    remote = office.books.tags.create("VIP", office.wechat.clock())
    office.books.tags.tag(remote.id, openids)
    await office.runtime.pool.execute(
        "insert into tag (channel_id, tag_id, kind, category, name, state, created_at, updated_at) "
        "values ($1, $2, 'RETURN', 'Level', 'VIP', 'ACTIVE', now(), now())",
        office.channel.channel_id,
        OURS,
    )
    async with office.runtime.pool.acquire() as conn:
        await remote_tags.link_tag(
            conn,
            office.channel.channel_id,
            OURS,
            remote_tag_id=remote.id,
            remote_name="VIP",
            keep_in_sync=False,
            remote_additions=RemoteAdditions.KEEP,
            job_id=1,
            now=office.wechat.clock(),
        )
    return remote.id


async def start(office: Office, openids: Iterable[str] = PEOPLE, *, temporary: bool = True) -> Job:
    return await office.start(openids, audience=to_json(tag(OURS)), temporary_tag=temporary)


async def done(office: Office, job: Job) -> Job:
    """Send a broadcast to its end, at which exactly the planned people got it once, by one call."""
    job = await office.send(job)
    assert job.state is JobState.DONE, job.error
    assert office.books.messages.sent.total() == len(office.books.messages.receipts())
    assert set(office.books.messages.receipts().values()) == {1}
    return job


async def paused(office: Office, job: Job) -> str:
    """Send a broadcast until it pauses with everybody planned; why it does."""
    job = await office.send(job)
    assert (job.state, (await office.broadcast(job)).waiting_for) == (JobState.PAUSED, WaitReason.CONFIGURATION)
    assert await office.planned(job) == set(PEOPLE)
    assert office.books.messages.sendings == []
    return job.error or ""


async def test_it_goes_straight_to_a_synced_tag_that_is_exactly_right(office: Office) -> None:
    remote = await sync(office, *PEOPLE)

    job = await done(office, await start(office, temporary=False))

    assert set(office.books.messages.receipts()) == set(PEOPLE)
    assert await office.book.counts(job) == {"planned": 0, "sent": 3, "failed": 0, "uncertain": 0, "held": 0}
    [chunk] = await office.runtime.pool.fetch("select remote_tag_id, people from broadcast_chunk")
    assert (chunk["remote_tag_id"], chunk["people"]) == (remote, 3)
    assert temporary_tags(office) == []


@pytest.mark.parametrize("others", [PEOPLE[:2], [*PEOPLE, "oEve"], [*PEOPLE, "oUnknown"], []])
async def test_otherwise_it_says_why_it_is_not_sent(office: Office, others: list[str]) -> None:
    office.books.follow("oUnknown", office.wechat.clock())
    await sync(office, *others)

    assert "not exactly the people" in await paused(office, await start(office, temporary=False))


async def test_without_a_synced_tag_it_says_what_it_needs(office: Office) -> None:
    assert "to one of its own tags" in await paused(office, await start(office, temporary=False))


async def test_a_temporary_tag_is_made_for_exactly_these_people(office: Office) -> None:
    await sync(office, "oEve")

    job = await done(office, await start(office))

    assert set(office.books.messages.receipts()) == set(PEOPLE)
    [temporary] = temporary_tags(office)
    assert office.books.tags.tags[temporary].name == f"bc-{(await office.broadcast(job)).token}"
    assert tagged(office, temporary) == set(PEOPLE)


async def test_it_is_deleted_when_the_message_has_arrived(office: Office) -> None:
    job = await done(office, await start(office))
    [temporary] = temporary_tags(office)

    async def cleaned_up() -> int:
        return await delete_finished_tags(office.runtime, office.channel)

    assert await cleaned_up() == 0
    await office.runtime.pool.execute("update broadcast_chunk set status = 'SENDING'")
    assert await cleaned_up() == 0
    await office.runtime.pool.execute("update broadcast_chunk set status = 'send success'")
    assert await cleaned_up() == 1
    assert temporary not in office.books.tags.tags
    assert await cleaned_up() == 0
    assert (await office.broadcast(job)).sent == 3


async def test_it_is_deleted_in_the_end_if_nobody_tells_that_the_message_has_arrived(office: Office) -> None:
    await done(office, await start(office))
    office.wechat.clock.advance(timedelta(days=3, seconds=1))

    assert await delete_finished_tags(office.runtime, office.channel) == 1
    assert temporary_tags(office) == []


async def test_one_that_is_not_needed_any_more_is_deleted(office: Office) -> None:
    office.wechat.books.faults.add(SENDALL, Fault(kind=FaultKind.ERROR, code=45062))
    job = await office.send(await start(office))
    assert job.state is JobState.PAUSED
    assert await delete_finished_tags(office.runtime, office.channel) == 0

    await office.runtime.pool.execute("update job set state = 'CANCELLED'")
    assert await delete_finished_tags(office.runtime, office.channel) == 1
    assert temporary_tags(office) == []


async def test_another_tag_is_never_deleted(office: Office) -> None:
    await done(office, await start(office))
    [temporary] = temporary_tags(office)
    office.books.tags.tags[temporary].name = "Theirs"
    office.wechat.clock.advance(timedelta(days=4))

    assert await delete_finished_tags(office.runtime, office.channel) == 0
    assert temporary in office.books.tags.tags
    assert await office.runtime.pool.fetchval("select count(*) from broadcast_remote_tag") == 0


async def test_who_has_no_room_for_another_tag_is_held(office: Office) -> None:
    for number in range(20):
        office.books.tags.tag(office.books.tags.create(f"T{number}", office.wechat.clock()).id, ["oBob"])

    job = await done(office, await start(office))

    assert set(office.books.messages.receipts()) == {"oAda", "oCat"}
    assert await office.held(job, HeldReason.REMOTE_TAG_LIMIT) == {"oBob"}
    assert await office.book.counts(job) == {"planned": 0, "sent": 2, "failed": 0, "uncertain": 0, "held": 1}


@pytest.mark.parametrize("answer", [*BadOpenid])
async def test_who_unfollowed_unknown_to_us_is_held(office: Office, answer: BadOpenid) -> None:
    office.wechat.books.behaviour.bad_openid = answer
    job = await start(office)
    office.books.unfollow("oCat")

    await done(office, job)

    assert set(office.books.messages.receipts()) == {"oAda", "oBob"}
    assert await office.held(job, HeldReason.NOT_FOLLOWING) == {"oCat"}


@pytest.mark.parametrize("path", [CREATE, TAG, READ, "/cgi-bin/tags/get", SENDALL])
@pytest.mark.parametrize("accepted", [True, False])
async def test_lost_answers_send_nobody_twice_and_leave_one_tag(office: Office, path: str, accepted: bool) -> None:
    office.wechat.books.faults.add(path, Fault(kind=FaultKind.RESET, accepted=accepted))

    await done(office, await start(office))

    assert set(office.books.messages.receipts()) == set(PEOPLE)
    assert len(temporary_tags(office)) == 1


@pytest.mark.parametrize("path", ["new_tag_unknown_for", "new_tag_unlisted_for"])
async def test_a_new_tag_may_take_a_while_to_be_known(office: Office, path: str) -> None:
    setattr(office.wechat.books.behaviour, path, timedelta(seconds=20))
    office.wechat.books.faults.add(CREATE, Fault(kind=FaultKind.RESET, accepted=True))

    await done(office, await start(office))

    assert set(office.books.messages.receipts()) == set(PEOPLE)
    assert len(temporary_tags(office)) == 1


async def test_where_no_more_tags_can_be_made_it_says_so(office: Office) -> None:
    office.wechat.books.faults.add(CREATE, Fault(kind=FaultKind.ERROR, code=45056))
    job = await start(office)
    assert (await paused(office, job)).startswith("WeChat answered 45056: ")

    await office.runtime.pool.execute("update job set state = 'QUEUED'")
    await done(office, await office.book.take_up(job))


async def test_strangers_are_taken_out_of_the_tag_before_it_is_sent_to(office: Office) -> None:
    office.books.follow("oUnknown", office.wechat.clock())
    office.wechat.books.faults.add(SENDALL, Fault(kind=FaultKind.ERROR, code=45011))
    job = await office.work(await start(office))
    [temporary] = temporary_tags(office)
    office.books.tags.tag(temporary, ["oEve", "oUnknown"])
    office.books.tags.untag(temporary, ["oBob"])

    await done(office, await office.book.take_up(job))

    assert set(office.books.messages.receipts()) == set(PEOPLE)
    assert tagged(office, temporary) == set(PEOPLE)


async def test_who_unfollows_before_it_is_sent_is_held(office: Office) -> None:
    office.wechat.books.faults.add(SENDALL, Fault(kind=FaultKind.ERROR, code=45011))
    job = await office.work(await start(office))
    await office.unfollow("oAda")

    await done(office, await office.book.take_up(job))

    assert set(office.books.messages.receipts()) == {"oBob", "oCat"}
    assert await office.held(job, HeldReason.NOT_FOLLOWING) == {"oAda"}


async def test_who_is_held_meanwhile_loses_the_tag(office: Office) -> None:
    office.wechat.books.faults.add(SENDALL, Fault(kind=FaultKind.ERROR, code=45011))
    job = await office.work(await start(office))
    [temporary] = temporary_tags(office)
    # We hear that she unfollowed, which WeChat forgot.
    members = tagged(office, temporary)
    await office.unfollow("oAda")
    office.books.follow("oAda", office.wechat.clock())
    office.books.tags.tag(temporary, members)

    await done(office, await office.book.take_up(job))

    assert set(office.books.messages.receipts()) == {"oBob", "oCat"}
    assert tagged(office, temporary) == {"oBob", "oCat"}


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("synced", [True, False])
async def test_strangers_get_nothing_by_the_call_that_asks_what_became_of_the_first(
    office: Office, accepted: bool, synced: bool
) -> None:
    office.books.follow("oUnknown", office.wechat.clock())
    remote = await sync(office, *PEOPLE) if synced else 0
    office.wechat.books.faults.add(SENDALL, Fault(kind=FaultKind.RESET, accepted=accepted))
    job = await office.work(await start(office))
    assert (await office.book.counts(job))["uncertain"] == 3
    remote = remote or temporary_tags(office)[0]
    office.books.tags.tag(remote, ["oEve", "oUnknown"])
    if not synced:
        office.books.tags.untag(remote, ["oBob"])
    for _ in range(3 if synced else 0):
        # It is not asked while others have the tag, which is not ours to change.
        office.wechat.clock.advance(timedelta(minutes=20))
        job = await office.work(await office.book.take_up(job))
        assert set(office.books.messages.receipts()) == (set(PEOPLE) if accepted else set())
    office.books.tags.untag(remote, ["oEve", "oUnknown"] if synced else [])
    office.wechat.clock.advance(timedelta(minutes=40))
    job = await office.book.take_up(job)

    await done(office, job)
    assert set(office.books.messages.receipts()) == set(PEOPLE)


async def test_a_tag_that_others_deleted_is_made_anew(office: Office) -> None:
    office.wechat.books.faults.add(SENDALL, Fault(kind=FaultKind.ERROR, code=45011))
    job = await office.work(await start(office))
    [temporary] = temporary_tags(office)
    office.books.tags.delete(temporary)
    office.wechat.clock.advance(timedelta(hours=1))

    await done(office, await office.book.take_up(job))

    assert set(office.books.messages.receipts()) == set(PEOPLE)
    [anew] = temporary_tags(office)
    assert anew != temporary


async def test_the_one_send_of_the_day_is_waited_for(office: Office) -> None:
    await done(office, await start(office))
    job = await office.send(await start(office))

    assert (job.state, (await office.broadcast(job)).waiting_for) == (JobState.WAITING, WaitReason.QUOTA)
    assert await office.planned(job) == set(PEOPLE)
    assert office.books.messages.receipts() == dict.fromkeys(PEOPLE, 1)


async def test_no_list_is_sent_to(office: Office) -> None:
    office.wechat.books.faults.add(SEND, Fault(kind=FaultKind.ERROR, code=48001, times=None))
    await sync(office, *PEOPLE)

    await done(office, await start(office))
