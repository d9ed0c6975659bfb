"""Tell an endpoint the whole state where the log no longer reaches back, and go on from there."""

import asyncio
from datetime import timedelta

import pytest

from service.domain.privacy.retention import prune_channel
from service.entities.change_feed import FeedPosition
from service.entities.channels import Channel
from tests.domain.webhooks.delivery.office import Office, http
from tests.support.tags import add_members, make_tag
from tests.webhooks.receiver import OK

WEEK = timedelta(days=8)


@pytest.fixture
async def overtaken(office: Office, channel: Channel) -> int:
    """Let an endpoint fail for longer than the log is kept, and return a tag."""
    await office.follow(channel)
    gold = await make_tag(office.runtime, channel, "Gold", "ann", "ben")
    office.receiving.answer = http(500)
    await office.deliver(channel)
    office.clock.advance(WEEK)
    await add_members(office.runtime, channel, gold, "cyd")
    await prune_channel(office.runtime, channel.channel_id, office.clock() - timedelta(days=7))
    return gold


@pytest.mark.usefixtures("overtaken")
async def test_a_reset_comes_first_and_then_what_happens(office: Office, channel: Channel, overtaken: int) -> None:
    office.receiving.answer = OK
    before = len(office.receiving.requests)
    [reset, *others] = await office.deliver(channel)
    assert (reset["type"], others) == ("feed.reset", [])
    assert [(tag["name"], tag["memberCount"]) for tag in reset["tags"] if tag["kind"] == "RETURN"] == [("Gold", 3)]
    assert len(office.receiving.requests) == before + 1
    assert not (await office.position(channel)).missed

    await add_members(office.runtime, channel, overtaken, "dan")
    assert [event["type"] for event in await office.deliver(channel)] == ["user.tags_changed"]
    newest, *_, given_up = await office.deliveries(channel)
    assert newest.events == 1
    assert (given_up.delivered_at, given_up.next_attempt_at) == (None, None)


async def test_a_reset_that_fails_keeps_its_id_and_loses_nothing(
    office: Office, channel: Channel, overtaken: int
) -> None:
    before = len(office.receiving.requests)
    await office.deliver(channel)
    assert (await office.position(channel)).missed
    await add_members(office.runtime, channel, overtaken, "dan")
    office.receiving.answer = OK
    await office.wait_for_next_attempt(channel)

    events = await office.deliver(channel)
    assert [event["type"] for event in events] == ["feed.reset", "user.tags_changed"]
    first, again, _ = office.receiving.requests[before:]
    assert first.headers["webhook-id"] == again.headers["webhook-id"]


async def test_a_reset_of_many_tags_takes_several_deliveries(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    await make_tag(office.runtime, channel, "First")
    await office.deliver(channel)
    for number in range(65):
        await make_tag(office.runtime, channel, f"Tag {number}")
    await office.move(channel, FeedPosition(0))
    # The second part fails, so it begins anew.
    answers = iter([OK, http(500)])

    async def one_after_the_other(writer: asyncio.StreamWriter) -> None:
        writer.write(next(answers, OK))

    office.receiving.answer = one_after_the_other
    assert [event["part"] for event in await office.deliver(channel)] == [1, 2]
    assert (await office.position(channel)).missed
    await office.wait_for_next_attempt(channel)

    parts = await office.deliver(channel)
    assert [(event["type"], event["part"], event["parts"]) for event in parts] == [
        ("feed.reset", number, len(parts)) for number in range(1, len(parts) + 1)
    ]
    assert len(parts) > 2
    tags = [tag["tagId"] for event in parts for tag in event["tags"]]
    assert len(tags) == len(set(tags)) > 66
    assert not (await office.position(channel)).missed
    assert all(len(request.body) <= 20_000 for request in office.receiving.requests)
    assert await office.deliver(channel) == []


async def test_a_replay_begins_at_once_and_by_new_ids(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    beginning = (await office.position(channel)).position
    await make_tag(office.runtime, channel, "Gold", "ann", "ben")
    told = await office.deliver(channel)
    await office.move(channel, beginning)
    assert await office.deliver(channel) == told
    first, second = office.receiving.requests
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
