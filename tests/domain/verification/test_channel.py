"""Verify a channel by its facts: report exactly the wrong bits, and repair them only when asked.

The rule: docs/architecture/02-facts-as-maxima.md.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import EventRecorder
from service.domain.runtime import Runtime
from service.domain.verification.channel import VerifyReport, verify_channel
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from tests.support.clock import START, FrozenClock
from tests.support.database_state import logged_versions, miscounted, tags_by_openid, tags_by_ordinal
from tests.support.runtime import bind, clear_notifications, published_notifications

TABLES = (
    *("channel_user", "block_head", "tag_members", "tag_member_count", "user_tag_change", "bulk_tag_change"),
    *("remote_tag", "remote_members"),
)
TOUCHABLE, UNTOUCHABLE = DefaultTagRule.TOUCHABLE.value, DefaultTagRule.UNTOUCHABLE.value
FLIP = "update tag_members set members = set_bit(members, {0}, 1 - get_bit(members, {0})) where tag_id = {1};"
COUNT = "update tag_member_count set members = members + {0} where tag_id = {1};"
FORGET_COUNT = "delete from tag_member_count where tag_id = 5"
# Links of tags 1 and 5, of which 5 was unlinked since.
LINKS = """
insert into remote_tag (channel_id, tag_id, remote_tag_id, remote_name, linked_at)
select channel_id, t, case t when 1 then 100 end, 'A tag', now() from channel, unnest(array[1, 5]) t;
"""
REMOTE = """
insert into remote_members
select channel_id, 0, {0}, set_bit(0::bit(32000), 1, {1}), set_bit(0::bit(32000), {2}, {3}) from channel;
"""
FORGET_BITS = "delete from tag_members where tag_id = 5"

REMOTE_WRONG = {"wrong_remote_members": 1}

DAMAGES = {
    "somebody lost a tag": (
        FLIP.format(1, TOUCHABLE) + COUNT.format(-1, TOUCHABLE),
        VerifyReport(1, 1, wrong_users=1, wrong_log=1),
        {(1, TOUCHABLE)},
        set(),
    ),
    "somebody has both tags of a category": (
        FLIP.format(1, UNTOUCHABLE) + COUNT.format(1, UNTOUCHABLE),
        VerifyReport(1, 1, wrong_users=1, wrong_log=1),
        set(),
        {(1, UNTOUCHABLE)},
    ),
    "somebody lost a tag, and the count does not know": (
        FLIP.format(1, TOUCHABLE),
        VerifyReport(1, 1, wrong_users=1, wrong_counts=1, wrong_log=1),
        {(1, TOUCHABLE)},
        set(),
    ),
    "a count is wrong": (COUNT.format(5, TOUCHABLE), VerifyReport(1, 1, wrong_counts=1), set(), set()),
    "a count is missing": (
        FORGET_COUNT,
        VerifyReport(1, 1, wrong_counts=1),
        set(),
        set(),
    ),
    "nobody has a remote tag": (
        LINKS + REMOTE.format(1, 1, 31_998, 1),
        VerifyReport(1, 1, **REMOTE_WRONG),
        set(),
        set(),
    ),
    "a tag that is not linked was synced": (
        LINKS + REMOTE.format(5, 1, 1, 1),
        VerifyReport(1, 1, **REMOTE_WRONG),
        set(),
        set(),
    ),
    "a tag that was never linked has a remote one": (
        REMOTE.format(1, 1, 1, 0),
        VerifyReport(1, 1, **REMOTE_WRONG),
        set(),
        set(),
    ),
    "a bit of nobody": (
        FLIP.format(31_999, TOUCHABLE) + COUNT.format(1, TOUCHABLE),
        VerifyReport(1, 1, stray_bits=1),
        set(),
        {(31_999, TOUCHABLE)},
    ),
    "two bits of nobody": (
        FLIP.format(777, TOUCHABLE)
        + FLIP.format(777, UNTOUCHABLE)
        + COUNT.format(1, TOUCHABLE)
        + COUNT.format(1, UNTOUCHABLE),
        VerifyReport(1, 1, stray_bits=1),
        set(),
        {(777, TOUCHABLE), (777, UNTOUCHABLE)},
    ),
    "a bitmap is gone": (
        FORGET_BITS,
        VerifyReport(1, 1, wrong_users=2, wrong_counts=1, wrong_log=2),
        {(1, TOUCHABLE), (2, TOUCHABLE)},
        set(),
    ),
    "a timer is lost": (
        "update channel_user set wake_at = null where openid = 'o1'",
        VerifyReport(1, 1, missing_timers=1),
        set(),
        set(),
    ),
    "a timer is missing": (
        "delete from alarm using channel_user u where openid = 'o1' and alarm.user_offset = u.ordinal",
        VerifyReport(1, 1, missing_timers=1),
        set(),
        set(),
    ),
    "a timer is late": (
        "update channel_user set wake_at = wake_at + interval '1 second' where openid = 'o1'",
        VerifyReport(1, 1, missing_timers=1),
        set(),
        set(),
    ),
    "a timer is spent": (
        "update channel_user set wake_at = timestamptz '2026-03-01 10:00+00' where openid = 'o1'",
        VerifyReport(1, 1, missing_timers=1),
        set(),
        set(),
    ),
}


@pytest.fixture
async def crowd(runtime: Runtime, clock: FrozenClock) -> Channel:
    """Bind a channel with an Untouchable follower, two Touchable ones, and one who unfollowed, after a run."""
    clock.now = START - timedelta(hours=3)
    channel = await bind(runtime)
    clock.now = START
    await EventRecorder(runtime).record(
        channel,
        [
            UserEvent("o0", EventKind.FOLLOW, START - timedelta(hours=2)),
            UserEvent("o1", EventKind.FOLLOW, START),
            UserEvent("o2", EventKind.FOLLOW, START),
            UserEvent("o3", EventKind.FOLLOW, START - timedelta(hours=2)),
            UserEvent("o3", EventKind.UNFOLLOW, START - timedelta(hours=1)),
        ],
    )
    assert (await verify_channel(runtime, channel, repair=True)).clean
    clear_notifications(runtime)
    return channel


async def everything(runtime: Runtime) -> dict[str, list[str]]:
    """Return all rows of what `verify` might touch."""
    return {
        table: [row["t"] for row in await runtime.pool.fetch(f"select t::text as t from {table} t order by 1")]  # noqa: S608
        for table in TABLES
    }


@pytest.mark.parametrize("name", DAMAGES)
async def test_verify_reports_exactly_what_is_wrong_and_changes_nothing(
    runtime: Runtime, crowd: Channel, name: str
) -> None:
    damage, report, _, _ = DAMAGES[name]
    await runtime.pool.execute(damage)
    before = await everything(runtime)

    assert await verify_channel(runtime, crowd, repair=False) == replace(report, channel_id=crowd.channel_id)
    assert await everything(runtime) == before
    assert published_notifications(runtime) == []


@pytest.mark.parametrize("name", DAMAGES)
async def test_a_repair_makes_it_right_and_the_log_says_so(runtime: Runtime, crowd: Channel, name: str) -> None:
    damage, report, added, removed = DAMAGES[name]
    right = await tags_by_ordinal(runtime, crowd)
    [before] = await everything_logged(runtime, crowd)
    await runtime.pool.execute(damage)

    assert await verify_channel(runtime, crowd, repair=True) == replace(report, channel_id=crowd.channel_id)

    assert await tags_by_ordinal(runtime, crowd) == right
    assert await miscounted(runtime, crowd) == []
    assert (await verify_channel(runtime, crowd, repair=False)).clean
    versions = (await logged_versions(runtime, crowd))[0]
    new = [versions[number] for number in sorted(versions) if number > before]
    assert [(each.causes, each.added, each.removed) for each in new] == (
        [({ChangeCause.REPAIRED}, added, removed)] if added or removed else []
    )
    assert published_notifications(runtime) == [ChangeNotification(crowd.channel_id, 0, before + 1)] * len(new)


async def everything_logged(runtime: Runtime, channel: Channel) -> list[int]:
    """Return the newest version of each block."""
    return [max(versions) for versions in (await logged_versions(runtime, channel)).values()]


async def test_a_repaired_timer_is_due(runtime: Runtime, crowd: Channel, clock: FrozenClock) -> None:
    await runtime.pool.execute("update channel_user set wake_at = null")
    await verify_channel(runtime, crowd, repair=True)

    clock.advance(timedelta(hours=1))
    await run_default_tags(runtime, crowd)

    tags = await tags_by_openid(runtime, crowd)
    assert DefaultTagRule.UNTOUCHABLE in tags["o1"]
    assert DefaultTagRule.UNTOUCHABLE in tags["o2"]


async def test_an_overdue_run_is_no_difference(runtime: Runtime, crowd: Channel, clock: FrozenClock) -> None:
    """Time that has passed since the last run is let pass first, and logged as such."""
    clock.advance(timedelta(hours=1))

    assert (await verify_channel(runtime, crowd, repair=False)).clean

    versions = (await logged_versions(runtime, crowd))[0]
    assert versions[max(versions)].causes == {ChangeCause.TIME_PASSED}
    assert DefaultTagRule.UNTOUCHABLE in (await tags_by_openid(runtime, crowd))["o1"]


async def test_one_broken_channel_does_not_show_in_another(runtime: Runtime, crowd: Channel) -> None:
    other = await bind(runtime)
    await EventRecorder(runtime).record(other, [UserEvent("o1", EventKind.FOLLOW, START)])
    await runtime.pool.execute(FLIP.format(0, TOUCHABLE).replace("where", f"where channel_id = {other.channel_id} and"))

    assert (await verify_channel(runtime, crowd, repair=False)).clean
    assert not (await verify_channel(runtime, other, repair=False)).clean


async def test_links_and_what_is_read_before_them_are_right(runtime: Runtime, crowd: Channel) -> None:
    await runtime.pool.execute(LINKS + REMOTE.format(1, 1, 1, 1) + REMOTE.format(5, 1, 1, 0))

    assert (await verify_channel(runtime, crowd, repair=False)).clean
