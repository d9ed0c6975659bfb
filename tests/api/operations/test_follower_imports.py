"""Import followers over GraphQL: the job at the binding, its progress, and how people came to follow."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from service.dev.demo.wechat_api.books.accounts import Account
from service.dev.stack.servers import EmbeddedServers
from service.domain.jobs.running import run_job
from service.entities.ids import parse_job_gid
from service.foundation.clock import make_clock
from service.foundation.encryption import SecretBox
from service.worker.tasks.jobs import SLICES
from tests.api.operations.test_channel_secrets import SECRETS
from tests.dev.wechat_api.wechat import Wechat, open_wechat
from tests.support.robot import Robot
from tests.support.runtime import open_runtime
from tests.support.web import SECRETS_KEY, robot_numbers, shared_web

BIND = """
mutation Bind($input: BindChannelInput!) {
  bindChannel(input: $input) {
    channel { id }
    followerImport { __typename id state progress done total error errorCode createdAt startedAt finishedAt resumesAt }
  }
}
"""
IMPORT = "mutation($id: ID!) { importFollowers(channelId: $id) { job { id state channel { id } } alreadyRunning } }"
JOB = "query($id: ID!) { job(id: $id) { __typename state progress done total } node(id: $id) { id } }"
USER = (
    "query($id: ID!, $openid: String!) { user(channelId: $id, openid: $openid) { subscribeScene followedAt unionid } }"
)
FAILURE = "query($id: ID!) { job(id: $id) { state error errorCode } }"
SECRET = SECRETS["appSecret"]


@pytest.fixture(scope="module")
async def wechat() -> AsyncIterator[Wechat]:
    async with open_wechat() as running:
        yield running


@pytest.fixture(scope="module")
async def calling_robot(servers: EmbeddedServers, migrated_template: str, wechat: Wechat) -> AsyncIterator[Robot]:
    """Serve a process that calls the imitated server API."""
    async with shared_web(servers, migrated_template, wechat_api_url=wechat.url) as web:
        yield Robot(web, f"r{next(robot_numbers)}")


def bound_account(robot: Robot, number: int, **changes: Any) -> dict[str, Any]:
    """Return the input that binds an account with its app secret."""
    details = {"kind": "SERVICE_ACCOUNT", "name": "Tea house", "verified": True, "appId": robot.app_id(number)}
    return {**details, "appSecret": SECRET, **changes}


async def work(robot: Robot, job: str) -> None:
    """Do the work of a worker."""
    kind, *numbers = parse_job_gid(job)
    assert kind == "FollowerImport"
    settings = robot.web.settings
    async with open_runtime(settings.database_url or "", make_clock(None), settings=settings) as runtime:
        await run_job(replace(runtime, secret_box=SecretBox((SECRETS_KEY,))), SLICES, *numbers)


async def test_followers_come_in_with_the_binding(calling_robot: Robot, wechat: Wechat) -> None:
    account = Account(app_id=calling_robot.app_id(1), gh_id="gh_1", token="T", secret=SECRET)
    books = wechat.platform.books.register(account)
    books.follow("oAda", wechat.clock(), scene="poster").unionid = "oUnion"
    books.follow("oSparse", wechat.clock()).sparse = True

    bound = (await calling_robot.ask(BIND, input=bound_account(calling_robot, 1)))["bindChannel"]

    channel, job = bound["channel"]["id"], bound["followerImport"]
    assert job.pop("createdAt")
    assert job == {
        "__typename": "FollowerImport",
        "id": job["id"],
        "state": "QUEUED",
        "progress": 0.0,
        "done": 0,
        **dict.fromkeys(("total", "error", "errorCode", "startedAt", "finishedAt", "resumesAt")),
    }
    again = (await calling_robot.ask(IMPORT, id=channel))["importFollowers"]
    assert again == {"job": {"id": job["id"], "state": "QUEUED", "channel": {"id": channel}}, "alreadyRunning": True}

    await work(calling_robot, job["id"])

    done = await calling_robot.ask(JOB, id=job["id"])
    assert done["job"] == {"__typename": "FollowerImport", "state": "DONE", "progress": 1.0, "done": 2, "total": 2}
    assert done["node"] == {"id": job["id"]}
    ada, sparse = [(await calling_robot.ask(USER, id=channel, openid=each))["user"] for each in ("oAda", "oSparse")]
    followed_at = f"{wechat.clock():%Y-%m-%dT%H:%M:%S}Z"
    assert ada == {"subscribeScene": "ADD_SCENE_QR_CODE", "followedAt": followed_at, "unionid": "oUnion"}
    assert sparse == {"subscribeScene": None, "followedAt": None, "unionid": None}
    assert (await calling_robot.ask(IMPORT, id=channel))["importFollowers"]["alreadyRunning"] is False


async def test_what_wechat_refuses_is_told_with_the_job(calling_robot: Robot, wechat: Wechat) -> None:
    wechat.platform.books.register(Account(calling_robot.app_id(2), "gh_2", "T", "another secret"))
    bound = (await calling_robot.ask(BIND, input=bound_account(calling_robot, 2)))["bindChannel"]

    await work(calling_robot, bound["followerImport"]["id"])

    failed = await calling_robot.ask(FAILURE, id=bound["followerImport"]["id"])
    assert failed["job"]["state"] == "FAILED"
    assert failed["job"]["errorCode"] == "UPSTREAM"
    assert failed["job"]["error"].startswith("WeChat answered 40125")


async def test_nothing_is_imported_without_a_secret_or_behind_a_closed_gate(robot: Robot) -> None:
    bindings = [
        bound_account(robot, 1, appSecret=""),
        bound_account(robot, 2, kind="MINI_PROGRAM"),
        bound_account(robot, 3, kind="SUBSCRIPTION_ACCOUNT", verified=False),
    ]
    bound = [(await robot.ask(BIND, input=each))["bindChannel"] for each in bindings]

    assert [each["followerImport"] for each in bound] == [None, None, None]
    codes = [(await robot.ask(IMPORT, id=each["channel"]["id"])).code for each in bound]
    assert codes == ["BAD_USER_INPUT", "BAD_USER_INPUT", "CHANNEL_NOT_BOUND"]


async def test_who_does_not_manage_the_channel_neither_starts_nor_sees_an_import(robot: Robot) -> None:
    bound = (await robot.ask(BIND, input=bound_account(robot, 1)))["bindChannel"]
    channel, job = bound["channel"]["id"], bound["followerImport"]["id"]

    for role in ("agent", "integrator"):
        assert (await robot.ask(IMPORT, role, id=channel)).code == "FORBIDDEN"
        assert (await robot.ask("query($id: ID!) { job(id: $id) { id } }", role, id=job)).code == "FORBIDDEN"
    other = Robot(robot.web, f"{robot.name}x")
    assert (await other.ask(IMPORT, id=channel)).code == "NOT_FOUND"
    assert (await other.ask("query($id: ID!) { job(id: $id) { id } }", id=job)).code == "NOT_FOUND"
    narrowed = await robot.web.run(IMPORT, token=robot.token(channels=[]), id=channel)
    assert narrowed.code == "NOT_FOUND"
