"""Send a list again under its idempotency key, whatever happened since: the first receipt, and nothing changes.

The rule: docs/specification.md §4.2.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.robot import Robot, table_digests

SUBMIT = """
mutation Submit($input: SubmitReturnDataInput!) {
  submitReturnData(input: $input) { replayed receipt { id added newUsers expiresAt tag { id name } } }
}
"""
RENAME = 'mutation($id: ID!) { renameTag(id: $id, name: "Gold") { tag { id } } }'
DELETE = "mutation($id: ID!) { deleteTag(id: $id) { tag { id } } }"
FORGET = "mutation($c: ID!, $o: String!) { forgetUser(channelId: $c, openid: $o) { forgotten } }"
UNBIND = "mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }"
UNDO = "mutation($id: ID!) { undoReturnBatch(receiptId: $id) { removed } }"

Payload = dict[str, Any]
Happening = Callable[[Robot, str, Payload], Awaitable[object]]


@pytest.fixture
async def channel(robot: Robot) -> str:
    identifier: str = (await robot.bind())["id"]
    return identifier


def request(channel: str, **given: Any) -> dict[str, Any]:
    fields = {"channelId": channel, "category": "Level", "label": " Gold ", "openids": ["ada", "bob"]}
    return {**fields, "idempotencyKey": "night", **given}


async def submit(robot: Robot, given: dict[str, Any]) -> Payload:
    payload: Payload = (await robot.ask(SUBMIT, "integrator", input=given))["submitReturnData"]
    return payload


async def tag_deleted(robot: Robot, channel: str, first: Payload) -> None:
    del channel
    await robot.ask(DELETE, id=first["receipt"]["tag"]["id"])


async def tag_renamed_and_name_taken(robot: Robot, channel: str, first: Payload) -> None:
    await tag_deleted(robot, channel, first)
    other = (await submit(robot, request(channel, label="Other", idempotencyKey="other")))["receipt"]["tag"]["id"]
    assert (await robot.ask(RENAME, id=other))["renameTag"]


async def person_forgotten(robot: Robot, channel: str, first: Payload) -> None:
    del first
    await robot.ask(FORGET, c=channel, o="ada")


async def batch_undone(robot: Robot, channel: str, first: Payload) -> None:
    del channel
    await robot.ask(UNDO, id=first["receipt"]["id"])


async def channel_unbound(robot: Robot, channel: str, first: Payload) -> None:
    del first
    await robot.ask(UNBIND, id=channel)


@pytest.mark.parametrize("mode", ["ADD", "REPLACE"])
@pytest.mark.parametrize(
    "happens", [tag_deleted, tag_renamed_and_name_taken, person_forgotten, batch_undone, channel_unbound]
)
async def test_a_retry_returns_the_first_receipt_and_changes_nothing(
    robot: Robot, channel: str, happens: Happening, mode: str
) -> None:
    given = request(channel, mode=mode)
    first = await submit(robot, given)
    if not (happens is batch_undone and mode == "REPLACE"):
        await happens(robot, channel, first)
    before = await table_digests(robot.web)

    again = await submit(robot, given)
    assert again["replayed"]
    assert (again["receipt"]["id"], again["receipt"]["added"]) == (first["receipt"]["id"], 2)
    assert again["receipt"]["tag"]["id"] == first["receipt"]["tag"]["id"]
    assert await table_digests(robot.web) == before


async def test_a_removal_is_not_made_again_though_its_tag_is_gone(robot: Robot, channel: str) -> None:
    await submit(robot, request(channel))
    given = request(channel, mode="REMOVE", idempotencyKey="removal")
    first = await submit(robot, given)
    await tag_deleted(robot, channel, first)

    again = await submit(robot, given)
    assert (again["replayed"], again["receipt"]["id"]) == (True, first["receipt"]["id"])


async def test_a_token_that_is_not_for_the_channel_learns_nothing_by_a_key(robot: Robot, channel: str) -> None:
    await submit(robot, request(channel))
    other = (await robot.bind(2))["id"]
    narrowed = robot.token("integrator", channels=[other])

    answer = await robot.web.run(SUBMIT, token=narrowed, input=request(channel))
    assert answer.code == "NOT_FOUND"
    foreign = Robot(robot.web, f"{robot.name}b")
    await foreign.bind()
    assert (await foreign.ask(SUBMIT, "integrator", input=request(channel))).code == "NOT_FOUND"
