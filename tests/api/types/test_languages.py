"""Name default tags in the language of who asks, and mix no languages in what readers share.

The rule: docs/specification.md §4.1.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.support.robot import CREATE_COMBO, Robot, event_input
from tests.support.sockets import GraphqlWebSocket

ENGLISH = ["Follow time/New user", "Opening/Not opened", "Source/Non-advertising", "Touchability/Touchable"]
CHINESE = ["关注时间/新用户", "可触达情况/可触达", "开口情况/未开口", "来源渠道/非广告"]
TAGS = """
query($c: ID!) { user(channelId: $c, openid: "ada") { tags { tag { category name ... on DefaultTag { rule } } } } }
"""
WHY = 'query($c: ID!) { user(channelId: $c, openid: "ada") { tags { why tag { category name } } } }'
LIST = """
query($c: ID!, $category: String, $search: String) {
  channel(id: $c) { tags(category: $category, search: $search) { nodes { category name } } tagCategories { category } }
}
"""
COUNT = """
query($c: ID!, $e: TagExpressionInput!) { audience(channelId: $c, expression: $e) { text } }
"""
PREVIEW = """
query($id: ID!, $e: TagExpressionInput!) { comboTagEditPreview(id: $id, expression: $e) { text } }
"""
PAGE = 'subscription($c: ID!) { userTags(channelId: $c, openid: "ada") { tags { category name } } }'
EXECUTED_PAGE = """
subscription($c: ID!) {
  userTags(channelId: $c, openid: "ada") { tags { category name memberCount } user { tags { tag { category name } } } }
}
"""
PANEL = 'subscription($c: ID!) { tagEvents(channelId: $c, after: "") { kind tag { category name } } }'


@pytest.fixture
async def channel(robot: Robot) -> str:
    channel = (await robot.bind())["id"]
    await robot.record(channel, event_input("ada", "FOLLOW"))
    return str(channel)


async def ask(robot: Robot, language: str | None, query: str, **variables: Any) -> Any:
    headers = {"Authorization": f"Bearer {robot.token()}"} | ({"Accept-Language": language} if language else {})
    answer = await robot.web.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    return answer.json()["data"]


def names(tags: list[dict[str, Any]]) -> list[str]:
    return [f"{each['category']}/{each['name']}" for each in (tag.get("tag", tag) for tag in tags)]


@asynccontextmanager
async def open_socket(robot: Robot, payload: dict[str, str], **headers: str) -> AsyncIterator[GraphqlWebSocket]:
    async with robot.web.uninitialised_socket(additional_headers=headers) as socket:
        await socket.initialise({"Authorization": f"Bearer {robot.token()}", **payload})
        yield socket


@pytest.mark.parametrize("query", [TAGS, WHY])
async def test_default_tags_are_named_in_the_language_that_is_preferred(robot: Robot, channel: str, query: str) -> None:
    for language, expected in [("zh-CN,zh;q=0.9,en;q=0.8", CHINESE), (None, ENGLISH), ("zh", CHINESE), ("*", ENGLISH)]:
        found = (await ask(robot, language, query, c=channel))["user"]["tags"]
        assert names(found) == expected


async def test_the_rule_is_the_same_in_every_language(robot: Robot, channel: str) -> None:
    rules = [
        {each["tag"]["rule"] for each in (await ask(robot, language, TAGS, c=channel))["user"]["tags"]}
        for language in ("en", "zh")
    ]
    assert rules[0] == rules[1] == {"NEW_USER", "NOT_OPENED", "TOUCHABLE", "NON_ADVERTISING"}


async def test_lists_and_texts_are_in_one_language_and_take_categories_of_both(robot: Robot, channel: str) -> None:
    listed = (await ask(robot, "zh", LIST, c=channel))["channel"]
    assert [each["category"] for each in listed["tagCategories"]] == ["关注时间", "可触达情况", "开口情况", "来源渠道"]
    found = (await ask(robot, "zh", LIST, c=channel, search="老用"))["channel"]["tags"]["nodes"]
    assert names(found) == ["关注时间/老用户"]
    for language, expected in (("zh", "开口情况/已开口"), ("en", "Opening/Opened")):
        for category in ("Opening", "开口情况", "开口\u200b情况 "):
            found = (await ask(robot, language, LIST, c=channel, category=category))["channel"]["tags"]["nodes"]
            assert len(found) == 2
            assert expected in names(found)

    new_user = (await robot.tag_ids(channel, "ada"))["New user"]
    combo = await robot.create_combo(channel, new_user)
    expression = {"all": [{"tag": new_user}, {"tag": combo}]}
    assert (await ask(robot, "zh", COUNT, c=channel, e=expression))["audience"]["text"] == "新用户 ∩ Combo"
    assert (await ask(robot, "en", COUNT, c=channel, e=expression))["audience"]["text"] == "New user ∩ Combo"
    for language, text in (("zh", "新用户"), ("en", "New user")):
        preview = (await ask(robot, language, PREVIEW, id=combo, e={"tag": new_user}))["comboTagEditPreview"]
        assert preview["text"] == text


@pytest.mark.parametrize("query", [PAGE, EXECUTED_PAGE])
async def test_open_pages_share_events_and_no_language(robot: Robot, channel: str, query: str) -> None:
    async with (
        open_socket(robot, {}, **{"Accept-Language": "zh-CN"}) as by_header,
        open_socket(robot, {"accept-language": "zh"}) as by_payload,
        open_socket(robot, {}) as english,
    ):
        pages = [await each.subscribe(query, c=channel) for each in (by_header, english, by_payload)]
        first = [(await page.next())["userTags"] for page in pages]
        await robot.record(channel, event_input("ada", "MESSAGE", timedelta(seconds=-5)))
        then = [(await page.next())["userTags"] for page in pages]

    assert [names(each["tags"]) for each in first] == [CHINESE, ENGLISH, CHINESE]
    assert ["开口情况/已开口" in names(each["tags"]) for each in then] == [True, False, True]
    assert ["Opening/Opened" in names(each["tags"]) for each in then] == [False, True, False]
    if query == EXECUTED_PAGE:
        assert [names(each["user"]["tags"]) for each in first] == [CHINESE, ENGLISH, CHINESE]


@pytest.mark.usefixtures("quick_counts")
async def test_open_panels_share_events_and_no_language(robot: Robot, channel: str) -> None:
    async with (
        open_socket(robot, {}, **{"Accept-Language": "zh-CN"}) as chinese,
        open_socket(robot, {}) as english,
    ):
        panels = [await each.subscribe(PANEL, c=channel) for each in (chinese, english)]
        for panel in panels:
            assert (await panel.next())["tagEvents"]["kind"] == "RESET"
        await robot.record(channel, event_input("bob", "FOLLOW"))
        counted = [{names([(await panel.next())["tagEvents"]["tag"]])[0] for _ in range(4)} for panel in panels]

    assert counted == [set(CHINESE), set(ENGLISH)]


async def test_names_of_default_tags_are_taken_in_every_language(robot: Robot, channel: str) -> None:
    new_user = (await robot.tag_ids(channel, "ada"))["New user"]
    submit = "mutation($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { replayed } }"
    for category, name in [("Follow time", "New user"), ("关注时间", "新用户"), ("关注时间\u200b", "新用户")]:
        combo = {"channelId": channel, "category": category, "name": name, "expression": {"tag": new_user}}
        assert (await robot.ask(CREATE_COMBO, input=combo)).codes == ["NAME_TAKEN"]
        returned = {"channelId": channel, "category": category, "label": name, "openids": ["ada"]}
        assert (await robot.ask(submit, input=returned)).codes == ["NAME_TAKEN"]
    mixed = {"channelId": channel, "category": "关注时间", "name": "New user", "expression": {"tag": new_user}}
    assert not (await robot.ask(CREATE_COMBO, input=mixed)).errors
