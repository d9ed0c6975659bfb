"""Refuse bad input with a code, naming all failing inputs at once, and change nothing."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.robot import BIND, RECORD, Robot, event_input, iso_time_ago, table_digests
from tests.support.web import GraphqlResponse

UPDATE = "mutation($input: UpdateChannelInput!) { updateChannel(input: $input) { channel { name verified } } }"
CHANNEL_TAGS = """
query($id: ID!, $first: Int!, $after: String) {
  channel(id: $id) { tags(first: $first, after: $after) { totalCount } }
}
"""
HISTORY = """
query($c: ID!, $first: Int!) { user(channelId: $c, openid: "ada") { tagHistory(first: $first) { nodes { at } } } }
"""


def failing(answer: GraphqlResponse) -> dict[str, str]:
    """Return the failing inputs of the only error, `{path: code}`."""
    assert answer.code == "BAD_USER_INPUT"
    return {field["path"]: field["code"] for field in answer.error["extensions"]["fields"]}


@pytest.fixture
async def channel(robot: Robot) -> str:
    return str((await robot.bind())["id"])


@pytest.mark.parametrize(
    "at",
    [
        "2026-01-01T00:00:00",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "1767225600",
        1767225600,
        1767225600.5,
        1767225600000,
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:01Z",
        "0001-01-01T00:00:00+14:00",
        "yesterday",
        "",
        True,
        None,
    ],
)
async def test_a_time_is_rfc_3339_with_an_offset(robot: Robot, channel: str, at: Any) -> None:
    before = await table_digests(robot.web)
    good, bad = event_input("ada", "FOLLOW"), event_input("bob", "FOLLOW") | {"at": at}
    answer = await robot.ask(RECORD, input={"channelId": channel, "events": [good, bad]})

    assert (answer.code, answer.data) == ("BAD_USER_INPUT", None)
    assert "events[1].at" in answer.error["message"]
    assert await table_digests(robot.web) == before


@pytest.mark.parametrize("at", ["2026-01-01T08:00:00+08:00", "2026-01-01t00:00:00z", "2025-12-31 19:00:00.0-05:00"])
async def test_any_offset_will_do(robot: Robot, channel: str, at: str) -> None:
    await robot.record(channel, event_input("ada", "FOLLOW") | {"at": at})

    answer = await robot.ask('query($c: ID!) { user(channelId: $c, openid: "ada") { followedAt } }', c=channel)
    assert answer["user"]["followedAt"] == "2026-01-01T00:00:00Z"


async def test_entries_are_rejected_one_by_one_and_the_others_kept(robot: Robot, channel: str) -> None:
    recorded = await robot.record(
        channel,
        event_input("ada", "FOLLOW"),
        event_input("bob", "FOLLOW", -timedelta(minutes=6)),
        event_input("o p", "FOLLOW"),
        event_input("x" * 129, "FOLLOW"),
        event_input("", "FOLLOW"),
        event_input("cat", "MESSAGE", adIds=["1"]),
        event_input("dan", "SCAN", fromAd=True),
        event_input("fay", "FOLLOW", adIds=[""]),
        event_input("gus", "FOLLOW", adIds=["1"] * 101),
        event_input("hal", "FOLLOW") | {"at": "1970-01-21T00:00:00Z"},
        event_input("eve", "FOLLOW", -timedelta(minutes=4)),
    )

    assert recorded["accepted"] == 2
    assert [(rejected["index"], rejected["code"]) for rejected in recorded["rejected"]] == [
        (1, "TIME_IN_FUTURE"),
        (2, "MALFORMED_OPENID"),
        (3, "MALFORMED_OPENID"),
        (4, "MALFORMED_OPENID"),
        (5, "BAD_VALUE"),
        (6, "BAD_VALUE"),
        (7, "BAD_VALUE"),
        (8, "BAD_VALUE"),
        (9, "BAD_VALUE"),
    ]
    assert all(rejected["reason"] for rejected in recorded["rejected"])
    answer = await robot.ask("query($c: ID!) { channel(id: $c) { userCount } }", c=channel)
    assert answer["channel"]["userCount"] == 2


async def test_nobody_follows_a_mini_program(robot: Robot) -> None:
    channel = (await robot.bind(kind="MINI_PROGRAM"))["id"]

    recorded = await robot.record(
        channel, event_input("ada", "FOLLOW"), event_input("ada", "UNFOLLOW"), event_input("ada", "MESSAGE")
    )
    assert recorded["accepted"] == 1
    assert [(each["index"], each["code"]) for each in recorded["rejected"]] == [(0, "BAD_VALUE"), (1, "BAD_VALUE")]


async def test_more_than_ten_thousand_events_are_refused(robot: Robot, channel: str) -> None:
    events = [
        {"openid": f"o{number % 9}", "kind": "SCAN", "at": iso_time_ago(timedelta(hours=1))} for number in range(10_001)
    ]
    before = await table_digests(robot.web)
    refused = await robot.ask(RECORD, input={"channelId": channel, "events": events})

    assert (refused.code, refused.data) == ("LIMIT_EXCEEDED", None)
    assert await table_digests(robot.web) == before


async def test_no_events_are_recorded_as_none(robot: Robot, channel: str) -> None:
    assert await robot.record(channel) == {"accepted": 0, "rejected": []}


@pytest.mark.parametrize("first", [0, -1, 201, 2**31 - 1, -(2**31)])
async def test_a_page_has_1_to_200_entries(robot: Robot, channel: str, first: int) -> None:
    await robot.record(channel, event_input("ada", "FOLLOW"))

    assert (await robot.ask(CHANNEL_TAGS, id=channel, first=first)).code == "LIMIT_EXCEEDED"
    assert (await robot.ask(HISTORY, c=channel, first=first)).code == "LIMIT_EXCEEDED"
    for allowed in (1, 200):
        assert (await robot.ask(CHANNEL_TAGS, id=channel, first=allowed)).errors == []
        assert (await robot.ask(HISTORY, c=channel, first=allowed)).errors == []


@pytest.mark.parametrize("first", [2**31, -(2**31) - 1, 1.5, "10", True, None])
async def test_an_int_is_a_whole_number_of_32_bits(robot: Robot, channel: str, first: Any) -> None:
    assert (await robot.ask(CHANNEL_TAGS, id=channel, first=first)).code == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "after",
    ["", "nonsense", "🍵", "x" * 70_000, "Y2hhbmdlOjE", "dGFnOi0x", "dGFnOjk5OTk5OTk5OTk5OTk5OTk5OTk5", "dGFnOjk5OTk"],
    ids=["empty", "nonsense", "not ASCII", "long", "change:1", "tag:-1", "tag:99999999999999999999", "tag:9999"],
)
async def test_a_cursor_of_another_list_is_refused(robot: Robot, channel: str, after: str) -> None:
    answer = await robot.ask(CHANNEL_TAGS, id=channel, first=10, after=after)

    assert failing(answer) == {"after": "BAD_CURSOR"}


async def test_a_cursor_of_the_tag_list_is_refused_in_a_history(robot: Robot, channel: str) -> None:
    await robot.record(channel, event_input("ada", "FOLLOW"))
    history = 'query($c: ID!) { user(channelId: $c, openid: "ada") { tagHistory(after: "dGFnOjE") { nodes { at } } } }'

    assert failing(await robot.ask(history, c=channel)) == {"after": "BAD_CURSOR"}


@pytest.mark.parametrize("name", ["name", "verified", "appSecret", "callbackToken", "encodingAesKey"])
async def test_null_is_no_way_to_leave_a_field_as_it_is(robot: Robot, channel: str, name: str) -> None:
    before = await table_digests(robot.web)

    assert failing(await robot.ask(UPDATE, input={"id": channel, name: None})) == {f"input.{name}": "NULL"}
    assert await table_digests(robot.web) == before
    assert (await robot.ask(UPDATE, input={"id": channel}))["updateChannel"]["channel"]["name"] == "Tea house"


async def test_all_failing_inputs_of_an_update_come_at_once(robot: Robot, channel: str) -> None:
    before = await table_digests(robot.web)
    given = {"id": channel, "name": " ", "callbackToken": "no!", "encodingAesKey": "short"}
    answer = await robot.ask(UPDATE, input=given)

    assert failing(answer) == {
        "input.name": "BAD_LENGTH",
        "input.callbackToken": "BAD_FORMAT",
        "input.encodingAesKey": "BAD_FORMAT",
    }
    nulls = await robot.ask(UPDATE, input={"id": channel, "name": None, "appSecret": None})
    assert failing(nulls) == {"input.name": "NULL", "input.appSecret": "NULL"}
    assert all(field["message"] for field in answer.error["extensions"]["fields"])
    assert await table_digests(robot.web) == before


async def test_all_failing_inputs_of_a_binding_come_at_once(robot: Robot) -> None:
    before = await table_digests(robot.web)
    given = {
        "kind": "SERVICE_ACCOUNT",
        "appId": "gh_1",
        "name": "x" * 65,
        "verified": True,
        "appSecret": "ü",
        "callbackToken": "xx",
        "encodingAesKey": "A" * 42,
    }

    assert failing(await robot.ask(BIND, input=given)) == {
        "input.appId": "BAD_FORMAT",
        "input.name": "BAD_LENGTH",
        "input.appSecret": "BAD_FORMAT",
        "input.callbackToken": "BAD_FORMAT",
        "input.encodingAesKey": "BAD_FORMAT",
    }
    assert await table_digests(robot.web) == before


@pytest.mark.parametrize(
    ("name", "code"),
    [("", "BAD_LENGTH"), ("  \t", "BAD_LENGTH"), ("a\nb", "BAD_CHARACTER"), ("a\0b", "BAD_CHARACTER")],
)
async def test_a_name_has_1_to_64_printable_characters(robot: Robot, channel: str, name: str, code: str) -> None:
    assert failing(await robot.ask(UPDATE, input={"id": channel, "name": name})) == {"input.name": code}
    renamed = await robot.ask(UPDATE, input={"id": channel, "name": " Cafe\u0301 " + "茶" * 59})
    assert renamed["updateChannel"]["channel"]["name"] == "Café " + "茶" * 59


async def test_an_account_does_not_become_one_of_another_kind(robot: Robot, channel: str) -> None:
    before = await table_digests(robot.web)
    given = {"kind": "MINI_PROGRAM", "appId": robot.app_id(), "name": "Tea house", "verified": True}

    assert failing(await robot.ask(BIND, input=given)) == {"input.kind": "KIND_CHANGED"}
    assert await table_digests(robot.web) == before


@pytest.mark.parametrize("openid", ["", "o p", "x" * 129, "ö", "a\0b"])
async def test_a_malformed_openid_is_named(robot: Robot, channel: str, openid: str) -> None:
    one = "query($c: ID!, $o: String!) { user(channelId: $c, openid: $o) { id } }"
    many = "query($c: ID!, $o: [String!]!) { users(channelId: $c, openids: $o) { id } }"

    assert failing(await robot.ask(one, c=channel, o=openid)) == {"openid": "MALFORMED_OPENID"}
    assert failing(await robot.ask(many, c=channel, o=["ada", openid, openid])) == {
        "openids.1": "MALFORMED_OPENID",
        "openids.2": "MALFORMED_OPENID",
    }
    assert failing(await robot.ask(many, c=channel, o=[openid])) == {"openids.0": "MALFORMED_OPENID"}


async def test_at_most_100_at_once(robot: Robot, channel: str) -> None:
    users = "query($c: ID!, $o: [String!]!) { users(channelId: $c, openids: $o) { id } }"
    nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert (await robot.ask(users, c=channel, o=["ada"] * 101)).code == "LIMIT_EXCEEDED"
    assert (await robot.ask(users, c=channel, o=["ada"] * 100))["users"] == [None] * 100
    assert (await robot.ask(nodes, ids=[channel] * 101)).code == "LIMIT_EXCEEDED"
    assert (await robot.ask(nodes, ids=[channel] * 100))["nodes"] == [{"id": channel}] * 100


@pytest.mark.parametrize(
    "query",
    [
        "{ viewer { ",
        "{ viewer { nothing } }",
        "{ nothing }",
        "query($x: Nothing) { viewer { id } }",
        '{ channel(id: "x", extra: 1) { id } }',
        "{ channel { id } }",
        "mutation { bindChannel(input: {kind: NOTHING}) { channel { id } } }",
        "{ viewer }",
        "{ channels { ...Missing } }",
    ],
)
async def test_what_graphql_itself_refuses_is_bad_user_input(robot: Robot, query: str) -> None:
    answer = await robot.ask(query)

    assert answer.codes
    assert set(answer.codes) == {"BAD_USER_INPUT"}
    assert answer.data is None


async def test_one_refusal_leaves_its_neighbours_answers(robot: Robot, channel: str) -> None:
    query = "query($good: ID!, $bad: ID!) { good: channel(id: $good) { id } bad: channel(id: $bad) { id } }"
    answer = await robot.ask(query, good=channel, bad="nothing")

    assert answer.data == {"good": {"id": channel}, "bad": None}
    assert (answer.code, answer.error["path"]) == ("NOT_FOUND", ["bad"])
