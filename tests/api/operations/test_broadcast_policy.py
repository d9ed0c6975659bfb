"""Say when, how often and with whose consent broadcasts of a channel may send."""

from typing import Any

import pytest

from tests.support.robot import Robot, table_digests
from tests.support.web import GraphqlResponse

POLICY = """
  timeZone quietHours { from to } respectHolidays perPersonPerDay perPersonRolling { messages days }
  approvalAbove missedStartAfter duplicateWithinDays
"""
SHOW = f"query($id: ID!) {{ channel(id: $id) {{ broadcastPolicy {{ {POLICY} }} }} }}"
SET = f"""
mutation($input: BroadcastPolicyInput!) {{
  setBroadcastPolicy(input: $input) {{ channel {{ broadcastPolicy {{ {POLICY} }} }} }}
}}
"""
DEFAULT = {
    "timeZone": "Asia/Shanghai",
    "quietHours": None,
    "respectHolidays": False,
    "perPersonPerDay": None,
    "perPersonRolling": None,
    "approvalAbove": None,
    "missedStartAfter": 3600,
    "duplicateWithinDays": 7,
}
EVERYTHING = {
    "timeZone": "Europe/Dublin",
    "quietHours": {"from": "21:00", "to": "09:30"},
    "respectHolidays": True,
    "perPersonPerDay": 2,
    "perPersonRolling": {"messages": 5, "days": 31},
    "approvalAbove": 0,
    "missedStartAfter": 0,
    "duplicateWithinDays": 365,
}


@pytest.fixture
async def channel(robot: Robot) -> str:
    return str((await robot.bind())["id"])


async def change(robot: Robot, channel: str, /, role: str = "admin", **given: Any) -> GraphqlResponse:
    return await robot.ask(SET, role, input={"channelId": channel, **given})


async def shown(robot: Robot, channel: str, role: str = "admin") -> dict[str, Any]:
    policy: dict[str, Any] = (await robot.ask(SHOW, role, id=channel))["channel"]["broadcastPolicy"]
    return policy


@pytest.mark.parametrize("role", ["creator", "admin", "agent", "integrator"])
async def test_everybody_sees_that_a_new_channel_looks_for_late_starts_and_duplicates_only(
    robot: Robot, channel: str, role: str
) -> None:
    assert await shown(robot, channel, role) == DEFAULT


async def test_what_is_absent_stays_and_null_ends_a_rule(robot: Robot, channel: str) -> None:
    answer = await change(robot, channel, "creator", **EVERYTHING)
    assert answer["setBroadcastPolicy"]["channel"]["broadcastPolicy"] == EVERYTHING

    await change(robot, channel)
    assert await shown(robot, channel) == EVERYTHING
    await change(robot, channel, perPersonPerDay=3)
    assert await shown(robot, channel) == EVERYTHING | {"perPersonPerDay": 3}
    await change(robot, channel, "creator", **dict.fromkeys(EVERYTHING))
    assert await shown(robot, channel) == DEFAULT | {"missedStartAfter": 2**31 - 1, "duplicateWithinDays": 0}


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"timeZone": "Mars/Olympus"}, {"input.timeZone": "BAD_VALUE"}),
        ({"timeZone": ""}, {"input.timeZone": "BAD_VALUE"}),
        ({"quietHours": {"from": "9:00", "to": "24:00"}}, dict.fromkeys(["from", "to"], "BAD_FORMAT")),
        ({"quietHours": {"from": "09:00", "to": "09:00"}}, {"to": "BAD_VALUE"}),
        ({"perPersonRolling": {"messages": 0, "days": 32}}, dict.fromkeys(["messages", "days"], "OUT_OF_RANGE")),
        ({"perPersonPerDay": 0}, {"input.perPersonPerDay": "OUT_OF_RANGE"}),
        ({"perPersonPerDay": 1001}, {"input.perPersonPerDay": "OUT_OF_RANGE"}),
        ({"approvalAbove": -1}, {"input.approvalAbove": "OUT_OF_RANGE"}),
        ({"missedStartAfter": -1}, {"input.missedStartAfter": "OUT_OF_RANGE"}),
        ({"duplicateWithinDays": 366}, {"input.duplicateWithinDays": "OUT_OF_RANGE"}),
    ],
)
async def test_what_no_policy_can_say_is_refused_and_changes_nothing(
    robot: Robot, channel: str, given: dict[str, Any], wrong: dict[str, str]
) -> None:
    before = await table_digests(robot.web)
    name = next(iter(given))
    answer = await change(robot, channel, "creator", **given, respectHolidays=True)

    paths = {path if "." in path else f"input.{name}.{path}": code for path, code in wrong.items()}
    assert answer.code == "BAD_USER_INPUT"
    assert {field["path"]: field["code"] for field in answer.error["extensions"]["fields"]} == paths
    assert await table_digests(robot.web) == before


async def test_all_that_is_wrong_is_said_at_once(robot: Robot, channel: str) -> None:
    given = {
        "timeZone": "Shanghai",
        "quietHours": {"from": "", "to": "25:00"},
        "perPersonPerDay": -1,
        "perPersonRolling": {"messages": -1, "days": 0},
        "missedStartAfter": -1,
        "duplicateWithinDays": -1,
        "approvalAbove": -1,
    }
    answer = await change(robot, channel, "creator", **given)

    assert {field["path"].removeprefix("input.") for field in answer.error["extensions"]["fields"]} == {
        *("timeZone", "quietHours.from", "quietHours.to", "perPersonPerDay", "missedStartAfter"),
        *("perPersonRolling.messages", "perPersonRolling.days", "duplicateWithinDays", "approvalAbove"),
    }


async def test_only_a_creator_sets_or_loosens_who_has_to_agree(robot: Robot, channel: str) -> None:
    assert (await change(robot, channel, approvalAbove=100)).code == "FORBIDDEN"
    await change(robot, channel, "creator", approvalAbove=100)
    assert (await change(robot, channel, approvalAbove=101, perPersonPerDay=1)).code == "FORBIDDEN"
    assert (await change(robot, channel, approvalAbove=None)).code == "FORBIDDEN"
    assert await shown(robot, channel) == DEFAULT | {"approvalAbove": 100}

    # An admin may be stricter, and change whatever else there is.
    await change(robot, channel, approvalAbove=100, perPersonPerDay=1)
    await change(robot, channel, approvalAbove=99)
    assert await shown(robot, channel) == DEFAULT | {"approvalAbove": 99, "perPersonPerDay": 1}
    await change(robot, channel, "creator", approvalAbove=None)
    assert (await shown(robot, channel))["approvalAbove"] is None


async def test_each_channel_has_a_policy_of_its_own(robot: Robot, channel: str) -> None:
    other = (await robot.bind(2))["id"]
    await change(robot, channel, respectHolidays=True)
    answer = await robot.ask("{ channels { id broadcastPolicy { respectHolidays } } }")

    assert answer["channels"] == [
        {"id": channel, "broadcastPolicy": {"respectHolidays": True}},
        {"id": other, "broadcastPolicy": {"respectHolidays": False}},
    ]
