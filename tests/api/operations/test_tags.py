"""Rename and delete tags of any kind.

The rule: docs/specification.md §4.5 and §4.6.
"""

import asyncpg

from tests.api.operations.combo_requests import (
    DELETE,
    PREVIEW,
    UPDATE,
    active_combo,
    bind_channel_of_two,
    combo_of,
    create_combo,
    leaf,
)
from tests.support.robot import Robot

RENAME = """
mutation Rename($id: ID!, $name: String!, $description: String, $version: Int) {
  renameTag(id: $id, name: $name, description: $description, expectedVersion: $version) {
    tag { name description version }
  }
}
"""


async def test_deleting_lapses_what_is_made_of_it_and_says_so(robot: Robot) -> None:
    channel, tags = await bind_channel_of_two(robot)
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
    lapsed = await combo_of(robot, outer)
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
    assert (await create_combo(robot, channel, "New", leaf(outer))).code == "TAG_NOT_USABLE"
    assert (await robot.ask(DELETE, id=inner)).code == "NOT_FOUND"
    assert (await robot.ask(DELETE, id=tags["Opened"])).code == "TAG_PROTECTED"
    assert (await robot.ask(PREVIEW, id=tags["Opened"])).code == "TAG_PROTECTED"
    assert await robot.tags(channel, "ada") >= {"Opened", "New user"}
    assert not {"Inner", "Outer"} & await robot.tags(channel, "ada")
    await robot.ask(UPDATE, input={"id": outer, "expression": leaf(tags["Opened"])})
    assert (await active_combo(robot, outer))["lapsedBy"] == []


async def test_renaming_takes_a_name_a_version_and_perhaps_a_description(robot: Robot) -> None:
    channel, tags = await bind_channel_of_two(robot)
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
    channel, tags = await bind_channel_of_two(robot)
    combo = await robot.create_combo(channel, tags["Opened"], name="Tea")
    await robot.ask("mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }", id=channel)

    answers = [
        await create_combo(robot, channel, "New", leaf(tags["Opened"])),
        await robot.ask(UPDATE, input={"id": combo, "name": "New"}),
        await robot.ask(RENAME, id=combo, name="New", description=None),
        await robot.ask(DELETE, id=combo),
        await robot.ask(PREVIEW, id=combo),
    ]

    assert [answer.code for answer in answers] == ["CHANNEL_NOT_BOUND"] * 5


async def test_a_tag_named_before_names_were_tidied_can_be_edited(robot: Robot) -> None:
    channel, tags = await bind_channel_of_two(robot)
    await robot.create_combo(channel, tags["Opened"], name="VIP")
    twin = await robot.create_combo(channel, tags["New user"], name="Other")
    await _store_name(robot, "Other", "VIP\u200b")

    renamed = (await robot.ask(RENAME, id=twin, name="VIP\u200b", description="The old ones"))["renameTag"]["tag"]
    assert (renamed["name"], renamed["description"]) == ("VIP\u200b", "The old ones")
    assert (await robot.ask(UPDATE, input={"id": twin, "description": None, "name": "VIP\u200b"})).errors == []
    assert (await robot.ask(RENAME, id=twin, name="VIP")).code == "NAME_TAKEN"
    assert (await robot.ask(UPDATE, input={"id": twin, "name": "VI\u2060P"})).code == "NAME_TAKEN"
    assert (await create_combo(robot, channel, "VIP\ufeff", leaf(tags["Opened"]))).code == "NAME_TAKEN"
    assert (await robot.ask(RENAME, id=twin, name="Go\u200bld"))["renameTag"]["tag"]["name"] == "Gold"


async def _store_name(robot: Robot, name: str, stored: str) -> None:
    """Rename a tag as releases stored names before they were tidied."""
    connection = await asyncpg.connect(robot.web.settings.database_url)
    try:
        channel_id = await connection.fetchval("select channel_id from channel where robot_id = $1", robot.name)
        await connection.execute(
            "update tag set name = $3 where channel_id = $1 and name = $2", channel_id, name, stored
        )
        await connection.execute(
            "update channel_state set tag_version = tag_version + 1 where channel_id = $1", channel_id
        )
    finally:
        await connection.close()
