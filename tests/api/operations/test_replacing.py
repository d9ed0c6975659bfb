"""Replace the members of a tag: all or nothing, and never by a list of which nothing is left.

The rule: docs/specification.md §4.2.
"""

from typing import Any

import pytest

from tests.support.robot import Robot, table_digests

SUBMIT = """
mutation Submit($input: SubmitReturnDataInput!) {
  submitReturnData(input: $input) { receipt { added removed unmatched rejected { index } tag { memberCount } } }
}
"""
LINK = "mutation($input: LinkIdentitiesInput!) { linkIdentities(input: $input) { linked } }"


@pytest.fixture
async def channel(robot: Robot) -> str:
    """Bind a channel whose tag Level/Gold has two members."""
    identifier: str = (await robot.bind())["id"]
    await submit(robot, identifier, "ada", "bob", mode="ADD")
    return identifier


async def submit(robot: Robot, channel: str, *openids: str, **given: Any) -> dict[str, Any]:
    fields = {"channelId": channel, "category": "Level", "label": "Gold", "openids": openids, "mode": "REPLACE"}
    receipt: dict[str, Any] = (await robot.ask(SUBMIT, "integrator", input=fields | given))["submitReturnData"]
    return receipt["receipt"]  # type: ignore[no-any-return]


async def refusal(robot: Robot, channel: str, *openids: str, **given: Any) -> dict[str, Any]:
    """Return the error, after a check that nothing was written."""
    before = await table_digests(robot.web)
    fields = {"channelId": channel, "category": "Level", "label": "Gold", "openids": openids, "mode": "REPLACE"}
    answer = await robot.ask(SUBMIT, "integrator", input=fields | given)
    assert await table_digests(robot.web) == before
    error: dict[str, Any] = answer.error
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    return error


@pytest.mark.parametrize("openids", [["张三"], [""], [" ada"], ["x" * 129], ["ada\n"]])
@pytest.mark.parametrize("allow", [False, True])
async def test_a_list_of_which_nothing_is_usable_does_not_empty_a_tag(
    robot: Robot, channel: str, openids: list[str], allow: bool
) -> None:
    await refusal(robot, channel, *openids, **({"allowRejected": True} if allow else {}))
    assert await robot.tags(channel, "ada") == {"Gold"}


async def test_every_malformed_entry_is_named_up_to_a_hundred(robot: Robot, channel: str) -> None:
    few = await refusal(robot, channel, "ada", "张三", "eve", "", label="")
    named = [(each["path"], each["code"]) for each in few["extensions"]["fields"]]
    assert named == [
        ("input.label", "BAD_LENGTH"),
        ("input.openids.1", "MALFORMED_OPENID"),
        ("input.openids.3", "MALFORMED_OPENID"),
    ]
    many = await refusal(robot, channel, "ada", *["?"] * 9_999)
    assert len(many["extensions"]["fields"]) == 100
    assert "9,999 of 10,000" in many["message"]
    assert "allowed to go on without them" in many["message"]


async def test_malformed_entries_may_be_passed_over(robot: Robot, channel: str) -> None:
    receipt = await submit(robot, channel, "eve", "张三", allowRejected=True)

    assert (receipt["added"], receipt["removed"], receipt["rejected"]) == (1, 2, [{"index": 1}])
    assert receipt["tag"]["memberCount"] == 1


async def test_only_an_empty_list_empties(robot: Robot, channel: str) -> None:
    assert (await submit(robot, channel))["removed"] == 2
    assert await robot.tags(channel, "ada") == set()


async def test_a_list_of_which_nobody_is_matched_does_not_empty_a_tag(robot: Robot, channel: str) -> None:
    mini = (await robot.bind(2, kind="MINI_PROGRAM"))["id"]
    for where, prefix in ((channel, "oa"), (mini, "mp")):
        await robot.ask(LINK, input={"channelId": where, "pairs": [{"openid": f"{prefix}-1", "unionid": "union-1"}]})

    error = await refusal(robot, channel, "mp-8", "mp-9", openidsOf=mini)
    assert [(each["path"], each["code"]) for each in error["extensions"]["fields"]] == [
        ("input.openids", "NOTHING_USABLE")
    ]
    receipt = await submit(robot, channel, "mp-1", "mp-9", openidsOf=mini)
    assert (receipt["added"], receipt["removed"], receipt["unmatched"]) == (1, 2, ["mp-9"])


async def test_additions_and_removals_pass_malformed_entries_over_as_ever(robot: Robot, channel: str) -> None:
    assert (await submit(robot, channel, "eve", "张三", mode="ADD"))["added"] == 1
    assert (await submit(robot, channel, "eve", "张三", mode="REMOVE"))["removed"] == 1
