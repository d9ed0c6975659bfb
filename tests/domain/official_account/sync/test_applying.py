"""Carry out syncs: afterwards both sides are the same, and WeChat was asked no more than that took."""

from datetime import timedelta

import pytest

from service.entities.errors import ConflictError, ErrorCode
from service.entities.jobs import JobState
from service.entities.remote_tags import RemoteAdditions
from service.entities.syncs import SyncConflict, TagSyncAction
from service.wechat.api.tag_calls import TAGGING, UNTAGGING
from tests.domain.official_account.sync.world import CREATE, LIST, MEMBERS, RENAME, World
from tests.support.tags import delete_tag_of


async def test_a_new_tag_is_made_and_given_to_the_followers_who_have_ours(world: World) -> None:
    people = [f"o{number:03}" for number in range(120)]
    await world.follow(*people)
    await world.unfollow(people[0])
    gold = await world.tag("Gold", people)

    job = await world.sync(gold, keep_in_sync=True)

    assert (job.state, job.done, job.total, job.error) == (JobState.DONE, 119, 119, None)
    assert world.remote("Gold") == set(people[1:])
    assert [world.calls(path) for path in (LIST, CREATE, TAGGING, UNTAGGING, MEMBERS)] == [1, 1, 3, 0, 0]
    result = await world.result(job)
    assert (result.added, result.removed, result.failed) == (119, 0, 0)
    link = await world.link(gold)
    assert (link.remote_tag_id, link.keep_in_sync, link.in_sync, link.last_job_id) == (100, True, True, job.job_id)


async def test_what_changed_is_sent_and_what_did_not_is_not(world: World) -> None:
    await world.follow("oAda", "oBob", "oCy")
    gold = await world.tag("Gold", ["oAda", "oBob"])
    await world.sync(gold)
    await world.tag("Gold", ["oBob", "oCy"])
    before = world.sent()

    job = await world.sync(gold)

    assert world.remote("Gold") == {"oBob", "oCy"}
    assert world.sent() - before == 2
    result = await world.result(job)
    assert (result.action, result.added, result.removed, result.unchanged) == (TagSyncAction.UPDATE, 1, 1, 1)
    again = await world.result(await world.sync(gold))
    assert (again.action, again.to_add, again.to_remove) == (TagSyncAction.NOTHING, 0, 0)
    assert world.sent() - before == 2


async def test_a_plan_is_carried_out_as_it_was_shown(world: World) -> None:
    await world.follow("oAda", "oBob", "oCy")
    gold = await world.tag("Gold", ["oAda"])
    plan = await world.sync(gold, dry_run=True, keep_in_sync=True)
    await world.tag("Gold", ["oAda", "oBob"])

    job = await world.apply(plan)
    again = await world.apply(plan)

    assert job.state is JobState.DONE
    assert world.remote("Gold") == {"oAda"}
    assert again.job_id == job.job_id
    assert (await world.link(gold)).keep_in_sync
    assert (await world.result(await world.sync(gold))).added == 1


@pytest.mark.parametrize("moved", ["listed", "count", "renamed", "expired", "hash"])
async def test_a_plan_does_not_hold_when_a_side_moved(world: World, moved: str) -> None:
    await world.follow("oAda", "oBob")
    gold = await world.tag("Gold", ["oAda"])
    await world.sync(gold)
    await world.tag("Gold", ["oBob"])
    plan = await world.sync(gold, dry_run=True)
    before = world.sent()

    if moved == "listed":
        world.make_remote("Theirs")
    elif moved == "count":
        world.wechat.account.tags.tag(100, ["oBob"])
    elif moved == "renamed":
        await world.rename(gold, "Silver")
    elif moved == "expired":
        world.wechat.clock.advance(timedelta(hours=1))
    if moved in {"expired", "hash"}:
        with pytest.raises(ConflictError):
            await world.apply(plan, plan_hash="0" * 64 if moved == "hash" else plan.payload["hash"])
    else:
        job = await world.apply(plan)
        assert (job.state, job.error_code) == (JobState.FAILED, ErrorCode.CONFLICT)
    assert world.sent() == before


async def test_whoever_unfollowed_since_the_plan_does_not_spoil_it(world: World) -> None:
    await world.follow("oAda", "oBob", "oCy")
    gold = await world.tag("Gold", ["oAda", "oBob"])
    await world.sync(gold)
    await world.tag("Gold", ["oBob", "oCy"])
    plan = await world.sync(gold, dry_run=True)
    await world.unfollow("oBob")

    job = await world.apply(plan)

    assert job.state is JobState.DONE
    assert world.remote("Gold") == {"oCy"}


