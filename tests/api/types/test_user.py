"""Show a user: the facts, the tags, and why the user has them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.robot import Event, Robot, event_input, iso_time_ago

WHY = """
query Why($c: ID!, $o: String!) {
  user(channelId: $c, openid: $o) {
    tags {
      id since why until
      tag { name }
      evidence {
        __typename
        ... on FactEvidence { fact at }
        ... on AdEvidence { adIds adAt: at }
      }
    }
  }
}
"""
PERSON = """
query Person($c: ID!, $o: String!) {
  user(channelId: $c, openid: $o) {
    id openid unionid following followedAt unfollowedAt lastMessageAt touchableUntil firstSeenAt adIds channel { id }
  }
}
"""
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
SOON = -timedelta(seconds=5)
"""Just ahead, so that it is after the binding, which was a moment ago."""


@pytest.fixture
async def channel(robot: Robot) -> str:
    return str((await robot.bind())["id"])


async def explained(robot: Robot, channel: str, *events: Event) -> dict[str, Any]:
    """Record what `ada` did, and explain the tags by name."""
    assert (await robot.record(channel, *events))["rejected"] == []
    answer = await robot.ask(WHY, c=channel, o="ada")
    assert answer["user"], "nobody"
    return {each["tag"]["name"]: each for each in answer["user"]["tags"]}


def is_about(moment: str, ago: timedelta) -> bool:
    """Tell whether a moment is as long ago as that, give or take what a test takes."""
    return abs(datetime.now(UTC) - ago - datetime.fromisoformat(moment)) < MINUTE / 2


def fact(kind: str | None, at: str | None) -> dict[str, str | None]:
    return {"__typename": "FactEvidence", "fact": kind, "at": at}


async def test_a_new_user_is_one_for_48_hours(robot: Robot, channel: str) -> None:
    followed = event_input("ada", "FOLLOW", HOUR)
    tag = (await explained(robot, channel, followed))["New user"]

    assert tag["evidence"] == fact("FOLLOW", followed["at"])
    assert datetime.fromisoformat(tag["until"]) == datetime.fromisoformat(followed["at"]) + 48 * HOUR
    assert tag["why"].startswith("Followed on ")
    assert tag["why"].endswith("less than 48 h ago.")


async def test_an_old_user_stays_one(robot: Robot, channel: str) -> None:
    followed = event_input("ada", "FOLLOW", 3 * DAY)
    tag = (await explained(robot, channel, followed))["Old user"]

    assert (tag["evidence"], tag["until"]) == (fact("FOLLOW", followed["at"]), None)
    assert tag["why"].endswith("48 h ago or longer.")


async def test_whoever_writes_without_a_known_follow_is_an_old_user(robot: Robot, channel: str) -> None:
    tag = (await explained(robot, channel, event_input("ada", "MESSAGE")))["Old user"]

    assert (tag["evidence"], tag["until"]) == (fact("FOLLOW", None), None)
    assert tag["why"] == "Followed longer ago than is known."


async def test_opened_names_the_message(robot: Robot, channel: str) -> None:
    message = event_input("ada", "MESSAGE", SOON)
    tag = (await explained(robot, channel, message))["Opened"]

    assert (tag["evidence"], tag["until"]) == (fact("MESSAGE", message["at"]), None)
    assert tag["why"].startswith("Sent a message on ")


async def test_not_opened_has_no_message_since_the_binding(robot: Robot, channel: str) -> None:
    tag = (await explained(robot, channel, event_input("ada", "MESSAGE", DAY)))["Not opened"]

    assert (tag["evidence"], tag["until"]) == (fact("MESSAGE", None), None)
    assert tag["why"].startswith("Has not sent a message since the channel was bound on ")


@pytest.mark.parametrize(
    ("kind", "window"),
    [("FOLLOW", HOUR), ("MENU_CLICK", HOUR), ("SCAN", HOUR), ("MESSAGE", 48 * HOUR), ("PAYMENT", 48 * HOUR)],
)
async def test_touchable_names_what_lasts_longest(robot: Robot, channel: str, kind: str, window: timedelta) -> None:
    deed = event_input("ada", kind, MINUTE)
    tag = (await explained(robot, channel, event_input("ada", "FOLLOW", 30 * MINUTE), deed))["Touchable"]
    person = (await robot.ask(PERSON, c=channel, o="ada"))["user"]

    assert tag["evidence"] == fact(kind, deed["at"])
    assert tag["until"] == person["touchableUntil"]
    assert is_about(tag["until"], MINUTE - window)
    assert f"touchable for {window // HOUR} h." in tag["why"]


async def test_untouchable_names_what_is_over(robot: Robot, channel: str) -> None:
    tag = (await explained(robot, channel, event_input("ada", "FOLLOW", 5 * HOUR)))["Untouchable"]

    assert (tag["evidence"], tag["until"]) == (fact("FOLLOW", None), None)
    assert tag["why"].endswith("the 1 h after that are over.")


async def test_advertising_names_the_ads(robot: Robot, channel: str) -> None:
    followed = event_input("ada", "FOLLOW", SOON, adIds=["ad-2", "ad-1"])
    tag = (await explained(robot, channel, followed))["Advertising"]

    assert tag["evidence"] == {"__typename": "AdEvidence", "adIds": ["ad-1", "ad-2"], "adAt": followed["at"]}
    assert tag["why"].startswith("Followed through an ad on ")
    assert tag["until"] is None


async def test_an_ad_whose_id_is_not_known_is_one_all_the_same(robot: Robot, channel: str) -> None:
    tags = await explained(robot, channel, event_input("ada", "FOLLOW", SOON, fromAd=True))

    assert tags["Advertising"]["evidence"]["adIds"] == []


async def test_non_advertising_has_no_ad_since_the_binding(robot: Robot, channel: str) -> None:
    tag = (await explained(robot, channel, event_input("ada", "FOLLOW", DAY, adIds=["ad-1"])))["Non-advertising"]

    assert (tag["evidence"], tag["until"]) == (fact("FOLLOW", None), None)
    assert tag["why"].startswith("No follow through an ad is known since ")


async def test_a_tag_is_had_since_it_was_given(robot: Robot, channel: str) -> None:
    first = await explained(robot, channel, event_input("ada", "FOLLOW", 3 * DAY))
    second = await explained(robot, channel, event_input("ada", "MESSAGE", SOON))

    assert second["Old user"]["since"] == first["Old user"]["since"]
    assert second["Opened"]["since"] > second["Old user"]["since"]
    assert second["Opened"]["since"].endswith("Z")
    assert second["Old user"]["id"] == first["Old user"]["id"]
    assert len({tag["id"] for tag in second.values()}) == 4


async def test_the_facts_of_a_person(robot: Robot, channel: str) -> None:
    done = {
        "FOLLOW": event_input("ada", "FOLLOW", 3 * DAY, adIds=["ad-1"]),
        "UNFOLLOW": event_input("ada", "UNFOLLOW", 2 * DAY),
        "MESSAGE": event_input("ada", "MESSAGE", DAY),
    }
    await robot.record(channel, *done.values())
    person = (await robot.ask(PERSON, c=channel, o="ada"))["user"]

    assert person.pop("firstSeenAt") > iso_time_ago(HOUR)
    assert person.pop("id")
    assert person == {
        "openid": "ada",
        "unionid": None,
        "following": True,
        "followedAt": done["FOLLOW"]["at"],
        "unfollowedAt": done["UNFOLLOW"]["at"],
        "lastMessageAt": done["MESSAGE"]["at"],
        "touchableUntil": person["touchableUntil"],
        "adIds": ["ad-1"],
        "channel": {"id": channel},
    }
    assert is_about(person["touchableUntil"], DAY - 48 * HOUR)


async def test_somebody_who_left_has_no_default_tag(robot: Robot, channel: str) -> None:
    await robot.record(channel, event_input("ada", "MESSAGE", 2 * MINUTE))
    assert len(await robot.tags(channel, "ada")) == 4
    await robot.record(channel, event_input("ada", "UNFOLLOW", MINUTE))

    assert await robot.tags(channel, "ada") == set()
    person = (await robot.ask(PERSON, c=channel, o="ada"))["user"]
    assert (person["following"], person["followedAt"]) == (False, None)


async def test_nobody_known_is_null(robot: Robot, channel: str) -> None:
    answer = await robot.ask(PERSON, c=channel, o="nobody")

    assert answer.body == {"data": {"user": None}}


async def test_users_come_in_the_order_asked_with_nulls_between(robot: Robot, channel: str) -> None:
    await robot.record(channel, event_input("ada", "FOLLOW"), event_input("bob", "FOLLOW", 3 * DAY))
    query = """query($c: ID!, $o: [String!]!) {
        users(channelId: $c, openids: $o) { openid tags { tag { name } } } }"""
    found = (await robot.ask(query, c=channel, o=["nobody", "bob", "ada", "bob", "else"]))["users"]

    assert [each and each["openid"] for each in found] == [None, "bob", "ada", "bob", None]
    assert {"Old user"} <= {tag["tag"]["name"] for tag in found[1]["tags"]}
    assert {"New user"} <= {tag["tag"]["name"] for tag in found[2]["tags"]}
    assert (await robot.ask(query, c=channel, o=[]))["users"] == []


async def test_a_person_of_one_channel_is_nobody_on_another(robot: Robot, channel: str) -> None:
    other = (await robot.bind(2))["id"]
    await robot.record(channel, event_input("ada", "FOLLOW"))

    assert (await robot.ask(PERSON, c=other, o="ada"))["user"] is None


async def test_counts_of_a_channel(robot: Robot, channel: str) -> None:
    await robot.record(
        channel,
        event_input("ada", "FOLLOW"),
        event_input("bob", "FOLLOW"),
        event_input("bob", "UNFOLLOW", SOON),
        event_input("cat", "PAYMENT"),
    )
    answer = await robot.ask("query($c: ID!) { channel(id: $c) { followerCount userCount } }", c=channel)

    assert answer["channel"] == {"followerCount": 1, "userCount": 3}


async def test_on_a_mini_program_there_are_only_opening_and_touchability(robot: Robot, channel: str) -> None:
    mini = (await robot.bind(2, kind="MINI_PROGRAM"))["id"]
    await robot.record(mini, event_input("ada", "MESSAGE", SOON))
    answer = await robot.ask("query($c: ID!) { channel(id: $c) { followerCount userCount } }", c=mini)

    assert await robot.tags(mini, "ada") == {"Opened", "Touchable"}
    assert answer["channel"] == {"followerCount": 0, "userCount": 1}
