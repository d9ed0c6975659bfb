"""Tell an endpoint again, send a trial, and look at what was sent.

The rules: docs/specification.md §6.8.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from service.dev.stack.servers import EmbeddedServers
from service.domain.change_feed.cursors import MAX_SEQ, encode_cursor
from service.domain.webhooks.endpoints.sending_again import MAX_WAITING
from service.entities.change_feed import FeedPosition
from service.entities.ids import gid, parse_channel_gid
from service.foundation.settings import WebhookCalls
from tests.support.robot import Robot, event_input
from tests.support.web import WebClient, robot_numbers, shared_web
from tests.support.webhooks import (
    DELIVERIES,
    DELIVERY,
    REPLAY,
    RESEND,
    ROTATE,
    TEST,
    Postman,
    Webhooks,
    endpoint_in,
    postman,
    received_events,
)
from tests.webhooks.receiver import OK, Receiver, receiver

FAILURE = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
EVENTS = ["USER_TAGS_CHANGED", "TAG_CREATED", "TAG_DELETED"]


@pytest.fixture(scope="module")
async def web(servers: EmbeddedServers, migrated_template: str) -> AsyncIterator[WebClient]:
    """Serve an installation that may call the machine itself."""
    async with shared_web(servers, migrated_template, webhooks=WebhookCalls(allow_private=True)) as running:
        yield running


@pytest.fixture
def robot(web: WebClient) -> Robot:
    return Robot(web, f"r{next(robot_numbers)}")


@pytest.fixture
async def channel(robot: Robot) -> str:
    return str((await robot.bind())["id"])


@pytest.fixture
def webhooks(robot: Robot) -> Webhooks:
    return Webhooks(robot)


@pytest.fixture
async def post(web: WebClient) -> AsyncIterator[Postman]:
    async with postman(web) as found:
        yield found


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as listening:
        yield listening


@pytest.fixture
async def endpoint(webhooks: Webhooks, channel: str, hook: Receiver) -> dict[str, Any]:
    """Make an endpoint that is told by the receiver's address."""
    return await webhooks.create(url=url_of(hook), channelIds=[channel], events=EVENTS)


def url_of(hook: Receiver) -> str:
    return f"http://127.0.0.1:{hook.port}/hooks"


async def make_tags(robot: Robot, channel: str, *names: str) -> None:
    for name in names:
        await robot.create_ad_tag(channel, name, "1")


def names_told(hook: Receiver) -> list[str]:
    return [event["name"] for event in received_events(hook)]


async def test_what_was_sent_is_listed_newest_first(
    webhooks: Webhooks, robot: Robot, channel: str, hook: Receiver, post: Postman
) -> None:
    other = (await robot.bind(2))["id"]
    made = await webhooks.create(url=url_of(hook), channelIds=[channel, other], events=EVENTS)
    for number, where in enumerate([channel, other, other, channel, other]):
        await make_tags(robot, where, f"Tag {number}")
        await post.deliver(channel, other)

    whole = (await webhooks.deliveries(made["id"]))["nodes"]
    assert [each["channel"]["id"] for each in whole] == [other, channel, other, other, channel]
    assert [each["messageId"] for each in reversed(whole)] == [each.headers["webhook-id"] for each in hook.requests]
    for each in whole:
        assert each["at"] <= each["deliveredAt"]
        assert {name: each[name] for name in ("kind", "attempts", "status", "error", "answer", "events")} == {
            "kind": "CHANGES",
            "attempts": 1,
            "status": 200,
            "error": None,
            "answer": "ok",
            "events": 1,
        }
        assert each["nextAttemptAt"] is None

    paged, after = [], None
    for _ in itertools.count():
        page = await webhooks.deliveries(made["id"], first=2, after=after)
        paged += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert paged == whole
    positions = {each["channel"]["id"]: each for each in (await webhooks.shown(made["id"]))["positions"]}
    assert {each["lag"] for each in positions.values()} == {0}
    assert positions[channel]["cursor"] != made["positions"][0]["cursor"]


