"""Broadcasts show what they send, of whichever kind; what WeChat would refuse is refused before anything is stored."""

from datetime import timedelta
from typing import Any, Final

import pytest

from tests.support.robot import Robot, event_input, table_digests
from tests.support.web import GraphqlResponse

CREATE: Final = """
mutation($input: CreateBroadcastInput!) {
  createBroadcast(input: $input) {
    broadcast {
      kind message content { kind text mediaIds templateId data { key value } url page miniProgramAppId }
    }
  }
}
"""
FIELDS: Final = [{"key": "thing1", "value": "For {{tag:Opening|you}}"}, {"key": "time2", "value": "15:01"}]
SHOWN_FIELDS: Final = "thing1: For {{tag:Opening|you}}\ntime2: 15:01"
PAGE: Final = {"appId": "wx0123456789abcdef", "page": "pages/index?o={{openid}}"}
NOTHING: Final[dict[str, Any]] = {
    "text": None,
    "mediaIds": [],
    "templateId": None,
    "data": [],
    "url": None,
    "page": None,
    "miniProgramAppId": None,
}
SECRET: Final = "c0ffee11" * 4


async def bind(robot: Robot, number: int = 1, **given: Any) -> str:
    """Bind an account whose three followers wrote just now."""
    channel = (await robot.bind(number, appSecret=SECRET, **given))["id"]
    people = ("ada", "bob", "cat")
    if given.get("kind") != "MINI_PROGRAM":
        await robot.record(channel, *(event_input(each, "FOLLOW", timedelta(minutes=5)) for each in people))
    await robot.record(channel, *(event_input(each, "MESSAGE") for each in people))
    return str(channel)


async def create(robot: Robot, channel: str, message: dict[str, Any], **given: Any) -> GraphqlResponse:
    fields = {"channelId": channel, "audience": {"followers": True}, "message": message, "idempotencyKey": "key"}
    return await robot.ask(CREATE, input=fields | given)


@pytest.mark.parametrize(
    ("message", "shown", "text"),
    [
        ({"massText": {"text": "Spring\r\nsale"}}, {"text": "Spring\nsale"}, "Spring\nsale"),
        ({"massImage": {"mediaIds": [" M1", "M2"]}}, {"mediaIds": ["M1", "M2"]}, "Images: 2"),
        (
            {"massImage": {"mediaIds": ["M1"], "recommend": "Tea"}},
            {"mediaIds": ["M1"], "text": "Tea"},
            "Tea",
        ),
        ({"massArticle": {"mediaId": "D1"}}, {"mediaIds": ["D1"]}, "Article: D1"),
        ({"customerServiceText": {"text": "Hi {{openid}}"}}, {"text": "Hi {{openid}}"}, "Hi {{openid}}"),
        (
            {"template": {"templateId": "T1", "data": FIELDS, "url": "https://x.example/", "miniProgram": PAGE}},
            {
                "templateId": "T1",
                "data": FIELDS,
                "url": "https://x.example/",
                "page": PAGE["page"],
                "miniProgramAppId": PAGE["appId"],
            },
            SHOWN_FIELDS,
        ),
        (
            {"serviceSubscription": {"templateId": "T2", "data": FIELDS, "page": "https://x.example/"}},
            {"templateId": "T2", "data": FIELDS, "page": "https://x.example/"},
            SHOWN_FIELDS,
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
async def test_what_is_sent_is_shown(robot: Robot, message: dict[str, Any], shown: dict[str, Any], text: str) -> None:
    channel = await bind(robot)

    made = (await create(robot, channel, message))["createBroadcast"]["broadcast"]

    assert made["message"] == text
    assert made["content"] == {**NOTHING, "kind": made["kind"], **shown}


async def test_a_mini_program_shows_its_own_page(robot: Robot) -> None:
    await bind(robot)
    channel = await bind(robot, 2, kind="MINI_PROGRAM")
    message = {"miniProgramSubscription": {"templateId": "T3", "data": FIELDS, "page": "pages/index"}}

    made = (await create(robot, channel, message))["createBroadcast"]["broadcast"]

    assert made["kind"] == "MINI_PROGRAM_SUBSCRIPTION"
    assert (made["content"]["page"], made["content"]["miniProgramAppId"]) == ("pages/index", None)


@pytest.mark.parametrize(
    ("message", "paths"),
    [
        ({"massText": {"text": "{{openid}}"}}, ["massText.text"]),
        ({"massImage": {"mediaIds": ["M1"] * 21}}, ["massImage.mediaIds"]),
        ({"massArticle": {"mediaId": ""}}, ["massArticle.mediaId"]),
        ({"customerServiceText": {"text": "{{tag:Nothing}}"}}, ["customerServiceText.text"]),
        (
            {
                "template": {
                    "templateId": "",
                    "data": [{"key": "phrase1", "value": "x"}],
                    "miniProgram": PAGE | {"appId": ""},
                }
            },
            ["template.templateId", "template.data.0.value", "template.miniProgram.appId"],
        ),
        ({"miniProgramSubscription": {"templateId": "T3", "data": FIELDS}}, ["miniProgramSubscription"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
async def test_nothing_is_stored_of_what_is_refused(robot: Robot, message: dict[str, Any], paths: list[str]) -> None:
    channel = await bind(robot)
    before = await table_digests(robot.web)

    answer = await create(robot, channel, message)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert [each["path"] for each in answer.error["extensions"]["fields"]] == [
        f"input.message.{each}" for each in paths
    ]
    assert await table_digests(robot.web) == before


async def test_a_subscription_account_sends_to_one_tag_or_to_a_temporary_one(robot: Robot) -> None:
    channel = await bind(robot, kind="SUBSCRIPTION_ACCOUNT")
    text = {"massText": {"text": "Spring sale"}}
    refused = await create(robot, channel, text)
    assert refused.codes == ["BAD_USER_INPUT"]
    assert [each["path"] for each in refused.error["extensions"]["fields"]] == ["input.temporaryTag"]

    assert (await create(robot, channel, text, temporaryTag=True)).errors == []
    tag = (await robot.tag_ids(channel, "ada"))["New user"]
    one_tag = {"audience": {"tag": tag}, "idempotencyKey": "other", "confirmDuplicate": True}
    assert (await create(robot, channel, text, **one_tag)).errors == []