async def test_our_new_name_is_the_remote_ones_too(world: World) -> None:
    await world.follow("oAda")
    gold = await world.tag("Gold", ["oAda"])
    await world.sync(gold)
    await world.rename(gold, "Platinum")

    job = await world.sync(gold)

    assert (await world.result(job)).action is TagSyncAction.RENAME
    assert world.remote_names() == ["Platinum"]
    assert world.calls(RENAME) == 1
    assert (await world.result(await world.sync(gold))).action is TagSyncAction.NOTHING


async def test_a_name_that_others_gave_or_that_was_asked_for_stays(world: World) -> None:
    await world.follow("oAda")
    gold = await world.tag("Gold", ["oAda"])
    await world.sync(gold, names={gold: "VIP"})
    assert world.remote_names() == ["VIP"]
    world.wechat.account.tags.tags[100].name = "Very important"

    job = await world.sync(gold)

    assert (await world.result(job)).action is TagSyncAction.NOTHING
    assert world.remote_names() == ["Very important"]
    assert (await world.link(gold)).remote_name == "Very important"


async def test_an_adopted_tag_is_ours_and_keeps_its_people(world: World) -> None:
    await world.follow("oAda", "oBob")
    theirs = world.make_remote("Gold", "oBob")
    gold = await world.tag("Gold", ["oAda"])
    plan = await world.sync(gold, dry_run=True, on_conflict=SyncConflict.ADOPT)
    read = world.calls(MEMBERS)

    await world.apply(plan)

    assert world.remote("Gold") == {"oAda", "oBob"}
    assert (await world.link(gold)).remote_tag_id == theirs
    assert world.calls(MEMBERS) == read
    kept = await world.result(await world.sync(gold))
    assert (kept.action, kept.to_remove) == (TagSyncAction.NOTHING, 0)
    removed = await world.sync(gold, remote_additions=RemoteAdditions.REMOVE)
    assert (await world.result(removed)).removed == 1
    assert world.remote("Gold") == {"oAda"}


async def test_what_others_changed_is_shown_and_mended(world: World) -> None:
    await world.follow("oAda", "oBob", "oCy")
    gold = await world.tag("Gold", ["oAda", "oBob"])
    await world.sync(gold)
    world.wechat.account.tags.untag(100, ["oAda"])
    world.wechat.account.tags.tag(100, ["oCy"])

    result = await world.result(await world.sync(gold))

    assert (result.drift, result.added, result.removed) == (2, 1, 0)
    assert world.remote("Gold") == {"oAda", "oBob", "oCy"}


async def test_whoever_comes_back_gets_the_tag_again(world: World) -> None:
    await world.follow("oAda")
    gold = await world.tag("Gold", ["oAda"])
    await world.sync(gold)
    await world.unfollow("oAda")
    await world.follow("oAda")
    assert world.remote("Gold") == set()

    await world.sync(gold)

    assert world.remote("Gold") == {"oAda"}


async def test_a_remote_tag_that_somebody_deleted_is_made_anew(world: World) -> None:
    await world.follow("oAda")
    gold = await world.tag("Gold", ["oAda"])
    await world.sync(gold)
    world.wechat.account.tags.delete(100)

    job = await world.sync(gold)

    assert (await world.result(job)).action is TagSyncAction.CREATE
    assert world.remote("Gold") == {"oAda"}
    assert (await world.link(gold)).remote_tag_id == 101


async def test_another_remote_tag_that_takes_the_place_of_one_that_is_gone_keeps_its_people(world: World) -> None:
    await world.follow("oAda", "oBob", "oCy")
    gold = await world.tag("Gold", ["oAda", "oBob", "oCy"])
    await world.sync(gold)
    world.account.tags.delete(100)
    await world.tag("Gold", ["oAda", "oBob"])
    world.make_remote("Gold", "oAda", "oCy")

    await world.sync(gold, on_conflict=SyncConflict.ADOPT)

    assert world.remote("Gold") == {"oAda", "oBob", "oCy"}
    assert not await world.differs(gold)


async def test_a_remote_tag_that_a_deleted_tag_left_can_be_adopted(world: World) -> None:
    await world.follow("oAda", "oBob")
    old = await world.tag("Gold", ["oAda"])
    await world.sync(old, keep_in_sync=True)
    await delete_tag_of(world.runtime, world.channel, old)
    gold = await world.tag("Gold", ["oAda", "oBob"])
    assert (await world.result(await world.sync(gold))).error is not None

    result = await world.result(await world.sync(gold, on_conflict=SyncConflict.ADOPT))

    assert (result.action, result.unchanged, result.added) == (TagSyncAction.ADOPT, 1, 1)
    assert world.remote("Gold") == {"oAda", "oBob"}
    assert [(await world.link(each)).remote_tag_id for each in (old, gold)] == [None, 100]
    assert not await world.differs(gold)
