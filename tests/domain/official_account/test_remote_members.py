"""Keep which tags are linked to remote ones, and who is known to have those (docs/specification.md §6.4)."""

from datetime import datetime, timedelta

import asyncpg
import pytest

from service.domain.events.recorder import record_events
from service.domain.privacy.forgetting import forget_openid
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.remote_tags import RemoteAdditions
from service.entities.users import EventKind, UserEvent
from service.storage import remote_tags
from service.storage.database.pool import Connection
from tests.support.clock import START
from tests.support.database_state import remote_members_of
from tests.support.runtime import counted_statements, ordinals_for

TAG, OTHER_TAG = 1, 2
JOB = 7


async def link(conn: Connection, channel: Channel, tag_id: int = TAG, remote_tag_id: int | None = 100) -> None:
    """Link a tag."""
    await remote_tags.link_tag(
        conn,
        channel.channel_id,
        tag_id,
        remote_tag_id=remote_tag_id,
        remote_name=f"Tag {tag_id}",
        keep_in_sync=True,
        remote_additions=RemoteAdditions.KEEP,
        job_id=JOB,
        now=START,
    )


async def followers(runtime: Runtime, channel: Channel, *openids: str) -> dict[str, int]:
    """Return the ordinals of people who follow since `START`."""
    await record_events(runtime, channel, [UserEvent(each, EventKind.FOLLOW, START) for each in openids])
    return await ordinals_for(runtime, channel, openids)


async def given(
    conn: Connection, channel: Channel, ordinals: dict[str, int], at: datetime = START, tag_id: int = TAG
) -> None:
    """Record that people who moved at `at` were given a tag."""
    moved_at = dict.fromkeys(ordinals.values(), at)
    await remote_tags.add_remote_members(conn, channel.channel_id, tag_id, moved_at)


async def test_a_link_is_of_one_tag_and_what_it_says_follows_the_syncs(runtime: Runtime, channel: Channel) -> None:
    async with runtime.pool.acquire() as conn:
        await link(conn, channel, remote_tag_id=None)
        await link(conn, channel, OTHER_TAG, 101)
        with pytest.raises(asyncpg.UniqueViolationError):
            await link(conn, channel, TAG, 101)
        await link(conn, channel)
        await remote_tags.note_sync_failure(conn, channel.channel_id, [TAG], JOB, START, error="WeChat said no.")
        failing = await remote_tags.lock_linked_tags(conn, channel.channel_id, [TAG])
        await remote_tags.note_sync_success(conn, channel.channel_id, [TAG], JOB + 1, START)
        links = await remote_tags.linked_tags(conn, channel.channel_id)
        some = await remote_tags.linked_tags(conn, channel.channel_id, [OTHER_TAG])

    assert (failing[TAG].in_sync, failing[TAG].failing_since, failing[TAG].error) == (False, START, "WeChat said no.")
    assert (links[TAG].in_sync, links[TAG].failing_since, links[TAG].error) == (True, None, None)
    assert (links[TAG].remote_tag_id, links[TAG].last_job_id, links[TAG].last_success_at) == (100, JOB + 1, START)
    assert list(links) == [TAG, OTHER_TAG]
    assert some == {OTHER_TAG: links[OTHER_TAG]}


async def test_who_was_given_a_tag_has_it_and_counts_as_synced_until_it_is_taken(
    runtime: Runtime, channel: Channel
) -> None:
    people = await followers(runtime, channel, "openid-a", "openid-b")
    both = set(people.values())
    async with runtime.pool.acquire() as conn:
        await link(conn, channel)
        await given(conn, channel, people)
        assert await remote_members_of(runtime, channel, TAG) == (both, both)
        await remote_tags.remove_remote_members(conn, channel.channel_id, TAG, [people["openid-a"]])
        left = {people["openid-b"]}
        assert await remote_members_of(runtime, channel, TAG) == (left, left)


async def test_who_moved_since_a_call_was_claimed_or_does_not_exist_is_not_recorded(
    runtime: Runtime, channel: Channel
) -> None:
    people = await followers(runtime, channel, "openid-a", "openid-b")
    async with runtime.pool.acquire() as conn:
        await link(conn, channel)
        later = START + timedelta(seconds=1)
        await record_events(runtime, channel, [UserEvent("openid-a", EventKind.UNFOLLOW, later)])
        await given(conn, channel, {**people, "nobody": 31_999})
        assert await remote_members_of(runtime, channel, TAG) == ({people["openid-b"]}, {people["openid-b"]})


