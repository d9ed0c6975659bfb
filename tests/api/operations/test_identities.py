"""Link identities, and show the same person in the other channels of the robot."""

from typing import Any

from tests.support.robot import Robot
from tests.support.web import robot_numbers

LINK = """
mutation($c: ID!, $pairs: [IdentityPairInput!]!) {
  linkIdentities(input: {channelId: $c, pairs: $pairs}) { linked unchanged rejected { index code reason } }
}
"""
SAME = """
query($c: ID!, $o: [String!]!) {
  users(channelId: $c, openids: $o) { unionid samePerson { openid channel { id } } }
}
"""


async def link(robot: Robot, channel: str, *pairs: tuple[str, str]) -> dict[str, Any]:
    given = [{"openid": openid, "unionid": unionid} for openid, unionid in pairs]
    done: dict[str, Any] = (await robot.ask(LINK, "integrator", c=channel, pairs=given))["linkIdentities"]
    return done


async def test_the_same_person_is_found_in_the_other_channels_of_the_robot_only(robot: Robot) -> None:
    first, second, third = [(await robot.bind(number))["id"] for number in (1, 2, 3)]
    other = Robot(robot.web, f"r{next(robot_numbers)}")
    foreign = (await other.bind())["id"]
    await link(robot, first, ("ada", "u1"), ("bob", "u2"))
    await link(robot, second, ("ada-2", "u1"))
    await link(robot, third, ("ada-3", "u1"), ("bob-3", "u2"))
    await link(other, foreign, ("ada-f", "u1"))

    ada, bob, nobody = (await robot.ask(SAME, "agent", c=first, o=["ada", "bob", "eve"]))["users"]
    assert [(each["openid"], each["channel"]["id"]) for each in ada["samePerson"]] == [
        ("ada-2", second),
        ("ada-3", third),
    ]
    assert [each["openid"] for each in bob["samePerson"]] == ["bob-3"]
    assert (ada["unionid"], nobody) == ("u1", None)


async def test_a_narrowed_token_sees_the_same_person_only_in_its_channels(robot: Robot) -> None:
    first, second, third = [(await robot.bind(number))["id"] for number in (1, 2, 3)]
    for number, channel in enumerate((first, second, third)):
        await link(robot, channel, (f"ada-{number}", "u1"))

    token = robot.token("agent", channels=[first, third])
    [ada] = (await robot.web.run(SAME, token=token, c=first, o=["ada-0"]))["users"]
    assert [each["openid"] for each in ada["samePerson"]] == ["ada-2"]


async def test_refused_pairs_come_with_their_place(robot: Robot) -> None:
    channel = (await robot.bind())["id"]

    done = await link(robot, channel, ("ada", "u1"), ("ada", "u2"), ("", "u3"), ("ada", "u1"))
    assert (done["linked"], done["unchanged"]) == (1, 1)
    assert [(each["index"], each["code"]) for each in done["rejected"]] == [
        (1, "UNIONID_CONFLICT"),
        (2, "MALFORMED_OPENID"),
    ]


async def test_too_many_pairs_are_over_the_limit(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    pairs = [{"openid": "o", "unionid": "u"}] * 10_001

    assert (await robot.ask(LINK, c=channel, pairs=pairs)).code == "LIMIT_EXCEEDED"
