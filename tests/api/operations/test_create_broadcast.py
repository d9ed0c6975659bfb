"""Make and preview broadcasts as clients do.

The rule: docs/specification.md §6.6.
"""

from datetime import timedelta
from typing import Any, Final

import pytest

from service.entities.principal import Role
from tests.support.robot import Robot, event_input, iso_time_ago

CREATE: Final = """
mutation($input: CreateBroadcastInput!) {
  createBroadcast(input: $input) {
    replayed
    broadcast {
      id state waitingFor name kind startAt createdBy holdOutPercent planned
      audience { operator text flat { operator tag { name } broadcast { id } } operands { broadcast { id name } } }
      repeat { every at } nextRunAt
    }
  }
}
"""
PREVIEW: Final = """
query($input: BroadcastPreviewInput!) {
  broadcastPreview(input: $input) {
    matched following sendable quotaLeft secondsNeeded earliestStart approvalNeeded warnings asOf
    held { reason count text users(first: 1) { nodes { openid } totalCount pageInfo { hasNextPage } } }
    unsendable { reason count users { nodes { openid } } }
  }
}
"""
AUDIENCE: Final = """
query($channelId: ID!, $expression: TagExpressionInput!) {
  audience(channelId: $channelId, expression: $expression) { count text users { nodes { openid } } }
}
"""
TEXT: Final = {"massText": {"text": "Spring tea is here."}}


@pytest.fixture
async def channel(robot: Robot) -> str:
    """Bind a channel with an app secret, where five people follow and one did."""
    channel: str = (await robot.bind(appSecret="c0ffee11" * 4))["id"]
    await robot.record(channel, *(event_input(f"p{number}", "FOLLOW", timedelta(minutes=9)) for number in range(6)))
    await robot.record(channel, event_input("p5", "UNFOLLOW"))
    return channel


async def create(robot: Robot, channel: str, key: str = "key", role: Role = Role.ADMIN, **given: Any) -> dict[str, Any]:
    fields = {"channelId": channel, "audience": {"followers": True}, "message": TEXT, "idempotencyKey": key} | given
    made: dict[str, Any] = (await robot.ask(CREATE, role=role, input=fields))["createBroadcast"]
    return made


async def test_a_broadcast_is_made_once_and_shown(robot: Robot, channel: str) -> None:
    made = await create(robot, channel, name="Spring", repeat={"every": "WEEK", "at": "09:00", "weekday": 1})

    broadcast = made["broadcast"]
    assert (made["replayed"], broadcast["state"], broadcast["waitingFor"]) == (False, "QUEUED", None)
    assert (broadcast["name"], broadcast["kind"], broadcast["planned"]) == ("Spring", "MASS_TEXT", 0)
    assert broadcast["audience"]["text"] == "Followers"
    assert broadcast["repeat"] == {"every": "WEEK", "at": "09:00"}
    assert broadcast["nextRunAt"] is not None
    again = await create(robot, channel, name="Spring", repeat={"every": "WEEK", "at": "09:00", "weekday": 1})
    assert (again["replayed"], again["broadcast"]["id"]) == (True, broadcast["id"])


async def test_whoever_received_one_can_be_left_out_of_the_next(robot: Robot, channel: str) -> None:
    first = (await create(robot, channel, name="First"))["broadcast"]["id"]
    rest = {"except": {"from": {"followers": True}, "remove": {"received": first}}}

    second = (await create(robot, channel, "second", audience=rest, confirmDuplicate=True))["broadcast"]

    audience = second["audience"]
    assert (audience["operator"], audience["text"]) == ("EXCEPT", "Followers − Received First")
    assert audience["flat"][2] == {"operator": "RECEIVED", "tag": None, "broadcast": {"id": first}}
    assert audience["operands"] == [{"broadcast": None}, {"broadcast": {"id": first, "name": "First"}}]
    counted = (await robot.ask(AUDIENCE, channelId=channel, expression=rest))["audience"]
    assert (counted["count"], counted["text"]) == (5, "Followers − Received First")
    agent = await robot.ask(AUDIENCE, role=Role.AGENT, channelId=channel, expression=rest)
    assert agent.codes == ["FORBIDDEN"]


