"""Make, edit and explain combos; rename and delete tags.

The rule: docs/specification.md §4.4 to §4.6.
"""

from datetime import timedelta
from typing import Any

from tests.support.robot import CREATE_COMBO, Robot, event_input
from tests.support.waiting import wait_until

COMBO = """
query Combo($id: ID!) {
  node(id: $id) { ... on ComboTag {
    name category description state version memberCount asOf massPostable progress lapsedBecause deletedAt
    lapsedBy { name deletedAt } operands { name } usedBy { name }
    expression { operator text tag { id } operands { operator text tag { name } }
      flat { index parent operator tag { name } } }
  } }
}
"""
UPDATE = """
mutation Update($input: UpdateComboTagInput!) {
  updateComboTag(input: $input) { tag { id name category description state version expression { text } } }
}
"""
RENAME = """
mutation Rename($id: ID!, $name: String!, $description: String, $version: Int) {
  renameTag(id: $id, name: $name, description: $description, expectedVersion: $version) {
    tag { name description version }
  }
}
"""
DELETE = (
    "mutation Delete($id: ID!) { deleteTag(id: $id) { deletedId tag { name deletedAt state } lapsed { name state } } }"
)
PREVIEW = "query Preview($id: ID!) { deleteTagPreview(id: $id) { tag { name } wouldLapse { name state } } }"
WHY = """
query Why($channel: ID!, $openid: String!) { user(channelId: $channel, openid: $openid) { tags {
  tag { name } why until evidence { __typename ... on ComboEvidence { has { name } lacks { name } } }
} } }
"""
EVENTS = "subscription Panel($id: ID!) { tagEvents(channelId: $id) { kind tag { name state memberCount } } }"
PAGE = """
subscription Page($id: ID!) { userTags(channelId: $id, openid: "ada") {
  reset cause added { name } removed { name }
} }
"""


async def bound(robot: Robot) -> tuple[str, dict[str, str]]:
    """Bind a channel that ada and bob follow and ada has written to; return the ids of both people's tags by name."""
    channel = (await robot.bind())["id"]
    await robot.record(channel, event_input("ada", "FOLLOW"), event_input("bob", "FOLLOW"))
    bobs = await robot.tag_ids(channel, "bob")
    await robot.record(channel, event_input("ada", "MESSAGE", timedelta(0)))
    return channel, bobs | await robot.tag_ids(channel, "ada")


def tag(tag_id: str) -> dict[str, Any]:
    return {"tag": tag_id}


async def create(robot: Robot, channel: str, name: str, expression: dict[str, Any], **given: Any) -> Any:
    return await robot.ask(CREATE_COMBO, input={"channelId": channel, "name": name, "expression": expression} | given)


async def shown(robot: Robot, tag_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await robot.ask(COMBO, id=tag_id))["node"]
    return found


async def active(robot: Robot, tag_id: str) -> dict[str, Any]:
    await wait_until(lambda: robot.is_active(tag_id))
    return await shown(robot, tag_id)


async def test_a_combo_goes_from_pending_to_active_and_shows_what_it_is_made_of(robot: Robot) -> None:
    channel, tags = await bound(robot)
    expression = {
        "except": {"from": {"all": [tag(tags["New user"]), tag(tags["Touchable"])]}, "remove": tag(tags["Opened"])}
    }

    made = (await create(robot, channel, " Silent ", expression, description="Quiet ones"))["createComboTag"]["tag"]

    assert (made["name"], made["state"], made["version"]) == ("Silent", "PENDING", 1)
    combo = await active(robot, made["id"])
    assert combo["expression"] == {
        "operator": "EXCEPT",
        "text": "(New user ∩ Touchable) − Opened",
        "tag": None,
        "operands": [
            {"operator": "ALL", "text": "New user ∩ Touchable", "tag": None},
            {"operator": "TAG", "text": "Opened", "tag": {"name": "Opened"}},
        ],
        "flat": [
            {"index": 0, "parent": None, "operator": "EXCEPT", "tag": None},
            {"index": 1, "parent": 0, "operator": "ALL", "tag": None},
            {"index": 2, "parent": 1, "operator": "TAG", "tag": {"name": "New user"}},
            {"index": 3, "parent": 1, "operator": "TAG", "tag": {"name": "Touchable"}},
            {"index": 4, "parent": 0, "operator": "TAG", "tag": {"name": "Opened"}},
        ],
    }
    assert (combo["memberCount"], combo["massPostable"], combo["category"]) == (1, True, "Combo")
    assert (combo["progress"], combo["lapsedBecause"], combo["lapsedBy"]) == (None, None, [])
    assert {each["name"] for each in combo["operands"]} == {"New user", "Touchable", "Opened"}
    assert combo["asOf"]
    assert "Silent" in await robot.tags(channel, "bob")
    assert "Silent" not in await robot.tags(channel, "ada")


