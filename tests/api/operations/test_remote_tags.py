"""List the tags of an Official Account, as WeChat answers."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.books.accounts import Account
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.stack.servers import EmbeddedServers
from service.foundation.settings import WechatCalls
from tests.api.operations.test_channel_secrets import SECRETS
from tests.dev.wechat_api.wechat import Wechat, open_wechat
from tests.support.robot import Robot
from tests.support.web import robot_numbers, shared_web

REMOTE_TAGS = "query($id: ID!) { remoteTags(channelId: $id) { remoteTagId name memberCount } }"
TAGS = "/cgi-bin/tags/get"


@pytest.fixture(scope="module")
async def wechat() -> AsyncIterator[Wechat]:
    async with open_wechat() as running:
        yield running


@pytest.fixture(scope="module")
async def calling_robot(servers: EmbeddedServers, migrated_template: str, wechat: Wechat) -> AsyncIterator[Robot]:
    """Serve a process that calls the imitated server API, with hardly a pause before a repeat."""
    hardly = WechatCalls(retry_after=timedelta(milliseconds=1))
    async with shared_web(servers, migrated_template, wechat_api_url=wechat.url, wechat=hardly) as web:
        yield Robot(web, f"r{next(robot_numbers)}")


async def bind(robot: Robot, wechat: Wechat, number: int) -> str:
    """Bind an account that WeChat knows, and return the id of its channel."""
    account = Account(app_id=robot.app_id(number), gh_id=f"gh_{number}", token="T", secret=SECRETS["appSecret"])
    books = wechat.platform.books.register(account)
    books.follow("oAda", wechat.clock())
    books.tags.tag(books.tags.create("贵宾", wechat.clock()).id, ["oAda"])
    channel = await robot.bind(number, appSecret=SECRETS["appSecret"])
    return str(channel["id"])


async def test_creators_and_admins_see_the_tags_of_the_account(calling_robot: Robot, wechat: Wechat) -> None:
    channel = await bind(calling_robot, wechat, 1)

    for role in ("creator", "admin"):
        answer = await calling_robot.ask(REMOTE_TAGS, role, id=channel)
        assert answer["remoteTags"] == [{"remoteTagId": 100, "name": "贵宾", "memberCount": 1}]
    for role in ("agent", "integrator"):
        assert (await calling_robot.ask(REMOTE_TAGS, role, id=channel)).code == "FORBIDDEN"


async def test_what_wechat_refuses_is_shown_with_its_code(calling_robot: Robot, wechat: Wechat) -> None:
    channel = await bind(calling_robot, wechat, 2)
    wechat.books.faults.add(TAGS, Fault(kind=FaultKind.ERROR, code=48001))

    first, second = [await calling_robot.ask(REMOTE_TAGS, id=channel) for _ in range(2)]

    assert [each.error["extensions"] for each in (first, second)] == [{"code": "UPSTREAM", "errcode": 48001}] * 2
    assert "The next call can be made" in second.error["message"]


async def test_a_silent_wechat_is_no_internal_error(calling_robot: Robot, wechat: Wechat) -> None:
    channel = await bind(calling_robot, wechat, 3)
    wechat.books.faults.add(TAGS, Fault(kind=FaultKind.RESET, times=None))
    try:
        answer = await calling_robot.ask(REMOTE_TAGS, id=channel)
    finally:
        wechat.books.faults.clear()

    assert answer.error["extensions"] == {"code": "UPSTREAM"}


async def test_channels_that_cannot_be_called_are_refused(robot: Robot) -> None:
    """The web process of all tests here does not know where WeChat is, and does not need to."""
    mini_program = (await robot.bind(1, kind="MINI_PROGRAM", appSecret=SECRETS["appSecret"]))["id"]
    unverified = (await robot.bind(2, kind="SUBSCRIPTION_ACCOUNT", verified=False, appSecret=SECRETS["appSecret"]))[
        "id"
    ]
    without_secret = (await robot.bind(3))["id"]

    answers = [await robot.ask(REMOTE_TAGS, id=each) for each in (mini_program, unverified, without_secret)]

    assert [each.code for each in answers] == ["BAD_USER_INPUT", "CHANNEL_NOT_BOUND", "BAD_USER_INPUT"]
    fields = [each.error["extensions"].get("fields") for each in answers]
    assert [found and (found[0]["path"], found[0]["code"]) for found in fields] == [
        ("channelId", "MINI_PROGRAM"),
        None,
        ("channelId", "NO_APP_SECRET"),
    ]
    elsewhere = Robot(robot.web, f"{robot.name}x")
    assert (await elsewhere.ask(REMOTE_TAGS, id=without_secret)).code == "NOT_FOUND"
