"""Read the numbered feed of a channel by `GET /feed/changes` (docs/specification.md §6.7)."""

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from service.domain.change_feed.cursors import MAX_OFFSET, MAX_VERSION, decode_cursor, encode_cursor
from service.domain.change_feed.sequencing import sequence_channel
from service.entities.change_feed import FeedPosition
from service.entities.ids import parse_channel_gid
from tests.support.robot import Robot, event_input
from tests.support.waiting import wait_until
from tests.support.worker import worker_runtime

USER = """
query User($channelId: ID!, $openid: String!) {
  user(channelId: $channelId, openid: $openid) { id tags { tag { id } } }
}
"""


@pytest.fixture
async def channel(robot: Robot) -> str:
    identifier: str = (await robot.bind())["id"]
    return identifier


async def get(robot: Robot, channel: str, role: str = "admin", **query: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {robot.token(role)}"}
    return await robot.web.http.get("/feed/changes", params={"channelId": channel, **query}, headers=headers)


def lines_of(answer: httpx.Response) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [orjson.loads(line) for line in answer.content.splitlines()]


async def follow_by(robot: Robot, channel: str, *openids: str) -> None:
    await robot.record(channel, *(event_input(openid, "FOLLOW") for openid in openids))


async def test_it_begins_at_the_present_and_goes_on_where_the_last_line_says(robot: Robot, channel: str) -> None:
    await follow_by(robot, channel, "ann")
    (first,) = lines_of(await get(robot, channel))
    assert first["events"] == []
    await follow_by(robot, channel, "ben")
    user = (await robot.ask(USER, channelId=channel, openid="ben"))["user"]

    (line,) = lines_of(await get(robot, channel, after=first["cursor"]))
    (event,) = line["events"]
    assert {name: event[name] for name in ("type", "channelId", "userId", "removed", "cause")} == {
        "type": "user.tags_changed",
        "channelId": channel,
        "userId": user["id"],
        "removed": [],
        "cause": "EVENT",
    }
    assert set(event["added"]) == {each["tag"]["id"] for each in user["tags"]}
    # The cursor of the event is as good as that of the line.
    for cursor in (line["cursor"], event["cursor"]):
        (end,) = lines_of(await get(robot, channel, after=cursor))
        assert (end["events"], end["cursor"]) == ([], line["cursor"])


async def test_many_events_come_in_lines_of_a_hundred(robot: Robot, channel: str) -> None:
    (begin,) = lines_of(await get(robot, channel))
    await follow_by(robot, channel, *(f"person-{number}" for number in range(250)))
    whole = lines_of(await get(robot, channel, after=begin["cursor"], limit=1_000))
    assert [len(line["events"]) for line in whole] == [100, 100, 50]
    events = [event for line in whole for event in line["events"]]
    assert len({event["userId"] for event in events}) == 250
    (rest,) = lines_of(await get(robot, channel, after=whole[1]["cursor"]))
    assert rest == whole[2]
    (some,) = lines_of(await get(robot, channel, after=begin["cursor"], limit=7))
    assert some["events"] == events[:7]


async def test_who_waits_is_answered_as_soon_as_something_happens(robot: Robot, channel: str) -> None:
    (begin,) = lines_of(await get(robot, channel))
    waiting = [asyncio.create_task(get(robot, channel, after=begin["cursor"], wait=60)) for _ in range(3)]
    async with worker_runtime(robot.web) as runtime:
        channel_id = parse_channel_gid(channel)
        await follow_by(robot, channel, "ann")
        await wait_until(lambda: sequence_channel(runtime, channel_id))
        async with asyncio.timeout(30):
            answers = await asyncio.gather(*waiting)
    assert [len(line["events"]) for answer in answers for line in lines_of(answer)] == [1, 1, 1]


async def test_a_wait_ends_without_events(robot: Robot, channel: str) -> None:
    (begin,) = lines_of(await get(robot, channel))
    (end,) = lines_of(await get(robot, channel, after=begin["cursor"], wait=1))
    assert end == begin


async def test_what_the_feed_no_longer_has_is_told_as_the_whole_present_state(robot: Robot, channel: str) -> None:
    await follow_by(robot, channel, "ann")
    lost = encode_cursor(parse_channel_gid(channel), FeedPosition(7, 3, 1))
    (line,) = lines_of(await get(robot, channel, after=lost))
    (event,) = line["events"]
    assert (event["type"], len(event["tags"])) == ("feed.reset", 8)
    counts = {tag["name"]: (tag["state"], tag["memberCount"]) for tag in event["tags"]}
    assert counts["Touchable"] == ("ACTIVE", 1)
    assert counts["Old user"] == ("ACTIVE", 0)
    (end,) = lines_of(await get(robot, channel, after=line["cursor"]))
    assert end["events"] == []


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"limit": 0}, {"limit"}),
        ({"limit": 1001}, {"limit"}),
        ({"wait": 61, "limit": "1e2"}, {"wait", "limit"}),
        ({"after": "nonsense"}, {"after"}),
        ({"since": "2026-03-01"}, {"since"}),
        ({"limit": ["1", "2"]}, {"limit"}),
    ],
)
async def test_bad_queries_name_what_is_wrong(
    robot: Robot, channel: str, query: dict[str, Any], named: set[str]
) -> None:
    answer = await get(robot, channel, **query)
    assert answer.status_code == 400
    assert answer.json()["code"] == "BAD_USER_INPUT"
    assert {each["path"] for each in answer.json()["fields"]} == named


async def test_only_those_who_may_can_read_and_only_their_own_channels(robot: Robot, channel: str) -> None:
    other = Robot(robot.web, f"{robot.name}other")
    foreign = (await other.bind())["id"]
    assert (await robot.web.http.get("/feed/changes", params={"channelId": channel})).status_code == 401
    for role, status in (("creator", 200), ("admin", 200), ("agent", 403), ("integrator", 403)):
        assert (await get(robot, channel, role)).status_code == status
    assert (await get(robot, foreign)).status_code == 404
    assert (await get(robot, "nonsense")).status_code == 404
    headers = {"authorization": f"Bearer {robot.token(channels=[foreign])}"}
    narrowed = await robot.web.http.get("/feed/changes", params={"channelId": channel}, headers=headers)
    assert (narrowed.status_code, narrowed.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("offset", [31_999, 32_767, 32_768, MAX_OFFSET])
@pytest.mark.parametrize("version", [0, 1, MAX_VERSION])
async def test_a_place_in_an_entry_that_there_is_not_is_one_behind_others(
    robot: Robot, channel: str, version: int, offset: int
) -> None:
    (begin,) = lines_of(await get(robot, channel))
    await follow_by(robot, channel, "ann")
    (line,) = lines_of(await get(robot, channel, after=begin["cursor"]))
    channel_id = parse_channel_gid(channel)
    seq = decode_cursor(line["events"][-1]["cursor"], channel_id, "after").seq
    forged = encode_cursor(channel_id, FeedPosition(seq, version, offset))
    (rest,) = lines_of(await get(robot, channel, after=forged))
    assert [each["type"] for each in rest["events"]] in ([], ["user.tags_changed"])


async def test_the_cursor_of_another_channel_is_refused(robot: Robot, channel: str) -> None:
    second = (await robot.bind(2))["id"]
    (line,) = lines_of(await get(robot, second))
    assert (await get(robot, channel, after=line["cursor"])).status_code == 400
