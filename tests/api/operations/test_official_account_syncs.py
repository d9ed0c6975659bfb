"""Sync tags to an Official Account over the API; the test does the work of a worker."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from service.dev.demo.wechat_api.books.accounts import Account, AccountBooks
from service.dev.stack.servers import EmbeddedServers
from service.domain.jobs.running import run_job
from service.entities.ids import parse_channel_gid, split_gid, tag_gid
from service.foundation.clock import make_clock
from service.foundation.encryption import SecretBox
from service.worker.tasks.jobs import SLICES
from tests.api.operations.test_channel_secrets import SECRETS
from tests.dev.wechat_api.wechat import Wechat, open_wechat
from tests.support.robot import Robot, event_input
from tests.support.runtime import open_runtime
from tests.support.web import SECRETS_KEY, robot_numbers, shared_web

SYNC = """
mutation Sync($input: SyncInput!) { syncToOfficialAccount(input: $input) { sync { id state dryRun tags { action } } } }
"""
APPLY = """
mutation Apply($id: ID!, $hash: String!) {
  applySync(syncId: $id, planHash: $hash) { sync { id dryRun planHash total } }
}
"""
SHOW = """
query Show($id: ID!) {
  officialAccountSync(id: $id) {
    state progress done total error errorCode dryRun planHash planExpiresAt warnings callsNeeded secondsNeeded quotaLeft
    tags {
      tag { name } remoteTagId remoteName action toAdd toRemove unchanged atTagLimit drift added removed failed error
      errcode failures { totalCount nodes { errcode reason user { openid } } }
    }
  }
}
"""
PROGRESS = (
    "subscription($id: ID!) { jobProgress(id: $id) { state done ... on OfficialAccountSync { tags { added } } } }"
)


@pytest.fixture(scope="module")
async def wechat() -> AsyncIterator[Wechat]:
    async with open_wechat() as running:
        yield running


@pytest.fixture(scope="module")
async def calling_web(servers: EmbeddedServers, migrated_template: str, wechat: Wechat) -> AsyncIterator[Any]:
    """Serve a process that calls the imitated server API."""
    async with shared_web(servers, migrated_template, wechat_api_url=wechat.url) as web:
        yield web


@dataclass
class Synced:
    """Keep a robot with a channel of two followers, one of whom has a tag, and the books of the account."""

    robot: Robot
    channel: str
    tag: str
    books: AccountBooks

    async def start(self, **given: Any) -> Any:
        """Ask for a sync of the tag."""
        given = {"channelId": self.channel, "tagIds": [self.tag], **given}
        return await self.robot.ask(SYNC, input=given)

    async def work(self, sync: str) -> None:
        """Work on a sync until it is finished."""
        found = split_gid(sync)
        assert found is not None
        settings = self.robot.web.settings
        async with open_runtime(settings.database_url or "", make_clock(None), settings=settings) as runtime:
            await run_job(replace(runtime, secret_box=SecretBox((SECRETS_KEY,))), SLICES, *found.numbers)

    async def show(self, sync: str) -> Any:
        """Return what is shown of a sync."""
        return (await self.robot.ask(SHOW, id=sync))["officialAccountSync"]


@pytest.fixture
async def synced(calling_web: Any, wechat: Wechat) -> Synced:
    robot = Robot(calling_web, f"r{next(robot_numbers)}")
    account = Account(app_id=robot.app_id(), gh_id=f"gh_{robot.name}", token="T", secret=SECRETS["appSecret"])
    books = wechat.platform.books.register(account)
    channel = (await robot.bind(appSecret=SECRETS["appSecret"]))["id"]
    for openid in ("oAda", "oBob"):
        books.follow(openid, wechat.clock())
        await robot.record(channel, event_input(openid, "FOLLOW"))
    tags = await robot.tag_ids(channel, "oAda")
    return Synced(robot, channel, await robot.create_combo(channel, tags["New user"], name="Fresh"), books)


async def test_a_dry_run_is_shown_and_carried_out(synced: Synced) -> None:
    planned = (await synced.start(dryRun=True))["syncToOfficialAccount"]["sync"]
    assert (planned["dryRun"], planned["tags"]) == (True, [{"action": "NOTHING"}])
    await synced.work(planned["id"])
    plan = await synced.show(planned["id"])
    assert (plan["state"], plan["total"], plan["callsNeeded"], plan["warnings"]) == ("DONE", 2, 2, [])
    assert plan["tags"][0]["action"] == "CREATE"
    assert synced.books.tags.tags == {}

    answer = await synced.robot.ask(APPLY, id=planned["id"], hash=plan["planHash"])
    applied = answer["applySync"]["sync"]
    assert (applied["dryRun"], applied["planHash"], applied["total"]) == (False, None, 2)
    async with synced.robot.web.socket(synced.robot.token("admin")) as socket:
        progress = await socket.subscribe(PROGRESS, id=applied["id"])
        assert (await progress.next())["jobProgress"] == {"state": "QUEUED", "done": 0, "tags": [{"added": 0}]}
        await synced.work(applied["id"])
        while (seen := (await progress.next())["jobProgress"])["state"] != "DONE":
            pass
        assert seen == {"state": "DONE", "done": 2, "tags": [{"added": 2}]}

    [result] = (await synced.show(applied["id"]))["tags"]
    assert (result["tag"], result["remoteTagId"], result["remoteName"]) == ({"name": "Fresh"}, 100, "Fresh")
    assert synced.books.tags.tags[100].members == {"oAda", "oBob"}
    stale = await synced.robot.ask(APPLY, id=applied["id"], hash=plan["planHash"])
    assert stale.code == "CONFLICT"
    assert (await synced.robot.ask(APPLY, id=planned["id"], hash="other")).code == "CONFLICT"


async def test_whoever_could_not_be_tagged_is_named(synced: Synced) -> None:
    synced.books.unfollow("oBob")
    sync = (await synced.start())["syncToOfficialAccount"]["sync"]["id"]
    await synced.work(sync)

    [result] = (await synced.show(sync))["tags"]

    assert (result["added"], result["failed"], result["failures"]["totalCount"]) == (1, 1, 1)
    assert result["failures"]["nodes"] == [
        {
            "errcode": 45171,
            "reason": "WeChat named the person as failed and gave no reason.",
            "user": {"openid": "oBob"},
        }
    ]


async def test_wrong_input_is_refused_with_a_code_and_nothing_is_sent(synced: Synced, wechat: Wechat) -> None:
    robot = synced.robot
    long_name = await robot.create_combo(synced.channel, synced.tag, name="一二三四五六七八九十百")
    mini_program = (await robot.bind(2, kind="MINI_PROGRAM", appSecret=SECRETS["appSecret"]))["id"]
    unverified = (await robot.bind(3, kind="SUBSCRIPTION_ACCOUNT", verified=False, appSecret=SECRETS["appSecret"]))[
        "id"
    ]
    names = [{"tagId": synced.tag, "name": "x" * 31}]
    pending = await robot.create_ad_tag(synced.channel, "Autumn", "7")
    lapsed = await robot.create_combo(synced.channel, long_name, name="Over")
    await robot.ask("mutation($id: ID!) { deleteTag(id: $id) { deletedId } }", id=long_name)
    before = wechat.books.calls.outcomes.copy()

    answers = {
        "no tags": await synced.start(tagIds=[]),
        "too many": await synced.start(tagIds=[synced.tag] * 101),
        "long remote name": await synced.start(remoteNames=names),
        "of another": await synced.start(remoteNames=[{"tagId": pending, "name": "x"}]),
        "pending": await synced.start(tagIds=[pending]),
        "lapsed": await synced.start(tagIds=[lapsed]),
        "deleted": await synced.start(tagIds=[long_name]),
        "mini program": await synced.start(channelId=mini_program, tagIds=touchable(mini_program)),
        "unverified": await synced.start(channelId=unverified, tagIds=touchable(unverified)),
    }

    assert {name: answer.code for name, answer in answers.items()} == {
        "no tags": "BAD_USER_INPUT",
        "too many": "LIMIT_EXCEEDED",
        "long remote name": "BAD_USER_INPUT",
        "of another": "BAD_USER_INPUT",
        "pending": "TAG_NOT_USABLE",
        "lapsed": "TAG_NOT_USABLE",
        "deleted": "TAG_NOT_USABLE",
        "mini program": "BAD_USER_INPUT",
        "unverified": "CHANNEL_NOT_BOUND",
    }
    assert answers["long remote name"].error["extensions"]["fields"][0]["path"] == "input.remoteNames.0.name"
    for role in ("agent", "integrator"):
        given = {"channelId": synced.channel, "tagIds": [synced.tag]}
        assert (await robot.ask(SYNC, role, input=given)).code == "FORBIDDEN"
    assert wechat.books.calls.outcomes == before


async def test_a_name_that_is_too_long_at_wechat_needs_another(synced: Synced) -> None:
    tag = await synced.robot.create_combo(synced.channel, synced.tag, name="一二三四五六七八九十百")

    refused = await synced.start(tagIds=[tag])
    taken = await synced.start(tagIds=[tag], remoteNames=[{"tagId": tag, "name": "一二三四五六七八九十"}], dryRun=True)

    [field] = refused.error["extensions"]["fields"]
    assert (refused.code, field["path"], field["code"]) == ("BAD_USER_INPUT", "input.tagIds.0", "NAME_TOO_LONG")
    assert taken.errors == []


def touchable(channel: str) -> list[str]:
    """Return the id of Touchable, which every channel has."""
    return [tag_gid(parse_channel_gid(channel), 5)]
