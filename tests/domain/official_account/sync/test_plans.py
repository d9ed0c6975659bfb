"""Plan syncs: what becomes of each tag, and of whom, without a single change at WeChat (docs/specification.md §6.2)."""

from service.entities.jobs import JobState
from service.entities.remote_tags import RemoteAdditions
from service.entities.syncs import SyncConflict, TagSyncAction
from tests.domain.official_account.sync.world import CREATE, MEMBERS, World


async def test_a_dry_run_says_what_would_be_done_and_changes_nothing(world: World) -> None:
    await world.follow("oAda", "oBob", "oCy")
    gold = await world.tag("Gold", ["oAda", "oBob", "oNeverFollowed"])

    job = await world.sync(gold, dry_run=True)

    assert (job.state, job.error) == (JobState.DONE, None)
    result = await world.result(job)
    assert (result.action, result.remote_name, result.to_add, result.to_remove) == (TagSyncAction.CREATE, "Gold", 2, 0)
    assert job.payload["calls"] == 2
    assert len(job.payload["hash"]) == 64
    assert world.sent() == 0
    assert world.remote_names() == []


async def test_a_name_that_somebody_else_has_is_refused_adopted_or_evaded(world: World) -> None:
    await world.follow("oAda", "oBob")
    world.make_remote("Gold", "oBob")
    gold = await world.tag("Gold", ["oAda"])

    refused = await world.result(await world.sync(gold, dry_run=True))
    evaded = await world.result(await world.sync(gold, dry_run=True, on_conflict=SyncConflict.RENAME))
    read = world.calls(MEMBERS)
    adopted = await world.result(await world.sync(gold, dry_run=True, on_conflict=SyncConflict.ADOPT))

    assert (refused.action, refused.remote_name) == (TagSyncAction.REFUSED, "Gold")
    assert refused.error is not None
    assert (evaded.action, evaded.remote_name) == (TagSyncAction.CREATE, "Gold 2")
    assert read == 0
    assert (adopted.action, adopted.to_add, adopted.to_remove) == (TagSyncAction.ADOPT, 1, 0)
    assert world.calls(CREATE) == 0


async def test_what_others_added_is_kept_unless_it_is_to_go(world: World) -> None:
    await world.follow("oAda", "oBob")
    world.make_remote("Gold", "oBob")
    gold = await world.tag("Gold", ["oAda"])

    job = await world.sync(gold, dry_run=True, on_conflict=SyncConflict.ADOPT, remote_additions=RemoteAdditions.REMOVE)

    result = await world.result(job)
    assert (result.to_add, result.to_remove) == (1, 1)


async def test_whoever_follows_though_nobody_told_so_keeps_the_tag_with_ours_and_loses_it_without(world: World) -> None:
    await world.follow("oAda", "oBob")
    for openid in ("oCy", "oEve"):
        world.account.follow(openid, world.wechat.clock())
    gold = await world.tag("Gold", ["oAda", "oCy"])
    await world.tag("Silver", ["oEve"])
    world.make_remote("Gold", "oAda", "oBob", "oCy", "oEve")

    job = await world.sync(gold, on_conflict=SyncConflict.ADOPT, remote_additions=RemoteAdditions.REMOVE)

    assert world.remote("Gold") == {"oAda", "oCy"}
    assert (await world.result(job)).removed == 2
    assert not await world.differs(gold)
