"""Make, edit and explain combos.

The rule: docs/specification.md §4.4.
"""

from typing import Any

from tests.api.operations.combo_requests import DELETE, UPDATE, active_combo, bind_channel_of_two, create_combo, leaf
from tests.support.robot import Robot

WHY = """
query Why($channel: ID!, $openid: String!) { user(channelId: $channel, openid: $openid) { tags {
  tag { name } why until evidence { __typename ... on ComboEvidence { has { name } lacks { name } } }
} } }
"""
EVENTS = """
subscription Panel($id: ID!) { tagEvents(channelId: $id, after: "") { kind tag { name state memberCount } } }
"""
PAGE = """
subscription Page($id: ID!) { userTags(channelId: $id, openid: "ada") {
  reset cause added { name } removed { name }
} }
"""


async def test_a_combo_goes_from_pending_to_active_and_shows_what_it_is_made_of(robot: Robot) -> None:
    channel, tags = await bind_channel_of_two(robot)
    expression = {
        "except": {"from": {"all": [leaf(tags["New user"]), leaf(tags["Touchable"])]}, "remove": leaf(tags["Opened"])}
    }

    made = (await create_combo(robot, channel, " Silent ", expression, description="Quiet ones"))["createComboTag"][
        "tag"
    ]

    assert (made["name"], made["state"], made["version"]) == ("Silent", "PENDING", 1)
    combo = await active_combo(robot, made["id"])
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


async def test_the_evidence_of_a_combo_lists_which_operands_hold(robot: Robot) -> None:
    channel, tags = await bind_channel_of_two(robot)
    await robot.create_combo(channel, tags["Opened"], tags["New user"], name="Talker")
    expression = {"any": [leaf(tags["Opened"]), leaf(tags["Not opened"])]}
    await active_combo(
        robot, (await create_combo(robot, channel, "Everybody", expression))["createComboTag"]["tag"]["id"]
    )

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
    channel, tags = await bind_channel_of_two(robot)
    expression = {"all": [leaf("nonsense"), {"any": []}, leaf(tags["Opened"])]}

    answer = await create_combo(robot, channel, "", expression)

    assert answer.code == "BAD_USER_INPUT"
    assert {(each["path"], each["code"]) for each in answer.error["extensions"]["fields"]} == {
        ("input.name", "BAD_LENGTH"),
        ("input.expression.all.0.tag", "NOT_FOUND"),
        ("input.expression.all.1.any", "EMPTY"),
    }
    two_at_once = await create_combo(robot, channel, "Two", {"tag": tags["Opened"], "all": []})
    assert two_at_once.code == "BAD_USER_INPUT"


async def test_a_name_is_taken_until_its_tag_is_deleted(robot: Robot) -> None:
    channel, tags = await bind_channel_of_two(robot)
    first = await robot.create_combo(channel, tags["Opened"], name="Tea")

    taken = await create_combo(robot, channel, "Tea", leaf(tags["Opened"]))
    assert taken.code == "NAME_TAKEN"
    assert taken.error["extensions"]["fields"][0]["path"] == "input.name"
    assert (await create_combo(robot, channel, "Opened", leaf(tags["Opened"]), category="Opening")).code == "NAME_TAKEN"
    await robot.ask(DELETE, id=first)
    assert (await create_combo(robot, channel, "Tea", leaf(tags["Opened"]))).errors == []


async def test_an_update_changes_what_is_given_and_null_only_clears_the_description(robot: Robot) -> None:
    channel, tags = await bind_channel_of_two(robot)
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
    edited = (await update(expression=leaf(tags["Touchable"])))["updateComboTag"]["tag"]
    assert (edited["state"], edited["expression"]["text"], edited["version"]) == ("PENDING", "Touchable", 5)
    assert (await active_combo(robot, combo))["memberCount"] == 2
    assert (await update(expression=leaf(combo))).code == "CYCLE"


async def test_a_preview_counts_who_gains_and_loses(robot: Robot) -> None:
    channel, tags = await bind_channel_of_two(robot)
    combo = await robot.create_combo(channel, tags["Opened"], name="Tea")
    await robot.create_combo(channel, combo, name="Above")
    query = """
    query($id: ID!, $expression: TagExpressionInput!) {
      comboTagEditPreview(id: $id, expression: $expression) {
        tag { name } text memberCount gains loses follows { name }
      }
    }"""

    answer = await robot.ask(query, id=combo, expression=leaf(tags["Not opened"]))

    assert answer["comboTagEditPreview"] == {
        "tag": {"name": "Tea"},
        "text": "Not opened",
        "memberCount": 1,
        "gains": 1,
        "loses": 1,
        "follows": [{"name": "Above"}],
    }
    assert (await robot.ask(query, id=combo, expression=leaf(combo))).code == "CYCLE"


async def test_panel_and_pages_see_a_combo_come_and_go(robot: Robot) -> None:
    channel, tags = await bind_channel_of_two(robot)
    async with robot.web.socket(robot.token()) as socket:
        panel, page = await socket.subscribe(EVENTS, id=channel), await socket.subscribe(PAGE, id=channel)
        assert (await page.next())["userTags"]["reset"]
        assert (await panel.next())["tagEvents"]["kind"] == "RESET"

        async def panel_says(kind: str) -> dict[str, Any]:
            while True:
                event = (await panel.next())["tagEvents"]
                if event["kind"] == kind and event["tag"]["name"] == "Tea":
                    return dict(event["tag"])

        async def page_says() -> dict[str, Any]:
            return dict((await page.next())["userTags"])

        combo = await robot.create_combo(channel, tags["Opened"], name="Tea")
        assert (await panel_says("CREATED"))["memberCount"] in {0, 1}
        assert await panel_says("STATE_CHANGED") == {"name": "Tea", "state": "ACTIVE", "memberCount": 1}
        come = await page_says()
        assert (come["added"], come["cause"]) == ([{"name": "Tea"}], "COMBO_REFRESHED")
        await robot.ask(UPDATE, input={"id": combo, "expression": leaf(tags["Touchable"])})
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


USED_BY = """
query ($id: ID!, $first: Int!, $after: String) { tag(id: $id) { usedBy { id } usedByPage(first: $first, after: $after) {
  totalCount nodes { id name } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage endCursor }
} } }
"""


async def test_the_combos_of_a_tag_have_pages(robot: Robot) -> None:
    channel, tags = await bind_channel_of_two(robot)
    made = [await robot.create_combo(channel, tags["Opened"], tags["New user"], name=name) for name in "cab"]
    seen: list[str] = []
    after = None
    for entries in (2, 1):
        tag = (await robot.ask(USED_BY, id=tags["Opened"], first=2, after=after))["tag"]
        page = tag["usedByPage"]
        assert [each["id"] for each in tag["usedBy"]] == made
        assert (page["totalCount"], len(page["nodes"])) == (3, entries)
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        assert page["pageInfo"]["hasNextPage"] == (entries == 2)
        seen += [each["node"]["id"] for each in page["edges"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == made
