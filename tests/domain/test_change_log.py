"""Log small changes by user and bulk changes by tag; both read the same.

The rule: docs/architecture/03-lock-then-difference.md.
"""

from datetime import timedelta

import pytest

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import EventRecorder
from service.domain.privacy.retention import prune_channel
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause
from service.entities.channels import Channel
from service.entities.revision import Revision
from service.entities.users import EventKind, UserEvent
from service.storage.blocks import change_log
from tests.support.clock import START, FrozenClock
from tests.support.database_state import Version, heads_of, replay_and_check, tags_by_ordinal


async def report(runtime: Runtime, channel: Channel, kind: EventKind, people: range) -> None:
    await EventRecorder(runtime).record(channel, [UserEvent(f"o{each}", kind, runtime.clock()) for each in people])


async def story(runtime: Runtime, channel: Channel, clock: FrozenClock, many: int) -> dict[int, Version]:
    """Let many follow, then one; run the default tags, which touches most; let half unfollow."""
    await report(runtime, channel, EventKind.FOLLOW, range(many))
    await report(runtime, channel, EventKind.MESSAGE, range(1))
    clock.advance(timedelta(hours=1))
    await run_default_tags(runtime, channel)
    await report(runtime, channel, EventKind.UNFOLLOW, range(many // 2))
    return (await replay_and_check(runtime, channel))[0]


@pytest.mark.parametrize(
    ("many", "bulk", "bits"), [(64, False, False), (65, True, False), (300, True, False), (301, True, True)]
)
async def test_what_many_gain_at_once_is_logged_in_bulk(
    runtime: Runtime, channel: Channel, many: int, bulk: bool, bits: bool
) -> None:
    await report(runtime, channel, EventKind.FOLLOW, range(many))

    versions = (await replay_and_check(runtime, channel))[0]

    assert versions[1].bulk is bulk
    assert versions[1].causes == {ChangeCause.EVENT}
    assert len(versions[1].added) == 4 * many
    rows = await runtime.pool.fetch("select * from bulk_tag_change")
    assert [row["added"] is not None for row in rows] == [bits] * (4 if bulk else 0)


async def test_a_long_story_replays(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    versions = await story(runtime, channel, clock, 700)

    assert [versions[number].bulk for number in (1, 2, 3, 4)] == [True, False, True, True]
    assert versions[3].causes == {ChangeCause.TIME_PASSED}
    assert (len(versions[3].added), len(versions[3].removed)) == (699, 699)
    assert (len(versions[4].added), len(versions[4].removed)) == (0, 4 * 350)


@pytest.mark.parametrize("many", [40, 100, 700])
async def test_changes_since_say_what_the_log_says(
    runtime: Runtime, channel: Channel, clock: FrozenClock, many: int
) -> None:
    versions = await story(runtime, channel, clock, many)
    [head] = await heads_of(runtime, channel)
    watched = [0, 1, many - 1, many]
    async with runtime.pool.acquire() as conn:
        answer = await change_log.changes_since(conn, channel.channel_id, 0, Revision(0, START), watched)

    assert answer.known
    assert answer.revision == Revision(head.version, head.at)
    said = {
        number: (
            {(each.offset, tag) for each in answer.changes if each.version == number for tag in each.added},
            {(each.offset, tag) for each in answer.changes if each.version == number for tag in each.removed},
        )
        for number in versions
    }
    assert said == {
        number: (
            {(ordinal, tag) for ordinal, tag in version.added if ordinal in watched},
            {(ordinal, tag) for ordinal, tag in version.removed if ordinal in watched},
        )
        for number, version in versions.items()
    }
    keys = [(each.version, each.offset) for each in answer.changes]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize("many", [40, 700])
async def test_a_history_is_the_log_of_one_person_backwards(
    runtime: Runtime, channel: Channel, clock: FrozenClock, many: int
) -> None:
    versions = await story(runtime, channel, clock, many)
    async with runtime.pool.acquire() as conn:
        lines = await change_log.history_of_user(conn, channel.channel_id, 0, 0, before=2**62, limit=10)
        older = await change_log.history_of_user(conn, channel.channel_id, 0, 0, before=lines[0].version, limit=1)

    assert [line.version for line in lines] == sorted((line.version for line in lines), reverse=True)
    assert older == lines[1:2]
    state: set[int] = set()
    for line in reversed(lines):
        assert {(0, tag) for tag in line.added} <= versions[line.version].added
        state = (state | set(line.added)) - set(line.removed)
    assert state == (await tags_by_ordinal(runtime, channel)).get(0, set())


@pytest.mark.parametrize("many", [40, 700])
async def test_a_place_is_known_only_as_that_version_at_that_instant(
    runtime: Runtime, channel: Channel, clock: FrozenClock, many: int
) -> None:
    await story(runtime, channel, clock, many)
    later = START + timedelta(hours=1)
    async with runtime.pool.acquire() as conn:
        known = [
            (await change_log.changes_since(conn, channel.channel_id, 0, place, [0])).known
            for place in (
                Revision(0, START),
                Revision(1, START),
                Revision(2, START),
                Revision(4, later),
                Revision(1, later),
                Revision(0, later),
                Revision(5, later),
            )
        ]
        assert known == [True, True, True, True, False, False, False]
        nowhere = await change_log.changes_since(conn, channel.channel_id, 7, Revision(0, START), [0])
        assert not nowhere.known


@pytest.mark.parametrize("many", [40, 700])
async def test_pruning_keeps_the_newest_forgotten_place(
    runtime: Runtime, channel: Channel, clock: FrozenClock, many: int
) -> None:
    await story(runtime, channel, clock, many)
    later = START + timedelta(hours=1)
    bits = await tags_by_ordinal(runtime, channel)

    await prune_channel(runtime, channel.channel_id, later)

    async with runtime.pool.acquire() as conn:
        oldest = await change_log.changes_since(conn, channel.channel_id, 0, Revision(2, START), [0, 1, many - 1])
        assert oldest.known
        assert {each.version for each in oldest.changes} == {3, 4}
        assert not (await change_log.changes_since(conn, channel.channel_id, 0, Revision(1, START), [0])).known
        assert not (await change_log.changes_since(conn, channel.channel_id, 0, Revision(0, START), [0])).known
    assert await tags_by_ordinal(runtime, channel) == bits


@pytest.mark.parametrize("many", [40, 700])
async def test_pruning_everything_keeps_the_place_of_now(
    runtime: Runtime, channel: Channel, clock: FrozenClock, many: int
) -> None:
    await story(runtime, channel, clock, many)
    [head] = await heads_of(runtime, channel)

    for _ in range(2):
        await prune_channel(runtime, channel.channel_id, clock() + timedelta(days=1))
        async with runtime.pool.acquire() as conn:
            now = await change_log.changes_since(conn, channel.channel_id, 0, Revision(head.version, head.at), [0])
        assert (now.known, now.changes) == (True, ())

    assert await heads_of(runtime, channel) == [head]
    await report(runtime, channel, EventKind.FOLLOW, range(2))
    async with runtime.pool.acquire() as conn:
        now = await change_log.changes_since(conn, channel.channel_id, 0, Revision(head.version, head.at), [0])
    assert [each.version for each in now.changes] == [head.version + 1]


async def test_pruning_before_everything_forgets_nothing(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await story(runtime, channel, clock, 40)
    await prune_channel(runtime, channel.channel_id, START)
    await replay_and_check(runtime, channel)


async def test_pruning_drops_bitmaps_of_nobody_but_believes_no_count(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await report(runtime, channel, EventKind.FOLLOW, range(3))
    clock.advance(timedelta(hours=1))
    await run_default_tags(runtime, channel)
    tags = await tags_by_ordinal(runtime, channel)
    await runtime.pool.execute("update tag_member_count set members = 0 where tag_id = 1")

    await prune_channel(runtime, channel.channel_id, START)

    assert await tags_by_ordinal(runtime, channel) == tags
    kept = await runtime.pool.fetch("select tag_id from tag_members order by tag_id")
    assert [row["tag_id"] for row in kept] == [1, 4, 6, 8], "nobody is Touchable any more"
