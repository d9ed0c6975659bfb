"""The failing inputs of a refusal are named as the client wrote them."""

from typing import Any

import pytest

from tests.support.robot import CREATE_AD_TAG, CREATE_COMBO, EXPORT, Robot, event_input
from tests.support.sockets import OperationError

SUBMIT = "mutation($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { id } } }"
UNDO = "mutation($id: ID!) { undoReturnBatch(receiptId: $id) { kept } }"
CONFIRM = "mutation($id: ID!) { confirmAdReturnAddress(channelId: $id) { channel { id } } }"
RENAME = "mutation($id: ID!, $name: String!) { renameTag(id: $id, name: $name) { tag { name } } }"
UPDATE_COMBO = "mutation($input: UpdateComboTagInput!) { updateComboTag(input: $input) { tag { id } } }"
UPDATE_COMBO_BY_LITERAL = 'mutation($id: ID!) { again: updateComboTag(input: {id: $id, name: "x"}) { tag { id } } }'
UPDATE_AD_TAG = "mutation($input: UpdateAdTagInput!) { updateAdTag(input: $input) { tag { id } } }"
EDIT_PREVIEW = """
query($id: ID!, $expression: TagExpressionInput!) {
  comboTagEditPreview(id: $id, expression: $expression) { memberCount }
}
"""
AUDIENCE = """
query($id: ID!, $expression: TagExpressionInput!) { audience(channelId: $id, expression: $expression) { count } }
"""
OVERLAP = "query($ids: [ID!]!) { tagOverlap(tagIds: $ids) { both } }"
USER = "query($id: ID!, $openid: String!) { user(channelId: $id, openid: $openid) { id } }"
USERS = "query($id: ID!, $openids: [String!]!) { users(channelId: $id, openids: $openids) { id } }"
FORGET = "mutation($id: ID!, $openid: String!) { forgetUser(channelId: $id, openid: $openid) { forgotten } }"
PAGE = "subscription($id: ID!, $openid: String!) { userTags(channelId: $id, openid: $openid) { reset } }"
JOBS = 'query($id: ID!) { channel(id: $id) { jobs(after: "x") { nodes { id } } } }'


@pytest.fixture
async def channel(robot: Robot) -> str:
    """A channel that ada follows."""
    channel: str = (await robot.bind())["id"]
    await robot.record(channel, event_input("ada", "FOLLOW"))
    return channel


async def paths(robot: Robot, query: str, /, **variables: Any) -> list[str]:
    """The paths of all failing inputs of a request, in their order."""
    answer = await robot.ask(query, **variables)
    return [each["path"] for each in answer.error["extensions"]["fields"]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"category": "", "label": "x" * 65}, ["input.category", "input.label"]),
        ({"description": "x" * 1_001}, ["input.description"]),
        ({"idempotencyKey": "", "expiresAt": "2020-01-01T00:00:00Z"}, ["input.idempotencyKey", "input.expiresAt"]),
        ({"mode": "REMOVE", "expiresAt": "2099-01-01T00:00:00Z"}, ["input.expiresAt"]),
        ({"category": "Opening", "label": "Opened"}, ["input.label"]),
    ],
)
async def test_returned_data(robot: Robot, channel: str, given: dict[str, Any], expected: list[str]) -> None:
    submission = {"channelId": channel, "category": "Level", "label": "Gold", "openids": ["ada"]} | given
    assert await paths(robot, SUBMIT, input=submission) == expected


async def test_a_batch_that_was_not_added(robot: Robot, channel: str) -> None:
    submission = {"channelId": channel, "category": "Level", "label": "Gold", "openids": ["ada"], "mode": "REPLACE"}
    receipt = (await robot.ask(SUBMIT, input=submission))["submitReturnData"]["receipt"]
    assert await paths(robot, UNDO, id=receipt["id"]) == ["receiptId"]


async def test_ad_tags(robot: Robot, channel: str) -> None:
    mini = (await robot.bind(2, kind="MINI_PROGRAM"))["id"]
    malformed = {"channelId": mini, "name": "", "adIds": ["1", "\x07", "2", "\x08"]}
    expected = ["input.name", "input.adIds.1", "input.adIds.3", "input.channelId"]
    assert await paths(robot, CREATE_AD_TAG, input=malformed) == expected
    assert await paths(robot, CONFIRM, id=mini) == ["channelId"]
    tag = await robot.create_ad_tag(channel, "Spring", "1")
    await robot.create_ad_tag(channel, "Summer", "2")
    assert await paths(robot, UPDATE_AD_TAG, input={"id": tag, "adIds": []}) == ["input.adIds"]
    assert await paths(robot, UPDATE_AD_TAG, input={"id": tag, "name": "Summer"}) == ["input.name"]
    assert await paths(robot, UPDATE_AD_TAG, input={"id": tag, "adIds": None}) == ["input.adIds"]
    assert await paths(robot, RENAME, id=tag, name="") == ["name"]
    assert await paths(robot, RENAME, id=tag, name="Summer") == ["name"]


async def test_expressions(robot: Robot, channel: str) -> None:
    tag = await robot.create_ad_tag(channel, "Spring", "1")
    wrong = {"any": [{"tag": "nonsense"}, {"except": {"from": {"tag": channel}, "remove": {"all": []}}}]}
    below = ["any.1.except.remove.all", "any.0.tag", "any.1.except.from.tag"]
    assert await paths(robot, AUDIENCE, id=channel, expression=wrong) == [f"expression.{each}" for each in below]
    combo = {"channelId": channel, "name": "Tea", "expression": wrong}
    for query, given in ((EXPORT, {"channelId": channel, "expression": wrong}), (CREATE_COMBO, combo)):
        assert await paths(robot, query, input=given) == [f"input.expression.{each}" for each in below]
    assert await paths(robot, UPDATE_COMBO, input={"id": tag, "name": "x"}) == ["input.id"]
    assert await paths(robot, UPDATE_COMBO_BY_LITERAL, id=tag) == ["input.id"]
    assert await paths(robot, EDIT_PREVIEW, id=tag, expression={"tag": tag}) == ["id"]
    assert await paths(robot, OVERLAP, ids=[tag]) == ["tagIds"]
    assert await paths(robot, OVERLAP, ids=[tag, tag]) == ["tagIds.1"]


async def test_openids_and_cursors(robot: Robot, channel: str) -> None:
    for query in (USER, FORGET):
        assert await paths(robot, query, id=channel, openid="no good") == ["openid"]
    assert await paths(robot, USERS, id=channel, openids=["ada", "", "bob", "no good"]) == ["openids.1", "openids.3"]
    assert await paths(robot, USERS, id=channel, openids=["no good"]) == ["openids.0"]
    assert await paths(robot, JOBS, id=channel) == ["after"]
    async with robot.web.socket(robot.token()) as socket:
        page = await socket.subscribe(PAGE, id=channel, openid="no good")
        with pytest.raises(OperationError) as refused:
            await page.next()
    assert [each["path"] for each in refused.value.errors[0]["extensions"]["fields"]] == ["openid"]