async def test_people_are_cleared_in_every_tag_of_the_channel_only(runtime: Runtime, channel: Channel) -> None:
    people = await followers(runtime, channel, "openid-a", "openid-b")
    async with runtime.pool.acquire() as conn:
        for tag_id in (TAG, OTHER_TAG):
            await link(conn, channel, tag_id, 100 + tag_id)
            await given(conn, channel, people, tag_id=tag_id)
        await remote_tags.clear_remote_members(conn, channel.channel_id, [people["openid-a"]])
        left = {people["openid-b"]}
        assert [await remote_members_of(runtime, channel, tag_id) for tag_id in (TAG, OTHER_TAG)] == [(left, left)] * 2


async def test_another_remote_tag_or_none_forgets_who_had_the_former(runtime: Runtime, channel: Channel) -> None:
    people = await followers(runtime, channel, "openid-a")
    async with runtime.pool.acquire() as conn:
        await link(conn, channel)
        await given(conn, channel, people)
        await link(conn, channel)
        assert await remote_members_of(runtime, channel, TAG) == (set(people.values()), set(people.values()))
        await link(conn, channel, remote_tag_id=200)
        assert await remote_members_of(runtime, channel, TAG) == (set(), set())

        await given(conn, channel, people)
        await remote_tags.unlink_tag(conn, channel.channel_id, TAG)
        assert await remote_members_of(runtime, channel, TAG) == (set(), set())
        [left] = (await remote_tags.linked_tags(conn, channel.channel_id)).values()
        assert (left.remote_tag_id, left.keep_in_sync, left.in_sync) == (None, False, False)


async def test_who_follows_or_unfollows_has_no_remote_tag_any_more(runtime: Runtime, channel: Channel) -> None:
    people = await followers(runtime, channel, "openid-a", "openid-b", "openid-c", "openid-d", "openid-e")
    events = {
        "openid-a": (EventKind.UNFOLLOW, 1),
        "openid-b": (EventKind.FOLLOW, 1),
        "openid-c": (EventKind.MESSAGE, 1),
        "openid-d": (EventKind.FOLLOW, -1),
    }
    async with runtime.pool.acquire() as conn:
        for tag_id in (TAG, OTHER_TAG):
            await link(conn, channel, tag_id, 100 + tag_id)
            await given(conn, channel, people, tag_id=tag_id)
        news = [UserEvent(each, kind, START + timedelta(seconds=by)) for each, (kind, by) in events.items()]
        await record_events(runtime, channel, news)

        left = {people[each] for each in ("openid-c", "openid-d", "openid-e")}
        assert [await remote_members_of(runtime, channel, tag_id) for tag_id in (TAG, OTHER_TAG)] == [(left, left)] * 2


async def test_who_is_forgotten_has_no_remote_tag_any_more(runtime: Runtime, channel: Channel) -> None:
    people = await followers(runtime, channel, "openid-a", "openid-b")
    async with runtime.pool.acquire() as conn:
        await link(conn, channel)
        await given(conn, channel, people)
        await forget_openid(runtime, channel.channel_id, "openid-a")
        left = {people["openid-b"]}
        assert await remote_members_of(runtime, channel, TAG) == (left, left)


async def test_a_channel_without_linked_tags_sends_no_statement_more(runtime: Runtime, channel: Channel) -> None:
    await followers(runtime, channel, "openid-a")
    with counted_statements() as sent:
        await record_events(runtime, channel, [UserEvent("openid-a", EventKind.UNFOLLOW, START + timedelta(seconds=1))])
    assert "merge_facts" in sent
    assert not {"share_linked_tags", "clear_remote_members"} & set(sent)


async def test_who_is_told_late_to_have_followed_long_ago_keeps_what_was_read_since(
    runtime: Runtime, channel: Channel
) -> None:
    people = await ordinals_for(runtime, channel, ["openid-a", "openid-b"])
    async with runtime.pool.acquire() as conn:
        await link(conn, channel)
        moved_at = dict.fromkeys(people.values())
        await remote_tags.add_remote_members(conn, channel.channel_id, TAG, moved_at)
    follows = {"openid-a": START - timedelta(days=9), "openid-b": START - timedelta(minutes=4)}
    await record_events(runtime, channel, [UserEvent(each, EventKind.FOLLOW, at) for each, at in follows.items()])

    left = {people["openid-a"]}
    assert await remote_members_of(runtime, channel, TAG) == (left, left)
