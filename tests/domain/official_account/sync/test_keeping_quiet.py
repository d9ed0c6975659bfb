"""Keep tags in sync without calls that can change nothing, and go on where somebody at WeChat interfered."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.behaviour import BadOpenid
from service.domain.jobs.running import run_job
from service.domain.official_account.keeping import look_at_links
from service.domain.official_account.sync.slices import run_sync_slice
from service.domain.runtime import Runtime
from service.entities.errors import ErrorCode
from service.entities.jobs import Job, JobKind, JobState
from service.wechat.api.tag_calls import TAGGING
from tests.domain.official_account.sync.test_keeping import HOUR, kept, look
from tests.domain.official_account.sync.world import LIST, World


@dataclass
class StageStop:
    """Do the slices of a sync up to a stage."""

    stage: str
    reached: bool = False

    async def run(self, runtime: Runtime, job: Job) -> Job:
        """Do a slice, or stop before the stage."""
        if job.payload["stage"] != self.stage:
            return await run_sync_slice(runtime, job)
        self.reached = True
        raise InterruptedError


async def stop_before(world: World, job: Job, stage: str) -> None:
    """Work on a sync until it comes to a stage, as if its worker failed there."""
    stop = StageStop(stage)
    await run_job(world.runtime, {JobKind.OFFICIAL_ACCOUNT_SYNC: stop.run}, job.channel_id, job.job_id)
    assert stop.reached
    world.wechat.clock.advance(timedelta(seconds=10))


@pytest.mark.parametrize("name", ["一二三四五六七八九十一", "Silver"], ids=["too long", "taken"])
async def test_a_name_that_the_remote_tag_cannot_have_is_tried_again_after_an_hour(world: World, name: str) -> None:
    await world.follow("oAda", "oBob")
    theirs = world.make_remote("Silver")
    gold = await kept(world, "Gold", "oAda")
    await world.rename(gold, name)
    await look(world)
    lists = world.calls(LIST)

    for openid in ("oAda", "oBob", "oAda"):
        await world.tag("Other", [openid])
        assert await look(world) is None

    assert world.calls(LIST) == lists
    assert (await world.link(gold)).in_sync
    world.account.tags.delete(theirs)
    world.wechat.clock.advance(HOUR)
    await look(world)
    assert ("Silver" in world.remote_names()) is (name == "Silver")


async def test_a_tag_that_is_renamed_while_its_remote_one_is_made_has_that_renamed(world: World) -> None:
    await world.follow("oAda")
    gold = await world.tag("Gold", ["oAda"])
    job = await world.start(gold, keep_in_sync=True)
    await stop_before(world, job, "MAKE")
    await world.rename(gold, "Platinum")
    await world.finish(job)
    assert world.remote("Gold") == {"oAda"}

    await look(world)

    assert world.remote("Platinum") == {"oAda"}


async def test_the_name_that_a_remote_tag_has_can_be_asked_for(world: World) -> None:
    await world.follow("oAda")
    gold = await kept(world, "Gold", "oAda")
    await world.rename(gold, "Platinum")
    await world.sync(gold, names={gold: "Gold"})

    assert await look(world) is None
    assert world.remote("Gold") == {"oAda"}


async def test_one_who_cannot_be_tagged_is_tried_again_after_an_hour(world: World) -> None:
    await world.follow("oAda", "oBob", "oCy")
    world.account.blacklist["oBob"] = None
    world.wechat.books.behaviour.blacklisted_code = 50005
    world.wechat.books.behaviour.bad_openid = BadOpenid.REFUSE
    gold = await world.tag("Gold", ["oAda", "oBob"])
    await world.sync(gold, keep_in_sync=True)
    before = (world.calls(LIST), world.calls(TAGGING))
    for openid in ("oAda", "oBob", "oAda"):
        await world.tag("Other", [openid])
        assert await look(world) is None
    assert (world.calls(LIST), world.calls(TAGGING)) == before
    assert not (await world.link(gold)).in_sync

    await world.tag("Gold", ["oAda", "oBob", "oCy"])
    await look(world)
    assert world.remote("Gold") == {"oAda", "oCy"}
    world.account.blacklist.clear()
    assert await look(world) is None
    world.wechat.clock.advance(HOUR)
    await look(world)

    assert world.remote("Gold") == {"oAda", "oBob", "oCy"}


async def test_one_who_could_not_be_tagged_and_follows_again_is_tagged_at_once(world: World) -> None:
    await world.follow("oAda", "oBob")
    await world.unfollow("oBob", told=False)
    world.wechat.books.behaviour.bad_openid = BadOpenid.REFUSE
    gold = await world.tag("Gold", ["oAda", "oBob"])
    await world.sync(gold, keep_in_sync=True)
    await world.follow("oBob")

    await look(world)

    assert world.remote("Gold") == {"oAda", "oBob"}


async def test_a_kept_tag_that_is_deleted_at_wechat_during_a_sync_is_made_anew_by_itself(world: World) -> None:
    await world.follow("oAda", "oBob")
    gold = await kept(world, "Gold", "oAda")
    await world.tag("Gold", ["oAda", "oBob"])
    job = await look_at_links(world.runtime, world.channel)
    assert job is not None
    await stop_before(world, job, "ADD")
    world.account.tags.delete(100)
    assert (await world.finish(job)).state is JobState.DONE
    assert (await world.link(gold)).remote_tag_id is None
    world.wechat.clock.advance(HOUR)

    await look(world)

    assert world.remote("Gold") == {"oAda", "oBob"}
    link = await world.link(gold)
    assert (link.in_sync, link.error) == (True, None)


async def test_a_tag_with_too_many_removals_holds_up_no_other(world: World) -> None:
    crowd = [f"o{number:03}" for number in range(60)]
    await world.follow(*crowd)
    gold = await kept(world, "Gold", *crowd)
    silver = await kept(world, "Silver", "o001")
    await world.tag("Gold", ["o001"])
    await world.tag("Silver", ["o001", "o002"])
    job = await look(world)
    assert job is not None
    assert job.error_code == ErrorCode.LIMIT_EXCEEDED

    await look(world)

    assert (world.remote("Gold"), world.remote("Silver")) == (set(crowd), {"o001", "o002"})
    assert (await world.link(gold)).error == job.error
    assert (await world.link(silver)).error is None
