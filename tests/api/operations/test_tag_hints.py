"""Tell what is worth a look about the tags of a channel.

The rule: docs/specification.md §6.10.
"""

from tests.support.robot import Robot

HINTS = "query Hints($id: ID!) { tagHints(channelId: $id) { kind text tag { id name memberCount } other { name } } }"


async def submit(robot: Robot, channel: str, label: str, *openids: str) -> None:
    await robot.ask(
        "mutation($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { id } } }",
        input={"channelId": channel, "category": "Fruit", "label": label, "openids": list(openids)},
    )


async def test_hints_name_their_tags_and_say_what_is_worth_a_look(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await submit(robot, channel, "Apples", "ann", "ben")
    await submit(robot, channel, "Pears", "ben", "ann")
    await submit(robot, channel, "Plums")

    found = (await robot.ask(HINTS, "agent", id=channel))["tagHints"]

    assert [(each["kind"], each["tag"]["name"], each["other"]) for each in found] == [
        ("EQUAL", "Pears", {"name": "Apples"}),
        ("EMPTY", "Plums", None),
        ("UNUSED", "Apples", None),
        ("UNUSED", "Pears", None),
        ("UNUSED", "Plums", None),
    ]
    assert found[0]["text"] == "“Pears” and “Apples” have the same members: 2 people."
    assert found[0]["tag"]["memberCount"] == 2


async def test_a_closed_gate_shows_no_hints(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await submit(robot, channel, "Plums")
    await robot.ask("mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }", id=channel)

    assert (await robot.ask(HINTS, id=channel))["tagHints"] == []


async def test_one_operation_asks_for_the_hints_of_two_channels_at_most(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    asked = "query($id: ID!) { a: tagHints(channelId: $id) { kind } b: tagHints(channelId: $id) { kind } %s }"

    assert (await robot.ask(asked % "", id=channel))["b"] == []
    more = "c: tagHints(channelId: $id) { kind }"
    assert (await robot.ask(asked % more, id=channel)).code == "LIMIT_EXCEEDED"
