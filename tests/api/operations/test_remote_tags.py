"""List the tags of an Official Account, as WeChat answers, and take them over."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from service.dev.demo.wechat_api.books.accounts import Account
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.stack.servers import EmbeddedServers
from service.domain.jobs.running import run_job
from service.domain.official_account.remote_import_pages import read_imported_members
from service.entities.ids import split_gid
from service.entities.jobs import JobKind
from service.foundation.settings import WechatCalls
from tests.api.operations.test_channel_secrets import SECRETS
from tests.dev.wechat_api.wechat import Wechat, open_wechat
from tests.support.robot import Robot, table_digests
from tests.support.web import robot_numbers, shared_web
from tests.support.worker import worker_runtime

REMOTE_TAGS = "query($id: ID!) { remoteTags(channelId: $id) { remoteTagId name memberCount } }"
LINKED_TAGS = "query($id: ID!) { remoteTags(channelId: $id) { remoteTagId tag { id name memberCount } } }"
IMPORT = """
mutation Import($id: ID!, $ids: [Int!]!) {
  importRemoteTags(channelId: $id, remoteTagIds: $ids) {
    job { id state done total channel { id } tags { id category name returnCategory returnLabel state memberCount } }
  }
}
"""
PROGRESS = """
subscription Progress($id: ID!) {
  jobProgress(id: $id) { __typename state done total ... on RemoteTagImport { tags { name memberCount } } }
}
"""
WHY = """
query Why($id: ID!) {
  user(channelId: $id, openid: "oAda") {
    tags { tag { name } why }
    tagHistory(first: 1) { nodes { cause added { name } } }
  }
}
"""
RECEIPTS = """
query Receipts($id: ID!) {
  tag(id: $id) { ... on ReturnTag { receipts(first: 5) { nodes { source mode subject added newUsers } } } }
}
"""
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


async def work(robot: Robot, job: str) -> None:
    """Do the work of a worker on an import."""
    split = split_gid(job)
    assert split
    async with worker_runtime(robot.web) as runtime:
        await run_job(runtime, {JobKind.REMOTE_TAG_IMPORT: read_imported_members}, *split.numbers)


async def test_tags_are_taken_over_and_watched(calling_robot: Robot, wechat: Wechat) -> None:
    channel = await bind(calling_robot, wechat, 4)

    started = (await calling_robot.ask(IMPORT, id=channel, ids=[100]))["importRemoteTags"]["job"]

    names = {"category": "Official Account", "name": "贵宾"}
    keys = {"returnCategory": "Official Account", "returnLabel": "贵宾"}
    (tag,) = started["tags"]
    assert (started["state"], started["done"], started["total"]) == ("QUEUED", 0, 1)
    assert started["channel"] == {"id": channel}
    assert tag == {"id": tag["id"], **names, **keys, "state": "ACTIVE", "memberCount": 0}
    async with calling_robot.web.socket(calling_robot.token()) as socket:
        progress = await socket.subscribe(PROGRESS, id=started["id"])
        assert (await progress.next())["jobProgress"]["state"] == "QUEUED"
        await work(calling_robot, started["id"])
        last = (await progress.next())["jobProgress"]
        while last["state"] != "DONE":
            last = (await progress.next())["jobProgress"]
    assert last == {
        "__typename": "RemoteTagImport",
        "state": "DONE",
        "done": 1,
        "total": 1,
        "tags": [{"name": "贵宾", "memberCount": 1}],
    }
    linked = (await calling_robot.ask(LINKED_TAGS, id=channel))["remoteTags"]
    assert linked == [{"remoteTagId": 100, "tag": {"id": tag["id"], "name": "贵宾", "memberCount": 1}}]
    receipts = (await calling_robot.ask(RECEIPTS, id=tag["id"]))["tag"]["receipts"]["nodes"]
    assert receipts == [{"source": "OFFICIAL_ACCOUNT", "mode": "ADD", "subject": "somebody", "added": 1, "newUsers": 1}]
    user = (await calling_robot.ask(WHY, id=channel))["user"]
    (shown,) = user["tags"]
    assert shown["why"].startswith("Taken over from the Official Account by somebody ")
    assert user["tagHistory"]["nodes"] == [{"cause": "IMPORT", "added": [{"name": "贵宾"}]}]


async def test_a_deleted_tag_of_ours_is_linked_to_nothing(calling_robot: Robot, wechat: Wechat) -> None:
    channel = await bind(calling_robot, wechat, 5)
    assert (await calling_robot.ask(LINKED_TAGS, id=channel))["remoteTags"] == [{"remoteTagId": 100, "tag": None}]
    job = (await calling_robot.ask(IMPORT, id=channel, ids=[100]))["importRemoteTags"]["job"]
    await calling_robot.ask("mutation($id: ID!) { deleteTag(id: $id) { tag { id } } }", id=job["tags"][0]["id"])

    assert (await calling_robot.ask(LINKED_TAGS, id=channel))["remoteTags"] == [{"remoteTagId": 100, "tag": None}]


async def test_only_creators_and_admins_take_tags_over(calling_robot: Robot, wechat: Wechat) -> None:
    channel, other = await bind(calling_robot, wechat, 6), str((await calling_robot.bind(7))["id"])
    before = await table_digests(calling_robot.web)

    for role in ("agent", "integrator"):
        assert (await calling_robot.ask(IMPORT, role, id=channel, ids=[100])).code == "FORBIDDEN"
    narrowed = calling_robot.token("admin", channels=[other])
    assert (await calling_robot.web.run(IMPORT, token=narrowed, id=channel, ids=[100])).code == "NOT_FOUND"

    assert await table_digests(calling_robot.web) == before
    job = (await calling_robot.ask(IMPORT, "creator", id=channel, ids=[100]))["importRemoteTags"]["job"]
    cancelled = "mutation($id: ID!) { cancelJob(id: $id) { job { state } } }"
    assert (await calling_robot.ask(cancelled, "agent", id=job["id"])).code == "FORBIDDEN"
    assert (await calling_robot.ask(cancelled, id=job["id"]))["cancelJob"]["job"] == {"state": "CANCELLED"}


@pytest.mark.parametrize(
    ("ids", "code", "fields"),
    [
        ([], "BAD_USER_INPUT", [("remoteTagIds", "BAD_LENGTH")]),
        ([100, 2], "BAD_USER_INPUT", [("remoteTagIds.1", "SYSTEM_TAG")]),
        ([100, 101, 99], "NOT_FOUND", [("remoteTagIds.1", "NOT_FOUND"), ("remoteTagIds.2", "NOT_FOUND")]),
        (list(range(101)), "LIMIT_EXCEEDED", []),
    ],
)
async def test_ids_that_cannot_be_taken_over_are_named(
    calling_robot: Robot, wechat: Wechat, ids: list[int], code: str, fields: list[tuple[str, str]]
) -> None:
    channel = await bind(calling_robot, wechat, 10 + len(ids) % 10)
    before = await table_digests(calling_robot.web)

    answer = await calling_robot.ask(IMPORT, id=channel, ids=ids)

    extensions = answer.error["extensions"]
    assert extensions["code"] == code
    assert [(each["path"], each["code"]) for each in extensions.get("fields", [])] == fields
    after = await table_digests(calling_robot.web)
    assert {table for table in after if after[table] != before[table]} <= {"wechat_account", "wechat_quota"}


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


@pytest.mark.parametrize(("operation", "given"), [(REMOTE_TAGS, {}), (IMPORT, {"ids": [100]})])
async def test_channels_that_cannot_be_called_are_refused(robot: Robot, operation: str, given: dict[str, Any]) -> None:
    """The web process of all tests here does not know where WeChat is, and does not need to."""
    mini_program = (await robot.bind(1, kind="MINI_PROGRAM", appSecret=SECRETS["appSecret"]))["id"]
    unverified = (await robot.bind(2, kind="SUBSCRIPTION_ACCOUNT", verified=False, appSecret=SECRETS["appSecret"]))[
        "id"
    ]
    without_secret = (await robot.bind(3))["id"]

    channels = (mini_program, unverified, without_secret)
    answers = [await robot.ask(operation, id=each, **given) for each in channels]

    assert [each.code for each in answers] == ["BAD_USER_INPUT", "CHANNEL_NOT_BOUND", "BAD_USER_INPUT"]
    fields = [each.error["extensions"].get("fields") for each in answers]
    assert [found and (found[0]["path"], found[0]["code"]) for found in fields] == [
        ("channelId", "MINI_PROGRAM"),
        None,
        ("channelId", "NO_APP_SECRET"),
    ]
    elsewhere = Robot(robot.web, f"{robot.name}x")
    assert (await elsewhere.ask(operation, id=without_secret, **given)).code == "NOT_FOUND"
