"""Make ad tags, confirm their address and see them on panels and pages.

The rule: docs/specification.md §4.3.
"""

from typing import Any

import pytest

from service.entities.ids import gid, parse_gid
from tests.support.audit import audit_rows_at
from tests.support.robot import CREATE_AD_TAG, Robot, event_input

UPDATE = """
mutation Update($input: UpdateAdTagInput!) {
  updateAdTag(input: $input) { tag { id name description version adIds state memberCount } }
}
"""
CONFIRM = """
mutation Confirm($c: ID!) {
  confirmAdReturnAddress(channelId: $c) { channel { adReturnConfirmed } activated { id state adIds } }
}
"""
WHY = """
query Why($c: ID!, $o: String!) {
  user(channelId: $c, openid: $o) {
    tags { tag { name __typename } why until since evidence { ... on AdEvidence { adIds at } } }
  }
}
"""
FORGET = "mutation($c: ID!, $o: String!) { forgetUser(channelId: $c, openid: $o) { forgotten forgottenUserId } }"


async def test_from_pending_to_active(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    given = {"channelId": channel, "name": " Spring ", "description": "Warm", "adIds": ["1\n2", "2", " "]}
    made = (await robot.ask(CREATE_AD_TAG, input=given))["createAdTag"]["tag"]
    assert made == {
        "id": made["id"],
        "name": "Spring",
        "category": "Advertising",
        "description": "Warm",
        "state": "PENDING",
        "memberCount": 0,
        "version": 1,
        "adIds": ["1", "2"],
    }

    confirmed = (await robot.ask(CONFIRM, c=channel))["confirmAdReturnAddress"]
    assert confirmed == {
        "channel": {"adReturnConfirmed": True},
        "activated": [{"id": made["id"], "state": "ACTIVE", "adIds": ["1", "2"]}],
    }
    assert (await robot.ask(CONFIRM, c=channel))["confirmAdReturnAddress"]["activated"] == []


async def test_an_absent_field_stays_and_null_clears_only_the_description(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    tag = await robot.create_ad_tag(channel, "Spring", "1")

    async def update(**given: Any) -> dict[str, Any]:
        edited: dict[str, Any] = (await robot.ask(UPDATE, input={"id": tag, **given}))["updateAdTag"]["tag"]
        return edited

    assert (await update(description="Warm"))["description"] == "Warm"
    assert (await update(adIds=["3"]))["adIds"] == ["3"]
    assert (await update(name="Summer", expectedVersion=3))["description"] == "Warm"
    cleared = await update(description=None)
    assert (cleared["name"], cleared["description"], cleared["adIds"], cleared["version"]) == ("Summer", None, ["3"], 5)
    refused = await robot.ask(UPDATE, input={"id": tag, "name": None, "adIds": None})
    assert [field["path"] for field in refused.error["extensions"]["fields"]] == ["input.name", "input.adIds"]
    assert (await robot.ask(UPDATE, input={"id": tag, "expectedVersion": 4})).code == "CONFLICT"


async def test_an_update_that_changes_nothing_is_none(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    tag = await robot.create_ad_tag(channel, "Spring", "1", "2")
    database_url = robot.web.settings.database_url or ""
    before = await audit_rows_at(database_url, robot.name)
    again = await robot.ask(UPDATE, input={"id": tag, "name": "Spring", "adIds": ["1", "2"]})
    assert again["updateAdTag"]["tag"]["version"] == 1
    assert await audit_rows_at(database_url, robot.name) == before


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"adIds": []}, "BAD_USER_INPUT"),
        ({"name": ""}, "BAD_USER_INPUT"),
        ({"name": "Taken"}, "NAME_TAKEN"),
        ({"adIds": [str(number) for number in range(1_001)]}, "LIMIT_EXCEEDED"),
    ],
)
async def test_refusals_have_their_codes(given: dict[str, Any], code: str, robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await robot.create_ad_tag(channel, "Taken", "1")
    tag = await robot.create_ad_tag(channel, "Other", "1")

    made = {"channelId": channel, "name": "New", "adIds": ["1"]} | given
    assert (await robot.ask(CREATE_AD_TAG, input=made)).code == code
    assert (await robot.ask(UPDATE, input={"id": tag} | given)).code == code


async def test_default_tags_are_protected_and_a_closed_gate_refuses(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    parsed = parse_gid(channel, "Channel", 1)
    assert parsed
    tag = await robot.create_ad_tag(channel, "Spring", "1")
    assert (await robot.ask(UPDATE, input={"id": gid("Tag", *parsed, 1), "name": "x"})).code == "TAG_PROTECTED"
    await robot.ask("mutation($c: ID!) { unbindChannel(id: $c) { channel { id } } }", c=channel)

    given = {"channelId": channel, "name": "Summer", "adIds": ["1"]}
    assert (await robot.ask(CREATE_AD_TAG, input=given)).code == "CHANNEL_NOT_BOUND"
    assert (await robot.ask(UPDATE, input={"id": tag, "name": "x"})).code == "CHANNEL_NOT_BOUND"
    assert (await robot.ask(CONFIRM, c=channel))["confirmAdReturnAddress"]["activated"] == []


async def test_the_conversation_page_says_which_ad_is_behind_a_tag(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await robot.create_ad_tag(channel, "Spring", "1", "2")
    await robot.create_ad_tag(channel, "Summer", "3")
    await robot.ask(CONFIRM, c=channel)
    await robot.record(channel, event_input("ada", "FOLLOW", adIds=["2", "3"]))

    tags = (await robot.ask(WHY, "agent", c=channel, o="ada"))["user"]["tags"]
    found = {each["tag"]["name"]: each for each in tags if each["tag"]["__typename"] == "AdTag"}
    assert set(found) == {"Spring", "Summer"}
    spring = found["Spring"]
    assert spring["why"].startswith("Followed through ad 2 on ")
    assert (spring["evidence"]["adIds"], spring["until"]) == (["2"], None)
    assert spring["since"] is not None
    assert spring["evidence"]["at"] is not None


async def test_a_forgotten_person_is_not_found_and_comes_back_as_somebody_else(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await robot.record(channel, event_input("ada", "FOLLOW"), event_input("ben", "FOLLOW"))
    ada = (await robot.ask('query($c: ID!) { user(channelId: $c, openid: "ada") { id } }', c=channel))["user"]["id"]

    assert (await robot.ask(FORGET, c=channel, o="ada"))["forgetUser"] == {"forgotten": True, "forgottenUserId": ada}
    nobody = {"forgotten": False, "forgottenUserId": None}
    assert (await robot.ask(FORGET, c=channel, o="ada"))["forgetUser"] == nobody
    assert (await robot.ask("query($id: ID!) { node(id: $id) { id } }", id=ada)).code == "NOT_FOUND"
    counts = (await robot.ask("query($c: ID!) { channel(id: $c) { userCount followerCount } }", c=channel))["channel"]
    assert counts == {"userCount": 1, "followerCount": 1}
    await robot.record(channel, event_input("ada", "FOLLOW"))
    assert (await robot.ask(WHY, c=channel, o="ada"))["user"] is None, "that was before"
    assert (await robot.ask(FORGET, c=channel, o="a b")).code == "BAD_USER_INPUT"