async def test_a_person_is_told_which_operands_hold(robot: Robot) -> None:
    channel, tags = await bound(robot)
    await robot.create_combo(channel, tags["Opened"], tags["New user"], name="Talker")
    expression = {"any": [tag(tags["Opened"]), tag(tags["Not opened"])]}
    await active(robot, (await create(robot, channel, "Everybody", expression))["createComboTag"]["tag"]["id"])

    user = (await robot.ask(WHY, channel=channel, openid="ada"))["user"]

    why = {each["tag"]["name"]: each for each in user["tags"]}
    assert why["Everybody"]["why"] == "Is in Opened ∪ Not opened: has Opened; lacks Not opened."
    assert why["Everybody"]["evidence"] == {
        "__typename": "ComboEvidence",
        "has": [{"name": "Opened"}],
        "lacks": [{"name": "Not opened"}],
    }
    assert why["Talker"]["why"] == "Is in Opened ∩ New user: has New user, Opened."
    assert why["Talker"]["until"] is None
    assert why["Opened"]["evidence"]["__typename"] == "FactEvidence"


async def test_everything_wrong_with_a_request_is_said_at_once(robot: Robot) -> None:
    channel, tags = await bound(robot)
    expression = {"all": [tag("nonsense"), {"any": []}, tag(tags["Opened"])]}

    answer = await create(robot, channel, "", expression)

    assert answer.code == "BAD_USER_INPUT"
    assert {(each["path"], each["code"]) for each in answer.error["extensions"]["fields"]} == {
        ("input.name", "BAD_LENGTH"),
        ("input.expression.all.0.tag", "NOT_FOUND"),
        ("input.expression.all.1.any", "EMPTY"),
    }
    two_at_once = await create(robot, channel, "Two", {"tag": tags["Opened"], "all": []})
    assert two_at_once.code == "BAD_USER_INPUT"


async def test_a_name_is_taken_until_its_tag_is_deleted(robot: Robot) -> None:
    channel, tags = await bound(robot)
    first = await robot.create_combo(channel, tags["Opened"], name="Tea")

    taken = await create(robot, channel, "Tea", tag(tags["Opened"]))
    assert taken.code == "NAME_TAKEN"
    assert taken.error["extensions"]["fields"][0]["path"] == "input.name"
    assert (await create(robot, channel, "Opened", tag(tags["Opened"]), category="Opening")).code == "NAME_TAKEN"
    await robot.ask(DELETE, id=first)
    assert (await create(robot, channel, "Tea", tag(tags["Opened"]))).errors == []


