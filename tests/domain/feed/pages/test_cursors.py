"""Resume from a good cursor, and begin afresh from any other.

The rule: docs/architecture/04-cursors.md.
"""

import base64
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from service.domain.feed.cursors import decode_cursor, encode_cursor, openid_hash
from service.domain.privacy.retention import prune_channel
from service.entities.channels import Channel
from service.entities.feed import Cursor
from service.entities.users import EventKind
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.open_page import JUST_FOLLOWED, JUST_WROTE, NO_TAGS, page
from tests.domain.feed.tag_changes import change_tags, rename
from tests.support.runtime import bind


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


GARBAGE = {
    "empty": "",
    "no base64": "%%%",
    "no JSON": _encoded(b"hello"),
    "another version": _encoded(orjson.dumps(["u9", 1, "x", 1, 1, 1, 1, 1])),
    "too short": _encoded(orjson.dumps(["u1", 1])),
    "a panel's": _encoded(orjson.dumps(["p1", [[1, 1, 1, 1]]])),
    "negative": _encoded(orjson.dumps(["u1", 1, "x", 1, -1, 1, 1, 1])),
    "huge number": _encoded(orjson.dumps(["u1", 1, "x", 1, 2**60, 1, 1, 1])),
    "too deep": _encoded(b"[" * 900 + b"]" * 900),
    "not ascii": "ü" * 20,
    "too long": "A" * 100_000,
    "truncated": _encoded(orjson.dumps(["u1", 1, "x", 1, 1, 1, 1, 1]))[:-5],
}


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_begins_afresh(west: FeedProcess, channel: Channel, text: str) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    async with page(west, channel, "ann", text) as ann:
        assert [(event.reset, event.tags) for event in await ann.wait_for_events(1)] == [(True, JUST_FOLLOWED)]


async def _cursor_of(process: FeedProcess, channel: Channel, openid: str) -> Cursor:
    async with page(process, channel, openid) as opened:
        return (await opened.wait_for_events(1))[0].cursor


async def _begins_afresh(process: FeedProcess, channel: Channel, openid: str, cursor: Cursor) -> bool:
    """Return whether the feed begins afresh from a cursor; one that resumes is checked to miss nothing."""
    async with page(process, channel, openid, encode_cursor(cursor)) as opened:
        await process.record_events_of(channel, EventKind.UNFOLLOW, openid)
        await opened.wait_for_tags(NO_TAGS)
        return opened.events[0].reset


async def test_a_cursor_of_another_person_or_channel_begins_afresh(west: FeedProcess, channel: Channel) -> None:
    other_channel = await bind(west.runtime)
    for each in (channel, other_channel):
        await west.record_events_of(each, EventKind.FOLLOW, "ann", "bob")
    assert await _begins_afresh(west, channel, "ann", await _cursor_of(west, channel, "bob"))
    assert await _begins_afresh(west, channel, "bob", await _cursor_of(west, other_channel, "bob"))
    assert not await _begins_afresh(west, other_channel, "ann", await _cursor_of(west, other_channel, "ann"))


async def test_a_cursor_forged_by_half_begins_afresh(west: FeedProcess, channel: Channel) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann", "bob")
    good = await _cursor_of(west, channel, "ann")
    assert good.ordinal is not None
    assert good.block_revision is not None
    block, tags = good.block_revision, good.tag_revision
    moment = timedelta(microseconds=1)
    forged = [
        replace(good, ordinal=good.ordinal + 1),
        replace(good, block_revision=block._replace(version=block.version + 1)),
        replace(good, block_revision=block._replace(at=block.at + moment)),
        replace(good, tag_revision=tags._replace(version=tags.version + 1)),
        replace(good, tag_revision=tags._replace(at=tags.at - moment)),
        replace(good, channel_id=good.channel_id + 1),
        replace(good, openid_hash=openid_hash("bob")),
    ]
    for cursor in forged:
        async with page(west, channel, "ann", encode_cursor(cursor)) as ann:
            assert [(event.reset, event.tags) for event in await ann.wait_for_events(1)] == [(True, JUST_FOLLOWED)]
    assert not await _begins_afresh(west, channel, "ann", good)


