"""Look at the length of a text before anything else, wherever texts come in: nobody waits for a long one."""

from typing import Any

import pytest

from tests.support.robot import CREATE_AD_TAG, CREATE_COMBO, RECORD, Robot
from tests.support.stalls import assert_undisturbed

# Combining marks of two classes in turn: putting them in order takes time that grows with the square of their number.
MARKS = "\u0316\u0301" * 20_000
TAGS = """
query Tags($id: ID!, $search: String, $category: String) {
  channel(id: $id) { tags(search: $search, category: $category) { totalCount } }
}
"""
BIND = "mutation Bind($input: BindChannelInput!) { bindChannel(input: $input) { channel { id } } }"
UPDATE = "mutation Update($input: UpdateChannelInput!) { updateChannel(input: $input) { channel { id } } }"
RENAME = "mutation Rename($id: ID!, $name: String!) { renameTag(id: $id, name: $name) { tag { id } } }"
SUBMIT = "mutation Submit($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { added } } }"
ACCOUNT = {"kind": "SERVICE_ACCOUNT", "verified": True, "appId": "wx0123456789abcdef"}
LIST = {"category": "Level", "label": "Gold", "openids": ["ada"]}


@pytest.fixture
async def channel(robot: Robot) -> str:
    return str((await robot.bind())["id"])


@pytest.mark.parametrize(
    ("operation", "given", "field"),
    [
        (BIND, ACCOUNT | {"name": MARKS}, "name"),
        (UPDATE, {"id": "$channel", "name": MARKS}, "name"),
        (CREATE_COMBO, {"channelId": "$channel", "name": MARKS, "expression": {"tag": "$tag"}}, "name"),
        (CREATE_AD_TAG, {"channelId": "$channel", "name": MARKS, "adIds": ["1"]}, "name"),
        (CREATE_AD_TAG, {"channelId": "$channel", "name": "Spring", "adIds": [MARKS]}, "adIds.0"),
        (SUBMIT, LIST | {"channelId": "$channel", "category": MARKS}, "category"),
        (SUBMIT, LIST | {"channelId": "$channel", "label": MARKS, "idempotencyKey": "k"}, "label"),
        (SUBMIT, LIST | {"channelId": "$channel", "description": MARKS}, "description"),
        (SUBMIT, LIST | {"channelId": "$channel", "idempotencyKey": MARKS}, "idempotencyKey"),
    ],
)
async def test_a_long_text_is_refused_at_once(
    robot: Robot, channel: str, operation: str, given: dict[str, Any], field: str
) -> None:
    tag_id = await robot.create_ad_tag(channel, "Summer", "2")
    known = {"$channel": channel, "$tag": tag_id}
    filled = {name: known.get(value, value) if isinstance(value, str) else value for name, value in given.items()}
    if "expression" in filled:
        filled["expression"] = {"tag": tag_id}

    async def send() -> None:
        answer = await robot.ask(operation, input=filled)
        assert answer.code == "BAD_USER_INPUT"
        assert [each["path"] for each in answer.errors[0]["extensions"]["fields"]] == [f"input.{field}"]

    await assert_undisturbed(robot.web.url, send)


async def test_a_long_name_of_a_tag_is_refused_at_once(robot: Robot, channel: str) -> None:
    tag_id = await robot.create_ad_tag(channel, "Summer", "2")

    async def send() -> None:
        assert (await robot.ask(RENAME, id=tag_id, name=MARKS)).code == "BAD_USER_INPUT"

    await assert_undisturbed(robot.web.url, send)


async def test_no_tag_is_found_for_a_long_text_at_once(robot: Robot, channel: str) -> None:
    async def send() -> None:
        for given in ({"search": MARKS}, {"category": MARKS}):
            assert (await robot.ask(TAGS, id=channel, **given))["channel"]["tags"]["totalCount"] == 0

    await assert_undisturbed(robot.web.url, send)


async def test_events_with_long_ids_of_ads_are_rejected_at_once(robot: Robot, channel: str) -> None:
    event = {"openid": "ada", "kind": "FOLLOW", "at": "2026-01-01T00:00:00Z", "adIds": [MARKS]}

    async def send() -> None:
        recorded = (await robot.ask(RECORD, input={"channelId": channel, "events": [event]}))["recordEvents"]
        assert [each["code"] for each in recorded["rejected"]] == ["BAD_VALUE"]

    await assert_undisturbed(robot.web.url, send)