async def test_an_update_changes_what_is_given_and_null_only_clears_the_description(robot: Robot) -> None:
    channel, tags = await bound(robot)
    combo = await robot.create_combo(channel, tags["Opened"], name="Tea")

    async def update(**given: Any) -> Any:
        return await robot.ask(UPDATE, input={"id": combo} | given)

    described = (await update(description="What it is", expectedVersion=1))["updateComboTag"]["tag"]
    assert (described["name"], described["description"], described["state"]) == ("Tea", "What it is", "ACTIVE")
    assert (await update(name="Coffee", expectedVersion=1)).code == "CONFLICT"
    renamed = (await update(name="Coffee", category="Drinks"))["updateComboTag"]["tag"]
    assert (renamed["name"], renamed["category"], renamed["description"]) == ("Coffee", "Drinks", "What it is")
    nulls = await update(name=None, category=None, expression=None)
    assert nulls.code == "BAD_USER_INPUT"
    assert {each["path"] for each in nulls.error["extensions"]["fields"]} == {
        "input.name",
        "input.category",
        "input.expression",
    }
    assert (await update(description=None))["updateComboTag"]["tag"]["description"] is None
    edited = (await update(expression=tag(tags["Touchable"])))["updateComboTag"]["tag"]
    assert (edited["state"], edited["expression"]["text"], edited["version"]) == ("PENDING", "Touchable", 5)
    assert (await active(robot, combo))["memberCount"] == 2
    assert (await update(expression=tag(combo))).code == "CYCLE"


async def test_a_preview_counts_who_gains_and_loses(robot: Robot) -> None:
    channel, tags = await bound(robot)
    combo = await robot.create_combo(channel, tags["Opened"], name="Tea")
    await robot.create_combo(channel, combo, name="Above")
    query = """
    query($id: ID!, $expression: TagExpressionInput!) {
      comboTagEditPreview(id: $id, expression: $expression) {
        tag { name } text memberCount gains loses follows { name }
      }
    }"""

    answer = await robot.ask(query, id=combo, expression=tag(tags["Not opened"]))

    assert answer["comboTagEditPreview"] == {
        "tag": {"name": "Tea"},
        "text": "Not opened",
        "memberCount": 1,
        "gains": 1,
        "loses": 1,
        "follows": [{"name": "Above"}],
    }
    assert (await robot.ask(query, id=combo, expression=tag(combo))).code == "CYCLE"


async def test_deleting_lapses_what_is_made_of_it_and_says_so(robot: Robot) -> None:
    channel, tags = await bound(robot)
    inner = await robot.create_combo(channel, tags["Opened"], name="Inner")
    outer = await robot.create_combo(channel, inner, tags["New user"], name="Outer")
    used = await robot.ask("query($id: ID!) { tag(id: $id) { usedBy { name } } }", id=inner)
    assert used["tag"]["usedBy"] == [{"name": "Outer"}]

    assert (await robot.ask(PREVIEW, id=inner))["deleteTagPreview"] == {
        "tag": {"name": "Inner"},
        "wouldLapse": [{"name": "Outer", "state": "ACTIVE"}],
    }
    gone = (await robot.ask(DELETE, id=inner))["deleteTag"]

    assert gone["deletedId"] == inner
    assert gone["tag"]["deletedAt"]
    assert gone["lapsed"] == [{"name": "Outer", "state": "LAPSED"}]
    lapsed = await shown(robot, outer)
    assert (lapsed["state"], lapsed["memberCount"], lapsed["massPostable"], lapsed["asOf"]) == (
        "LAPSED",
        0,
        False,
        None,
    )
    assert lapsed["lapsedBecause"] == "It is made of Combo / Inner, which was deleted."
    assert [each["name"] for each in lapsed["lapsedBy"]] == ["Inner"]
    assert lapsed["lapsedBy"][0]["deletedAt"]
    assert lapsed["expression"]["text"] == "Inner ∩ New user"
    assert (await create(robot, channel, "New", tag(outer))).code == "TAG_NOT_USABLE"
    assert (await robot.ask(DELETE, id=inner)).code == "NOT_FOUND"
    assert (await robot.ask(DELETE, id=tags["Opened"])).code == "TAG_PROTECTED"
    assert (await robot.ask(PREVIEW, id=tags["Opened"])).code == "TAG_PROTECTED"
    assert await robot.tags(channel, "ada") >= {"Opened", "New user"}
    assert not {"Inner", "Outer"} & await robot.tags(channel, "ada")
    await robot.ask(UPDATE, input={"id": outer, "expression": tag(tags["Opened"])})
    assert (await active(robot, outer))["lapsedBy"] == []