async def test_every_wrong_input_is_named_as_it_was_written(robot: Robot, channel: str) -> None:
    given = {
        "channelId": channel,
        "audience": {"any": [{"followers": False}, {"tag": "nothing"}]},
        "message": {"template": {"templateId": "t", "data": [{"key": "thing1", "value": ""}]}},
        "idempotencyKey": "key",
        "startAt": iso_time_ago(timedelta(days=1)),
        "holdOutPercent": 60,
        "temporaryTag": True,
        "repeat": {"every": "MONTH", "at": "09:00", "dayOfMonth": 31},
    }

    answer = await robot.ask(CREATE, input=given)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert {each["path"] for each in answer.error["extensions"]["fields"]} == {
        "input.audience.any.0.followers",
        "input.audience.any.1.tag",
        "input.message.template.data.0.value",
        "input.startAt",
        "input.holdOutPercent",
        "input.temporaryTag",
        "input.repeat.dayOfMonth",
    }


async def test_a_key_of_another_request_conflicts(robot: Robot, channel: str) -> None:
    await create(robot, channel)
    given = {
        "channelId": channel,
        "audience": {"followers": True},
        "message": TEXT,
        "idempotencyKey": "key",
        "name": "B",
    }

    assert (await robot.ask(CREATE, input=given)).codes == ["CONFLICT"]


async def test_only_a_creator_overrides_the_policy(robot: Robot, channel: str) -> None:
    given = {"channelId": channel, "audience": {"followers": True}, "message": TEXT, "idempotencyKey": "key"}

    assert (await robot.ask(CREATE, input=given | {"ignoreCaps": True})).codes == ["FORBIDDEN"]
    assert (await create(robot, channel, role=Role.CREATOR, ignoreCaps=True))["replayed"] is False


async def test_a_preview_counts_everybody_once_and_names_who_is_held_back(robot: Robot, channel: str) -> None:
    tag = (await robot.tag_ids(channel, "p0"))["New user"]
    await robot.record(channel, event_input("p0", "MESSAGE"))
    given = {"channelId": channel, "audience": {"tag": tag}, "kind": "CUSTOMER_SERVICE_TEXT", "holdOutPercent": 50}

    found = (await robot.ask(PREVIEW, input=given))["broadcastPreview"]

    assert (found["matched"], found["following"], found["sendable"]) == (5, 5, 1)
    assert found["unsendable"] == [
        {
            "reason": "OUT_OF_WINDOW",
            "count": 4,
            "users": {"nodes": [{"openid": f"p{number}"} for number in range(1, 5)]},
        }
    ]
    held = sum(each["count"] for each in found["held"])
    assert found["secondsNeeded"] == 1 - held
    assert (found["quotaLeft"], found["approvalNeeded"]) == (None, False)
    for each in found["held"]:
        assert each["reason"] == "HOLD_OUT"
        assert each["users"] == {"nodes": [{"openid": "p0"}], "totalCount": 1, "pageInfo": {"hasNextPage": False}}


@pytest.mark.parametrize("kind", ["SERVICE_SUBSCRIPTION", "TEMPLATE", "MASS_TEXT"])
async def test_an_id_that_no_template_has_is_refused_before_it_is_looked_for(
    robot: Robot, channel: str, kind: str
) -> None:
    for template_id in ("a\0b", "a" * 65):
        given = {"channelId": channel, "audience": {"followers": True}, "kind": kind, "templateId": template_id}
        refused = await robot.ask(PREVIEW, input=given)
        assert refused.codes == ["BAD_USER_INPUT"]
        assert refused.error["extensions"]["fields"][0]["path"] == "input.templateId"


async def test_a_preview_of_what_cannot_be_sent_says_why(robot: Robot, channel: str) -> None:
    given = {"channelId": channel, "audience": {"followers": True}, "kind": "MINI_PROGRAM_SUBSCRIPTION"}

    answer = await robot.ask(PREVIEW, input=given)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert {each["path"] for each in answer.error["extensions"]["fields"]} == {"input.kind", "input.templateId"}