async def test_a_cursor_survives_writing_and_reading(west: FeedProcess, channel: Channel) -> None:
    unknown = await _cursor_of(west, channel, "ann")
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    known = await _cursor_of(west, channel, "ann")
    assert (unknown.ordinal, known.ordinal) == (None, 0)
    assert [decode_cursor(encode_cursor(cursor)) for cursor in (unknown, known)] == [unknown, known]


async def test_a_cursor_from_before_the_pruned_log_begins_afresh_and_one_at_its_edge_is_good(
    west: FeedProcess, channel: Channel
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann", "bob")
    too_old = await _cursor_of(west, channel, "ann")
    await west.record_events_of(channel, EventKind.MESSAGE, "ann")
    at_the_edge = await _cursor_of(west, channel, "bob")
    edge_of_ann = replace(at_the_edge, openid_hash=openid_hash("ann"), ordinal=too_old.ordinal)
    boundary = west.clock()
    await west.record_events_of(channel, EventKind.UNFOLLOW, "ann")
    await prune_channel(west.runtime, channel.channel_id, boundary)
    assert await west.runtime.pool.fetchval("select count(*) from user_tag_change") == 1
    async with page(west, channel, "ann", encode_cursor(too_old)) as ann:
        assert [(event.reset, event.tags) for event in await ann.wait_for_events(1)] == [(True, NO_TAGS)]
    async with page(west, channel, "ann", encode_cursor(edge_of_ann)) as ann:
        assert [(event.reset, event.removed) for event in await ann.wait_for_events(1)] == [(False, JUST_WROTE)]
    await prune_channel(west.runtime, channel.channel_id, west.clock() + timedelta(days=1))
    assert await west.runtime.pool.fetchval("select count(*) from user_tag_change") == 0
    assert not await _begins_afresh_without_change(west, channel, "ann")


async def _begins_afresh_without_change(process: FeedProcess, channel: Channel, openid: str) -> bool:
    """Return whether the feed begins afresh from a cursor at the newest version."""
    cursor = await _cursor_of(process, channel, openid)
    async with page(process, channel, openid, encode_cursor(cursor)) as opened:
        await process.record_events_of(channel, EventKind.FOLLOW, openid)
        return (await opened.wait_for_events(1))[0].reset


async def test_pruned_structural_changes_begin_afresh_too(west: FeedProcess, channel: Channel) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    too_old = await _cursor_of(west, channel, "ann")
    await change_tags(west, channel, [rename(1, "Newcomer")])
    at_the_edge = await _cursor_of(west, channel, "ann")
    boundary = west.clock()
    await change_tags(west, channel, [rename(1, "Beginner")])
    await prune_channel(west.runtime, channel.channel_id, boundary)
    async with page(west, channel, "ann", encode_cursor(too_old)) as ann:
        assert (await ann.wait_for_events(1))[0].reset
    async with page(west, channel, "ann", encode_cursor(at_the_edge)) as ann:
        assert [(event.reset, event.updated) for event in await ann.wait_for_events(1)] == [(False, frozenset({1}))]


async def test_an_open_page_does_not_notice_pruning(west: FeedProcess, channel: Channel) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann", "bob")
    async with page(west, channel, "ann") as ann, page(west, channel, "bob") as bob:
        await ann.wait_for_events(1)
        await bob.wait_for_events(1)
        await west.record_events_of(channel, EventKind.MESSAGE, "bob")
        await bob.wait_for_tags(JUST_WROTE)
        await prune_channel(west.runtime, channel.channel_id, west.clock())
        await west.record_events_of(channel, EventKind.MESSAGE, "ann")
        assert [event.reset for event in await ann.wait_for_events(2)] == [True, False]