async def test_deliveries_of_one_instant_are_each_on_one_page(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], post: Postman
) -> None:
    other = (await robot.bind(2))["id"]
    await webhooks.update(endpoint["id"], channelIds=[channel, other])
    for _ in range(3):
        for where in (channel, other):
            await make_tags(robot, where, f"Tag {next(robot_numbers)}")
        await post.deliver(channel, other)
    async with post.runtime.pool.acquire() as conn:
        await conn.execute("update webhook_delivery set created_at = $1", datetime.now(UTC))

    seen, after = [], None
    for _ in range(6):
        page = await webhooks.deliveries(endpoint["id"], first=1, after=after)
        seen += [each["id"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == [each["id"] for each in (await webhooks.deliveries(endpoint["id"]))["nodes"]]
    assert len(set(seen)) == 6


@pytest.mark.parametrize(("page", "code"), [({"first": 0}, "LIMIT_EXCEEDED"), ({"first": 201}, "LIMIT_EXCEEDED")])
async def test_a_page_has_its_limits(
    webhooks: Webhooks, endpoint: dict[str, Any], page: dict[str, Any], code: str
) -> None:
    assert (await webhooks.robot.ask(DELIVERIES, id=endpoint["id"], **page)).code == code


@pytest.mark.parametrize("cursor", ["", "x", "am9iOjE", "ZGVsaXZlcnk6MTox", "ZGVsaXZlcnk6MTI6MTI6LTE"])
async def test_a_cursor_of_another_list_is_refused(webhooks: Webhooks, endpoint: dict[str, Any], cursor: str) -> None:
    answer = await webhooks.robot.ask(DELIVERIES, id=endpoint["id"], after=cursor)
    assert answer.code == "BAD_USER_INPUT"


async def test_everything_after_a_cursor_is_told_again_in_order(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    await make_tags(robot, channel, *(f"Tag {number}" for number in range(4)))
    await post.deliver(channel)
    told = received_events(hook)
    assert [each["name"] for each in told] == ["Tag 0", "Tag 1", "Tag 2", "Tag 3"]
    hook.requests.clear()

    # What was not told yet comes with it, once.
    await make_tags(robot, channel, "Tag 4")
    answer = endpoint_in(await robot.ask(REPLAY, id=endpoint["id"], channelId=channel, cursor=told[1]["cursor"]))
    assert answer["positions"][0]["cursor"] == told[1]["cursor"]
    assert answer["positions"][0]["missed"] is False
    await post.deliver(channel)

    again = received_events(hook)
    assert again[:2] == told[2:]
    assert [each["name"] for each in again] == ["Tag 2", "Tag 3", "Tag 4"]
    assert (await webhooks.shown(endpoint["id"]))["positions"][0]["cursor"] != told[3]["cursor"]
    ids = {each["messageId"] for each in (await webhooks.deliveries(endpoint["id"]))["nodes"]}
    assert len(ids) == 2


async def test_a_replay_from_a_position_tells_nothing_twice(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    await make_tags(robot, channel, "Spring", "Autumn")
    await post.deliver(channel)
    [position] = (await webhooks.shown(endpoint["id"]))["positions"]
    for cursor, told in ((position["cursor"], []), (endpoint["positions"][0]["cursor"], ["Spring", "Autumn"])):
        hook.requests.clear()
        await robot.ask(REPLAY, id=endpoint["id"], channelId=channel, cursor=cursor)
        await post.deliver(channel)
        assert names_told(hook) == told


async def test_everything_after_an_instant_is_told_again(
    robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    await make_tags(robot, channel, "Spring")
    await post.deliver(channel)
    between = datetime.now(UTC)
    await make_tags(robot, channel, "Summer", "Autumn")
    await post.deliver(channel)
    hook.requests.clear()
    answer = await robot.ask(REPLAY, id=endpoint["id"], channelId=channel, since=between.isoformat())
    assert endpoint_in(answer)["positions"][0]["missed"] is False
    await post.deliver(channel)

    assert names_told(hook) == ["Summer", "Autumn"]
    assert all(datetime.fromisoformat(each["at"]) > between for each in received_events(hook))


async def test_where_the_feed_does_not_reach_back_a_reset_comes_first(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    await make_tags(robot, channel, "Spring")
    long_ago = datetime.now(UTC) - timedelta(days=30)
    answer = endpoint_in(await robot.ask(REPLAY, id=endpoint["id"], channelId=channel, since=long_ago.isoformat()))
    assert answer["positions"][0]["missed"] is True
    await post.deliver(channel)
    await make_tags(robot, channel, "Autumn")
    await post.deliver(channel)

    reset, *others = received_events(hook)
    assert reset["type"] == "feed.reset"
    assert "Spring" in {each["name"] for each in reset["tags"]}
    assert [each["name"] for each in others] == ["Autumn"]
    assert (await webhooks.shown(endpoint["id"]))["positions"][0]["missed"] is False
    newest, first = (await webhooks.deliveries(endpoint["id"]))["nodes"]
    assert (first["kind"], newest["kind"]) == ("RESET", "CHANGES")


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"])
async def test_the_beginning_of_time_is_long_ago(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], since: str
) -> None:
    [position] = endpoint_in(await robot.ask(REPLAY, id=endpoint["id"], channelId=channel, since=since))["positions"]

    assert (position["at"], position["missed"]) == ("1970-01-01T00:00:00Z", True)
    assert (await webhooks.shown(endpoint["id"]))["positions"] == [position]


async def test_a_position_is_never_ahead(robot: Robot, channel: str, endpoint: dict[str, Any]) -> None:
    cursor = encode_cursor(parse_channel_gid(channel), FeedPosition(MAX_SEQ))
    answer = endpoint_in(await robot.ask(REPLAY, id=endpoint["id"], channelId=channel, cursor=cursor))

    assert answer["positions"][0]["missed"] is True
    assert datetime.fromisoformat(answer["positions"][0]["at"]) <= datetime.now(UTC)


async def test_a_cursor_from_a_database_that_was_restored_is_missed(
    robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    await make_tags(robot, channel, "Spring")
    await post.deliver(channel)
    [event] = received_events(hook)
    async with post.runtime.pool.acquire() as conn:
        await conn.execute("update feed set last_seq = base_seq")
        await conn.execute("delete from feed_entry")
    hook.requests.clear()
    answer = endpoint_in(await robot.ask(REPLAY, id=endpoint["id"], channelId=channel, cursor=event["cursor"]))
    assert answer["positions"][0]["missed"] is True
    await post.deliver(channel)

    assert [each["type"] for each in received_events(hook)] == ["feed.reset"]


async def test_a_replay_gives_up_what_was_under_way(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    hook.answer = FAILURE
    await make_tags(robot, channel, "Spring")
    await post.deliver(channel)
    failing = await webhooks.shown(endpoint["id"])
    assert (failing["state"], failing["reason"]) == ("RETRYING", "It answered with status 500.")
    [waiting] = (await webhooks.deliveries(endpoint["id"]))["nodes"]
    assert (waiting["status"], waiting["error"], waiting["deliveredAt"]) == (500, "STATUS", None)
    assert waiting["nextAttemptAt"] is not None

    cursor = endpoint["positions"][0]["cursor"]
    replayed = endpoint_in(await robot.ask(REPLAY, id=endpoint["id"], channelId=channel, cursor=cursor))
    assert replayed["state"] == "RETRYING"
    hook.answer = OK
    hook.requests.clear()
    await post.deliver(channel)

    assert names_told(hook) == ["Spring"]
    again, given_up = (await webhooks.deliveries(endpoint["id"]))["nodes"]
    assert (given_up["id"], given_up["nextAttemptAt"], given_up["deliveredAt"]) == (waiting["id"], None, None)
    assert again["deliveredAt"] is not None
    assert (await webhooks.shown(endpoint["id"]))["state"] == "ACTIVE"


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, {"since": "ONE_OF_TWO", "cursor": "ONE_OF_TWO"}),
        ({"since": "2026-01-01T00:00:00Z", "cursor": "x"}, {"since": "ONE_OF_TWO", "cursor": "ONE_OF_TWO"}),
        ({"since": "2100-01-01T00:00:00Z"}, {"since": "TIME_IN_FUTURE"}),
        ({"cursor": ""}, {"cursor": "BAD_CURSOR"}),
        ({"cursor": "nonsense"}, {"cursor": "BAD_CURSOR"}),
        ({"cursor": "x" * 10_000}, {"cursor": "BAD_CURSOR"}),
    ],
)
async def test_a_start_that_is_none_is_refused(
    webhooks: Webhooks,
    robot: Robot,
    channel: str,
    endpoint: dict[str, Any],
    given: dict[str, str],
    fields: dict[str, str],
) -> None:
    answer = await robot.ask(REPLAY, id=endpoint["id"], channelId=channel, **given)

    assert answer.code == "BAD_USER_INPUT"
    assert {each["path"]: each["code"] for each in answer.error["extensions"]["fields"]} == fields
    assert await webhooks.shown(endpoint["id"]) == endpoint


async def test_a_replay_is_of_a_channel_that_the_endpoint_is_told_of(
    webhooks: Webhooks, robot: Robot, endpoint: dict[str, Any]
) -> None:
    other = (await robot.bind(2))["id"]
    since = {"since": "2026-01-01T00:00:00Z"}
    not_followed = await robot.ask(REPLAY, id=endpoint["id"], channelId=other, **since)
    assert [each["code"] for each in not_followed.error["extensions"]["fields"]] == ["NOT_FOLLOWED"]
    elsewhere = await webhooks.create(channelIds=[other])
    cursor = elsewhere["positions"][0]["cursor"]
    [told] = endpoint["positions"]
    wrong = await robot.ask(REPLAY, id=endpoint["id"], channelId=told["channel"]["id"], cursor=cursor)
    assert [each["code"] for each in wrong.error["extensions"]["fields"]] == ["BAD_CURSOR"]


async def test_a_trial_is_signed_and_moves_nothing(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    asked = await webhooks.test(endpoint["id"])
    assert (asked["kind"], asked["attempts"], asked["status"], asked["deliveredAt"]) == ("TEST", 0, None, None)
    assert asked["channel"]["id"] == channel
    await post.deliver(channel)

    [request] = hook.requests
    verified = Webhook(endpoint["secret"]).verify(request.body, dict(request.headers))
    assert [each["type"] for each in verified["events"]] == ["webhook.test"]
    node = f"query($id: ID!) {{ node(id: $id) {{ ... on WebhookDelivery {{ {DELIVERY} }} }} }}"
    sent = (await robot.ask(node, id=asked["id"]))["node"]
    assert (sent["attempts"], sent["status"], sent["messageId"]) == (1, 200, request.headers["webhook-id"])
    assert sent["deliveredAt"] is not None
    assert (await webhooks.shown(endpoint["id"]))["positions"] == endpoint["positions"]


async def test_a_trial_that_fails_is_not_repeated_and_says_why(
    webhooks: Webhooks, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    hook.answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 5\r\n\r\nthere"
    await webhooks.test(endpoint["id"])
    await post.deliver(channel)
    await post.deliver(channel)

    assert len(hook.requests) == 1
    [sent] = (await webhooks.deliveries(endpoint["id"]))["nodes"]
    assert (sent["attempts"], sent["status"], sent["error"], sent["answer"]) == (1, 302, "REDIRECT", "there")
    assert (sent["nextAttemptAt"], sent["deliveredAt"]) == (None, None)
    assert (await webhooks.shown(endpoint["id"]))["state"] == "ACTIVE"


async def test_only_so_much_waits_to_be_sent_by_hand(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], post: Postman
) -> None:
    await make_tags(robot, channel, "Spring")
    await post.deliver(channel)
    [delivery] = (await webhooks.deliveries(endpoint["id"]))["nodes"]
    for _ in range(MAX_WAITING):
        await webhooks.test(endpoint["id"])
    for operation, number in ((TEST, endpoint["id"]), (RESEND, delivery["id"])):
        assert (await robot.ask(operation, id=number)).code == "LIMIT_EXCEEDED"
    await post.deliver()

    assert (await robot.ask(RESEND, id=delivery["id"])).errors == []


async def test_a_delivery_is_sent_once_more_under_its_id(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    await make_tags(robot, channel, "Spring")
    await post.deliver(channel)
    await make_tags(robot, channel, "Autumn")
    await post.deliver(channel)
    first = (await webhooks.deliveries(endpoint["id"]))["nodes"][1]
    before = (await webhooks.shown(endpoint["id"]))["positions"]

    again = (await robot.ask(RESEND, id=first["id"]))["resendWebhookDelivery"]
    assert (again["id"], again["messageId"]) == (first["id"], first["messageId"])
    assert again["nextAttemptAt"] is not None
    await post.deliver(channel)

    assert len(hook.requests) == 3
    assert hook.requests[2].headers["webhook-id"] == hook.requests[0].headers["webhook-id"]
    assert hook.requests[2].body == hook.requests[0].body
    assert (await webhooks.shown(endpoint["id"]))["positions"] == before
    assert (await webhooks.deliveries(endpoint["id"]))["nodes"][1]["attempts"] == 2


async def test_the_delivery_under_way_is_sent_at_once(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    hook.answer = FAILURE
    await make_tags(robot, channel, "Spring")
    await post.deliver(channel)
    await post.deliver(channel)
    assert len(hook.requests) == 1
    hook.answer = OK
    [waiting] = (await webhooks.deliveries(endpoint["id"]))["nodes"]
    await robot.ask(RESEND, id=waiting["id"])
    await post.deliver(channel)

    assert [each.headers["webhook-id"] for each in hook.requests] == [waiting["messageId"]] * 2
    assert (await webhooks.shown(endpoint["id"]))["state"] == "ACTIVE"


async def test_what_the_log_no_longer_holds_is_not_sent_again(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], post: Postman
) -> None:
    await make_tags(robot, channel, "Spring")
    await post.deliver(channel)
    [sent] = (await webhooks.deliveries(endpoint["id"]))["nodes"]
    trial = await webhooks.test(endpoint["id"])
    async with post.runtime.pool.acquire() as conn:
        await conn.execute("update feed set base_seq = last_seq, base_version = 9007199254740991")

    assert (await robot.ask(RESEND, id=sent["id"])).code == "CONFLICT"
    assert (await webhooks.deliveries(endpoint["id"]))["nodes"][1] == sent
    assert (await robot.ask(RESEND, id=trial["id"])).errors == []


async def test_nothing_is_sent_by_hand_to_an_endpoint_that_is_off(
    webhooks: Webhooks, robot: Robot, endpoint: dict[str, Any]
) -> None:
    trial = await webhooks.test(endpoint["id"])
    await webhooks.update(endpoint["id"], enabled=False)

    assert (await robot.ask(TEST, id=endpoint["id"])).code == "CONFLICT"
    assert (await robot.ask(RESEND, id=trial["id"])).code == "CONFLICT"
    await webhooks.update(endpoint["id"], enabled=True)
    assert (await robot.ask(RESEND, id=trial["id"])).errors == []


async def test_without_a_channel_there_is_nothing_to_try(webhooks: Webhooks, hook: Receiver) -> None:
    made = await webhooks.create(url=url_of(hook))
    assert (await webhooks.robot.ask(TEST, id=made["id"])).code == "CHANNEL_NOT_BOUND"


async def test_deliveries_of_a_channel_that_left_are_not_found(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any]
) -> None:
    other = (await robot.bind(2))["id"]
    trial = await webhooks.test(endpoint["id"])
    await webhooks.update(endpoint["id"], channelIds=[other])

    assert (await webhooks.deliveries(endpoint["id"]))["nodes"] == []
    assert (await robot.ask(RESEND, id=trial["id"])).code == "NOT_FOUND"
    node = "query($id: ID!) { node(id: $id) { id } }"
    assert (await robot.ask(node, id=trial["id"])).code == "NOT_FOUND"
    assert (await robot.ask(node, id=gid("WebhookDelivery", 1, 1, 10**18 - 1))).code == "NOT_FOUND"


async def test_a_narrowed_admin_sends_only_what_is_its_own(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver
) -> None:
    await robot.bind(2)
    for_all = await webhooks.create(url=url_of(hook))
    own, foreign = await webhooks.test(endpoint["id"]), await webhooks.test(for_all["id"])
    token = robot.token("admin", channels=[channel])

    async def codes(operation: str, **given: Any) -> list[str]:
        return (await robot.web.run(operation, token=token, **given)).codes

    since = {"channelId": channel, "since": "2026-01-01T00:00:00Z"}
    assert await codes(TEST, id=endpoint["id"]) == await codes(RESEND, id=own["id"]) == []
    assert await codes(REPLAY, id=endpoint["id"], **since) == []
    assert await codes(TEST, id=for_all["id"]) == await codes(RESEND, id=foreign["id"]) == ["NOT_FOUND"]
    assert await codes(REPLAY, id=for_all["id"], **since) == ["NOT_FOUND"]


async def test_who_was_off_goes_on_where_it_stopped(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    await webhooks.update(endpoint["id"], enabled=False)
    await make_tags(robot, channel, "Spring")
    await post.deliver(channel)
    assert hook.requests == []

    await webhooks.update(endpoint["id"], enabled=True)
    await post.deliver(channel)
    assert names_told(hook) == ["Spring"]


async def test_who_was_off_for_so_long_that_its_feed_ended_is_told_so(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    await webhooks.update(endpoint["id"], enabled=False)
    await make_tags(robot, channel, "Spring")
    async with post.runtime.pool.acquire() as conn:
        for table in ("feed_entry", "feed_block", "feed"):
            await conn.execute(f"delete from {table}")  # noqa: S608 - one of three

    await webhooks.update(endpoint["id"], enabled=True)
    await post.deliver(channel)
    await make_tags(robot, channel, "Autumn")
    await post.deliver(channel)
    reset, *others = received_events(hook)
    assert reset["type"] == "feed.reset"
    assert [each["name"] for each in others] == ["Autumn"]


async def test_tags_of_the_filter_are_told_and_no_others(
    webhooks: Webhooks, robot: Robot, channel: str, hook: Receiver, post: Postman
) -> None:
    gone = await robot.create_ad_tag(channel, "Spring", "1")
    await webhooks.create(url=url_of(hook), events=EVENTS, tagIds=[gone])
    await make_tags(robot, channel, "Autumn")
    await robot.ask("mutation($id: ID!) { deleteTag(id: $id) { tag { id } } }", id=gone)
    await post.deliver(channel)

    assert [(each["type"], each["tagId"]) for each in received_events(hook)] == [("tag.deleted", gone)]


async def test_a_channel_that_is_bound_later_is_told_from_its_first_tag_on(
    webhooks: Webhooks, robot: Robot, hook: Receiver, post: Postman
) -> None:
    await webhooks.create(url=url_of(hook), events=["TAG_CREATED", "CHANNEL_STATE_CHANGED"])
    channel = (await robot.bind())["id"]
    await post.deliver(channel)

    types = [each["type"] for each in received_events(hook)]
    assert types == ["tag.created"] * 8 + ["channel.state_changed"]
    assert {each["channelId"] for each in received_events(hook)} == {channel}


async def test_changes_of_an_endpoint_lose_nothing_that_is_being_delivered(
    webhooks: Webhooks, robot: Robot, channel: str, endpoint: dict[str, Any], hook: Receiver, post: Postman
) -> None:
    secrets = [endpoint["secret"]]

    async def change() -> None:
        for number in range(6):
            await webhooks.update(endpoint["id"], description=f"change {number}", events=[*EVENTS, "TAG_UPDATED"])
            secrets.append(endpoint_in(await robot.ask(ROTATE, id=endpoint["id"]))["secret"])
            await webhooks.update(endpoint["id"], enabled=False)
            await webhooks.update(endpoint["id"], enabled=True)

    async def happen() -> None:
        for number in range(12):
            await robot.record(channel, event_input(f"o{number}", "FOLLOW"))
            await make_tags(robot, channel, f"Tag {number}")
            await post.deliver(channel)

    await asyncio.gather(change(), happen())
    await post.deliver(channel)

    told = {request.headers["webhook-id"]: orjson.loads(request.body)["events"] for request in hook.requests}
    events = [event for each in told.values() for event in each]
    assert [each["name"] for each in events if each["type"] == "tag.created"] == [f"Tag {n}" for n in range(12)]
    assert len({each["userId"] for each in events if each["type"] == "user.tags_changed"}) == 12
    for request in hook.requests:
        assert any(_verifies(secret, request.body, dict(request.headers)) for secret in secrets)


def _verifies(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True
