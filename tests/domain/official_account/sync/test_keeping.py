"""Keep tags in sync: what changed is sent by itself, only that, and nothing while it must not be."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.demo.wechat_api.limits import Quota
from service.domain.channels.binding import unbind_channel
from service.domain.combos.activation import activate_combo
from service.domain.combos.refresh import refresh_combos
from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.official_account.keeping import channels_to_look_at, look_at_links, report_failing_links
from service.domain.official_account.linked_tags import set_keep_in_sync
from service.domain.runtime import Runtime
from service.entities.errors import ErrorCode
from service.entities.expressions import all_of, tag
from service.entities.jobs import Job, JobState
from service.entities.tags import DefaultTagRule, TagKey
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import Settings
from service.storage import jobs
from service.wechat.api.tag_calls import TAGGING, UNTAGGING
from service.worker.tasks.official_account import keep_tags_in_sync
from tests.domain.official_account.sync.world import LIST, MEMBERS, SECOND, World
from tests.support.runtime import admin, bind, open_runtime
from tests.support.tags import delete_tag_of, edit_combo, make_combo

HOUR = timedelta(hours=1)
CROWD = [f"o{number:03}" for number in range(60)]


async def look(world: World, runtime: Runtime | None = None) -> Job | None:
    """Look at the channel if something changed, as the scheduled task does, and return the finished sync, if any."""
    if world.channel.channel_id not in await channels_to_look_at(world.runtime):
        return None
    job = await look_at_links(runtime or world.runtime, world.channel)
    return None if job is None else await world.finish(job)


async def kept(world: World, label: str, *openids: str) -> int:
    """Make a tag that was synced once and is kept in sync."""
    tag_id = await world.tag(label, openids)
    await world.sync(tag_id, keep_in_sync=True)
    assert await look(world) is None
    return tag_id


async def active_combo(world: World, name: str, *tag_ids: int) -> int:
    """Make a combo of tags and bring it into force."""
    combo = await make_combo(world.runtime, world.channel, name, all_of(*map(tag, tag_ids)))
    await activate_combo(world.runtime, world.channel.channel_id, combo.tag_id, combo.generation)
    return combo.tag_id


async def test_returned_data_is_sent_by_itself_and_only_what_changed(world: World) -> None:
    await world.follow("oAda", "oBob", "oCy")
    await kept(world, "Gold", "oAda", "oBob")
    before = {path: world.calls(path) for path in (LIST, MEMBERS, TAGGING, UNTAGGING)}
    await world.tag("Gold", ["oBob", "oCy"])

    job = await look(world)

    assert job is not None
    assert job.state is JobState.DONE
    assert world.remote("Gold") == {"oBob", "oCy"}
    assert {path: world.calls(path) - before[path] for path in before} == {
        LIST: 1,
        MEMBERS: 0,
        TAGGING: 1,
        UNTAGGING: 1,
    }
    assert await look(world) is None


async def test_a_channel_in_which_nothing_happened_is_looked_at_once_an_hour(world: World) -> None:
    await world.follow("oAda")
    await kept(world, "Gold", "oAda")

    assert await channels_to_look_at(world.runtime) == []
    world.wechat.clock.advance(HOUR)
    assert await channels_to_look_at(world.runtime) == [world.channel.channel_id]
    assert await look(world) is None


async def test_events_and_the_scheduled_run_are_sent_by_themselves(world: World) -> None:
    await world.follow("oAda")
    await world.sync(DefaultTagRule.NEW_USER, DefaultTagRule.OLD_USER, keep_in_sync=True)
    await look(world)
    await world.follow("oBob")
    await look(world)
    assert world.remote("New user") == {"oAda", "oBob"}

    world.wechat.clock.advance(timedelta(hours=48))
    await run_default_tags(world.runtime, world.channel)
    await look(world)

    assert (world.remote("New user"), world.remote("Old user")) == (set(), {"oAda", "oBob"})


async def test_a_combo_is_sent_after_its_refresh(world: World) -> None:
    await world.follow("oAda", "oBob")
    gold = await world.tag("Gold", ["oAda"])
    combo = await active_combo(world, "New gold", gold, DefaultTagRule.NEW_USER)
    await world.sync(combo, keep_in_sync=True)
    await world.tag("Gold", ["oAda", "oBob"])
    await refresh_combos(world.runtime, world.channel.channel_id)

    await look(world)

    assert world.remote("New gold") == {"oAda", "oBob"}


async def test_whoever_comes_back_gets_the_tags_again_without_any_bit_having_changed(world: World) -> None:
    await world.follow("oAda")
    await kept(world, "Gold", "oAda")
    world.wechat.clock.advance(2 * SECOND)
    world.wechat.account.unfollow("oAda")
    world.wechat.follow("oAda")
    now = world.wechat.clock()
    events = [UserEvent("oAda", EventKind.UNFOLLOW, now - SECOND), UserEvent("oAda", EventKind.FOLLOW, now)]
    await record_events(world.runtime, world.channel, events)
    assert world.remote("Gold") == set()

    await look(world)

    assert world.remote("Gold") == {"oAda"}


async def test_a_tag_that_is_not_kept_says_whether_the_sides_agree_and_is_not_sent(world: World) -> None:
    await world.follow("oAda", "oBob")
    gold = await world.tag("Gold", ["oAda"])
    await world.sync(gold)
    seen = []
    for openids in (["oAda"], ["oBob"], ["oAda"]):
        await world.tag("Gold", openids)
        before = world.sent()
        await look(world)
        assert world.sent() == before
        seen.append((await world.link(gold)).in_sync)

    assert seen == [True, False, True]


async def test_keeping_in_sync_that_is_turned_on_sends_what_changed_before(world: World) -> None:
    await world.follow("oAda", "oBob")
    gold = await world.tag("Gold", ["oAda"])
    await world.sync(gold)
    await world.tag("Gold", ["oBob"])
    await look(world)
    key = TagKey(world.channel.channel_id, gold)
    await set_keep_in_sync(world.runtime, admin(), [key], keep_in_sync=True)

    await look(world)

    assert world.remote("Gold") == {"oBob"}


async def test_a_pending_combo_is_left_alone_until_it_is_in_force_again(world: World) -> None:
    await world.follow("oAda", "oBob")
    gold, silver = await world.tag("Gold", ["oAda"]), await world.tag("Silver", ["oBob"])
    combo = await active_combo(world, "Best", gold)
    await world.sync(combo, keep_in_sync=True)
    await edit_combo(world.runtime, world.channel, combo, tag(silver))

    assert await look(world) is None
    assert world.remote("Best") == {"oAda"}

    found = await world.runtime.pool.fetchval("select max(generation) from combo_tag where tag_id = $1", combo)
    await activate_combo(world.runtime, world.channel.channel_id, combo, found)
    await look(world)
    assert world.remote("Best") == {"oBob"}


async def test_nothing_is_sent_while_the_channel_is_not_bound_or_acting_is_off(
    world: World, settings: Settings, database_url: str
) -> None:
    await world.follow("oAda", "oBob")
    gold = await kept(world, "Gold", "oAda", "oBob")
    before = world.sent()
    await world.tag("Gold", ["oBob"])
    await unbind_channel(world.runtime, admin(), world.channel.channel_id)
    assert await look(world) is None
    await bind(world.runtime, world.channel.app_id)
    async with open_runtime(database_url, world.wechat.clock, settings=replace(settings, acting=False)) as silent:
        assert await look(world, silent) is None
    assert world.sent() == before
    assert (await world.link(gold)).error is None

    world.wechat.clock.advance(HOUR)
    await look(world)
    assert world.remote("Gold") == {"oBob"}


async def test_a_tag_that_lapses_or_is_deleted_stops_being_synced_and_the_log_says_so_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.follow("oAda")
    gold = await world.tag("Gold", ["oAda"])
    combo = await active_combo(world, "Best", gold)
    await world.sync(gold, combo, keep_in_sync=True)
    before = world.sent()
    await delete_tag_of(world.runtime, world.channel, gold)

    for _ in range(2):
        assert await look(world) is None
        world.wechat.clock.advance(HOUR)

    assert world.sent() == before
    assert (world.remote("Gold"), world.remote("Best")) == ({"oAda"}, {"oAda"})
    said = [record.getMessage() for record in caplog.records if "no longer synced" in record.getMessage()]
    assert set(said) == {
        f"channel {world.channel.channel_id}: tag {tag_id} was deleted or has lapsed; it is no longer synced, and the "
        "remote tag stays as it was"
        for tag_id in (gold, combo)
    }
    assert len(said) == 2
    assert [(await world.link(each)).keep_in_sync for each in (gold, combo)] == [False, True]


async def test_too_many_removals_fail_are_said_and_wait_for_a_human(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.follow(*CROWD)
    gold = await kept(world, "Gold", *CROWD)
    await world.tag("Gold", CROWD[:30])

    job = await look(world)

    assert job is not None
    assert (job.state, job.error_code) == (JobState.FAILED, ErrorCode.LIMIT_EXCEEDED)
    assert world.remote("Gold") == set(CROWD)
    link = await world.link(gold)
    assert (link.in_sync, link.error) == (False, job.error)
    world.wechat.clock.advance(timedelta(minutes=10))
    assert await report_failing_links(world.runtime) == 1
    [said] = [record for record in caplog.records if "has not been kept in sync" in record.getMessage()]
    assert said.levelno == logging.ERROR

    await world.tag("Gold", CROWD[:29])
    assert await look(world) is None
    world.wechat.clock.advance(HOUR)
    again = await look(world)
    assert again is not None
    assert again.state is JobState.FAILED
    await world.sync(gold, allow_removals=True)
    assert (await world.link(gold)).error is None
    assert await report_failing_links(world.runtime) == 0
    assert world.remote("Gold") == set(CROWD[:29])


async def test_who_loses_a_tag_because_time_passed_does_not_count_as_removed(world: World) -> None:
    await world.follow(*CROWD)
    await world.sync(DefaultTagRule.NEW_USER, keep_in_sync=True)
    world.wechat.clock.advance(timedelta(hours=48))
    await run_default_tags(world.runtime, world.channel)

    job = await look(world)

    assert job is not None
    assert job.state is JobState.DONE
    assert world.remote("New user") == set()


async def test_a_channel_that_lost_its_app_secret_says_so_on_its_tags(world: World) -> None:
    await world.follow("oAda", "oBob")
    gold = await kept(world, "Gold", "oAda")
    await world.tag("Gold", ["oBob"])
    await world.runtime.pool.execute("update channel set app_secret = null")
    [channel_id] = await channels_to_look_at(world.runtime)
    assert channel_id == world.channel.channel_id

    assert await look_at_links(world.runtime, replace(world.channel, encrypted_app_secret=None)) is None

    link = await world.link(gold)
    assert (link.in_sync, link.failing_since) == (False, world.wechat.clock())
    assert "app secret" in (link.error or "")


async def test_a_sync_that_wechat_refuses_shows_on_the_tag_until_one_succeeds(world: World) -> None:
    await world.follow("oAda", "oBob")
    gold = await kept(world, "Gold", "oAda")
    await world.tag("Gold", ["oAda", "oBob"])
    world.wechat.books.faults.add(TAGGING, Fault(kind=FaultKind.ERROR, code=47001))
    failed = await look(world)
    assert failed is not None
    link = await world.link(gold)
    assert (link.in_sync, link.errcode) == (False, 47001)

    world.wechat.clock.advance(HOUR)
    await look(world)

    link = await world.link(gold)
    assert (link.in_sync, link.error, link.errcode, link.failing_since) == (True, None, None, None)
    assert world.remote("Gold") == {"oAda", "oBob"}


async def test_a_look_during_a_sync_begins_none_and_the_next_one_does(world: World) -> None:
    await world.follow("oAda", "oBob")
    await kept(world, "Gold", "oAda")
    other = await world.tag("Silver", ["oAda"])
    running = await world.start(other)
    await world.tag("Gold", ["oBob"])

    assert await look(world) is None
    await world.finish(running)
    await look(world)

    assert world.remote("Gold") == {"oBob"}


async def test_the_scheduled_task_looks_at_the_channels_that_changed_and_at_no_other(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await world.follow("oAda", "oBob")
    await kept(world, "Gold", "oAda")
    await bind(world.runtime)
    await keep_tags_in_sync({"runtime": world.runtime})
    assert "keeping the tags in sync" not in caplog.text
    await world.tag("Gold", ["oBob"])

    await keep_tags_in_sync({"runtime": world.runtime})

    assert f"keeping the tags in sync of channel {world.channel.channel_id}: sync 2 was begun" in caplog.text
    async with world.runtime.pool.acquire() as conn:
        begun = await jobs.job(conn, world.channel.channel_id, 2)
    assert begun is not None
    await world.finish(begun)
    assert world.remote("Gold") == {"oBob"}


async def test_half_of_the_calls_of_a_day_are_left_to_people(world: World) -> None:
    await world.follow(*CROWD)
    world.wechat.account.quotas.set_quota(TAGGING, Quota(daily=4))
    gold = await kept(world, "Gold", CROWD[0])
    await world.tag("Gold", CROWD)
    began = await look_at_links(world.runtime, world.channel)
    assert began is not None
    await world.work(began)
    assert (await world.stored(began)).state is JobState.WAITING
    assert len(world.remote("Gold")) == 51
    assert (await world.link(gold)).error is not None

    by_hand = await world.start(await world.tag("Silver", CROWD[:1]))
    await world.work(by_hand)

    assert (await world.stored(by_hand)).state is JobState.DONE
    assert world.remote("Silver") == {CROWD[0]}
    assert (await world.stored(began)).state is JobState.CANCELLED
    world.wechat.clock.advance(timedelta(days=1))
    await look(world)
    assert world.remote("Gold") == set(CROWD)
    assert (await world.link(gold)).error is None