async def test_renaming_takes_a_name_a_version_and_perhaps_a_description(robot: Robot) -> None:
    channel, tags = await bound(robot)
    combo = await robot.create_combo(channel, tags["Opened"], name="Tea")
    await robot.create_combo(channel, tags["Opened"], name="Coffee")

    described = (await robot.ask(RENAME, id=combo, name="Milk", description="White", version=1))["renameTag"]["tag"]
    assert described == {"name": "Milk", "description": "White", "version": 2}
    kept = await robot.ask('mutation($id: ID!) { renameTag(id: $id, name: "Juice") { tag { description } } }', id=combo)
    assert kept["renameTag"]["tag"]["description"] == "White"
    cleared = (await robot.ask(RENAME, id=combo, name="Juice", description=None))["renameTag"]["tag"]
    assert cleared["description"] is None
    assert (await robot.ask(RENAME, id=combo, name="Coffee", description=None)).code == "NAME_TAKEN"
    assert (await robot.ask(RENAME, id=combo, name="Water", description=None, version=1)).code == "CONFLICT"
    assert (await robot.ask(RENAME, id=combo, name="\x01", description=None)).code == "BAD_USER_INPUT"
    assert (await robot.ask(RENAME, id=tags["Opened"], name="Mine", description=None)).code == "TAG_PROTECTED"


async def test_while_the_gate_is_closed_nothing_is_made_edited_or_deleted(robot: Robot) -> None:
    channel, tags = await bound(robot)
    combo = await robot.create_combo(channel, tags["Opened"], name="Tea")
    await robot.ask("mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }", id=channel)

    answers = [
        await create(robot, channel, "New", tag(tags["Opened"])),
        await robot.ask(UPDATE, input={"id": combo, "name": "New"}),
        await robot.ask(RENAME, id=combo, name="New", description=None),
        await robot.ask(DELETE, id=combo),
        await robot.ask(PREVIEW, id=combo),
    ]

    assert [answer.code for answer in answers] == ["CHANNEL_NOT_BOUND"] * 5


async def test_panel_and_pages_see_a_combo_come_and_go(robot: Robot) -> None:
    channel, tags = await bound(robot)
    async with robot.web.socket(robot.token()) as socket:
        panel, page = await socket.subscribe(EVENTS, id=channel), await socket.subscribe(PAGE, id=channel)
        assert (await page.next())["userTags"]["reset"]

        async def panel_says(kind: str) -> dict[str, Any]:
            while True:
                told = (await panel.next())["tagEvents"]
                if told["kind"] == kind and told["tag"]["name"] == "Tea":
                    return dict(told["tag"])

        async def page_says() -> dict[str, Any]:
            return dict((await page.next())["userTags"])

        combo = await robot.create_combo(channel, tags["Opened"], name="Tea")
        assert (await panel_says("CREATED"))["memberCount"] in {0, 1}
        assert await panel_says("STATE_CHANGED") == {"name": "Tea", "state": "ACTIVE", "memberCount": 1}
        come = await page_says()
        assert (come["added"], come["cause"]) == ([{"name": "Tea"}], "COMBO_REFRESHED")
        await robot.ask(UPDATE, input={"id": combo, "expression": tag(tags["Touchable"])})
        await panel_says("UPDATED")
        assert [await page_says() for _ in range(3)] == [
            {"reset": False, "cause": "TAG_EDITED", "added": [], "removed": []},
            {"reset": False, "cause": "TAG_EDITED", "added": [], "removed": [{"name": "Tea"}]},
            {"reset": False, "cause": "TAG_EDITED", "added": [{"name": "Tea"}], "removed": []},
        ]
        await robot.ask(DELETE, id=combo)
        await panel_says("DELETED")
        gone = await page_says()
        assert (gone["removed"], gone["cause"]) == ([{"name": "Tea"}], "TAG_DELETED")
