"""Give people new openids, unite those who were known under both, and send what comes late to whom it is about.

The rule: docs/specification.md §2, "Account migration".
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.account_migration.migrating import MigrationResult, migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.account_migration.uniting import UNIONS_PER_TRANSACTION
from service.domain.audiences.exports import start_export
from service.domain.broadcasts.policy.caps import CountedMessage, over_caps, reserve
from service.domain.broadcasts.policy.stored import default_policy
from service.domain.combos.activation import rescue_combos
from service.domain.combos.expressions import to_draft
from service.domain.combos.refresh import refresh_combos
from service.domain.events.recorder import record_events
from service.domain.people.identities import IdentityPair, convert_openids, link_identities
from service.domain.privacy.forgetting import forget_openid
from service.domain.privacy.retention import prune_channel
from service.domain.return_data.batches import undo_batch
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.bitmaps import bitmaps_of
from service.entities.blocks import BLOCK_SIZE, ChangeCause
from service.entities.broadcasts import HeldReason, MessageKind
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import LimitExceededError
from service.entities.expressions import difference, tag
from service.entities.remote_tags import RemoteAdditions
from service.entities.return_data import ReturnMode
from service.entities.users import EventKind, UserEvent
from service.storage import remote_tags
from tests.support.clock import START, FrozenClock
from tests.support.database_state import facts_by_openid, miscounted, skip_ordinals, tags_by_ordinal
from tests.support.runtime import admin, bind, ordinals_for
from tests.support.tags import (
    make_ad_tag,
    make_combo,
    make_tag,
    members_of,
    members_of_batches,
    record_ad_follow_of,
    submission_of,
    submit,
)

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


async def migrate(runtime: Runtime, channel: Channel, *pairs: tuple[str, str]) -> MigrationResult:
    return await migrate_openids(runtime, channel, [OpenidPair(*pair) for pair in pairs])


async def record(runtime: Runtime, channel: Channel, openid: str, kind: EventKind, at: timedelta) -> None:
    await record_events(runtime, channel, [UserEvent(openid, kind, START + at)])


async def ordinals(runtime: Runtime, channel: Channel) -> dict[str, int]:
    rows = await runtime.pool.fetch(
        "select openid, ordinal from channel_user where channel_id = $1", channel.channel_id
    )
    return {row["openid"]: row["ordinal"] for row in rows}


async def check_clean(runtime: Runtime, channel: Channel) -> None:
    assert await miscounted(runtime, channel) == []
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def tag_names(runtime: Runtime, channel: Channel, ordinal: int) -> set[str]:
    names = {row["tag_id"]: row["name"] for row in await runtime.pool.fetch("select tag_id, name from tag")}
    return {names[tag_id] for tag_id in (await tags_by_ordinal(runtime, channel))[ordinal]}


def outcome(result: MigrationResult) -> tuple[int, int, int, int, list[tuple[int, str]]]:
    """Return (moved, unchanged, united, unknown, [(index, code)])."""
    rejected = [(each.index, each.code.value) for each in result.rejected]
    return result.moved, result.unchanged, result.united, result.unknown, rejected


async def test_who_moves_keeps_ordinal_and_tags_and_a_repeat_changes_nothing(
    runtime: Runtime, channel: Channel
) -> None:
    tag_id = await make_tag(runtime, channel, "Gold", "old-ann", "old-ben")
    before = await ordinals(runtime, channel)
    pairs = ("old-ann", "new-ann"), ("old-ben", "new-ben"), ("old-cyd", "new-cyd")

    assert outcome(await migrate(runtime, channel, *pairs)) == (2, 0, 0, 1, [])
    after = await ordinals(runtime, channel)
    assert after == {"new-ann": before["old-ann"], "new-ben": before["old-ben"]}
    assert await members_of(runtime, channel, tag_id) == {"new-ann", "new-ben"}
    assert outcome(await migrate(runtime, channel, *reversed(pairs))) == (0, 2, 0, 1, [])
    assert await ordinals(runtime, channel) == after


async def test_what_comes_late_under_an_old_openid_is_of_whoever_had_it(runtime: Runtime, channel: Channel) -> None:
    spring = await make_ad_tag(runtime, channel, "Spring", "1")
    await record(runtime, channel, "old-ann", EventKind.FOLLOW, timedelta(0))
    await migrate(runtime, channel, ("old-ann", "new-ann"))

    both = [
        UserEvent("new-ann", EventKind.MESSAGE, START + SECOND),
        UserEvent("old-ann", EventKind.MESSAGE, START + 3 * SECOND),
        UserEvent("new-ann", EventKind.MESSAGE, START + 2 * SECOND),
        UserEvent("old-ann", EventKind.MENU_CLICK, START),
    ]
    await record_events(runtime, channel, both)
    receipt = await submit(runtime, channel, submission_of(["old-ann", "new-ann", "ben"]))
    await record_ad_follow_of(runtime, channel, "old-ann", START, "1")

    facts = await facts_by_openid(runtime, channel)
    assert set(facts) == {"new-ann", "ben"}
    assert (facts["new-ann"].messaged_at, facts["new-ann"].clicked_at) == (START + 3 * SECOND, START)
    assert (receipt.added, receipt.unchanged, receipt.duplicates) == (2, 0, 1)
    assert await members_of(runtime, channel, spring.tag_id) == {"new-ann"}
    taken = await submit(runtime, channel, submission_of(["old-ann", "new-ann"], ReturnMode.REMOVE))
    assert (taken.removed, taken.unchanged, taken.duplicates) == (1, 0, 1)
    await check_clean(runtime, channel)


async def test_an_old_openid_that_is_not_known_yet_stands_for_the_new_one(runtime: Runtime, channel: Channel) -> None:
    await record(runtime, channel, "new-ann", EventKind.FOLLOW, timedelta(0))
    assert outcome(await migrate(runtime, channel, ("old-ann", "new-ann"))) == (0, 0, 0, 1, [])

    await record(runtime, channel, "old-ann", EventKind.MESSAGE, SECOND)

    assert (await facts_by_openid(runtime, channel))["new-ann"].messaged_at == START + SECOND
    assert outcome(await migrate(runtime, channel, ("old-ann", "new-ann"))) == (0, 1, 0, 0, [])


async def test_two_halves_of_a_person_become_one_whatever_blocks_they_are_in(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    ad_tag = await make_ad_tag(runtime, channel, "Spring", "1", "2")
    await record(runtime, channel, "old-ann", EventKind.FOLLOW, timedelta(0))
    first = await submit(runtime, channel, submission_of(["old-ann"]))
    # The other segment of lists too.
    await skip_ordinals(runtime, channel, BLOCK_SIZE * 40)
    await record_events(runtime, channel, [UserEvent("new-ann", EventKind.FOLLOW, START + SECOND, ad_ids=("1",))])
    await record(runtime, channel, "new-ann", EventKind.UNFOLLOW, -SECOND)
    second = await submit(runtime, channel, submission_of(["new-ann"]))
    silver = await make_tag(runtime, channel, "Silver", "new-ann")
    clock.advance(SECOND)

    assert outcome(await migrate(runtime, channel, ("old-ann", "new-ann"))) == (0, 0, 1, 0, [])

    assert await ordinals(runtime, channel) == {"new-ann": 0}
    facts = (await facts_by_openid(runtime, channel))["new-ann"]
    assert (facts.followed_at, facts.unfollowed_at) == (START + SECOND, START - SECOND)
    for tag_id in (first.tag_id, silver, ad_tag.tag_id):
        assert await members_of(runtime, channel, tag_id) == {"new-ann"}
    await check_clean(runtime, channel)
    assert await runtime.pool.fetchval("select user_count from channel_state") == 1
    undone = [await undo_batch(runtime, admin(), each.channel_id, each.batch_id) for each in (first, second)]
    assert [(each.result.removed, each.result.kept) for each in undone] == [(0, 1), (1, 0)]
    assert await members_of_batches(runtime, channel, first.tag_id) == set()
    await check_clean(runtime, channel)


async def test_a_follow_of_which_no_time_is_known_counts_for_the_whole_person(
    runtime: Runtime, channel: Channel
) -> None:
    await ordinals_for(runtime, channel, ["old-ann", "new-ann"])
    await record(runtime, channel, "new-ann", EventKind.MESSAGE, timedelta(0))
    imported = (
        "update channel_user set followed_at = '-infinity', messaged_at = null, subscribe_scene = 'ADD_SCENE_SEARCH'"
        " where openid = 'new-ann'"
    )
    await runtime.pool.execute(imported)
    await verify_channel(runtime, channel, repair=True)

    await migrate(runtime, channel, ("old-ann", "new-ann"))

    stored = "select ordinal, followed_at = '-infinity', subscribe_scene from channel_user"
    assert [tuple(row) for row in await runtime.pool.fetch(stored)] == [(0, True, "ADD_SCENE_SEARCH")]
    assert {"Old user", "Not opened"} <= await tag_names(runtime, channel, 0)
    await check_clean(runtime, channel)


async def test_combos_stay_and_are_exact_with_the_next_refresh(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    gold = await make_tag(runtime, channel, "Gold", "old-ann", "new-ben")
    silver = await make_tag(runtime, channel, "Silver", "new-ann")
    only_gold = await make_combo(runtime, channel, "Only gold", difference(tag(gold), tag(silver)))
    await rescue_combos(runtime, channel.channel_id)
    assert await members_of(runtime, channel, only_gold.tag_id) == {"old-ann", "new-ben"}
    await ordinals_for(runtime, channel, ["old-ben"])

    await migrate(runtime, channel, ("old-ann", "new-ann"), ("new-ben", "old-ben"))
    assert await members_of(runtime, channel, only_gold.tag_id) == {"new-ann", "old-ben"}
    await check_clean(runtime, channel)

    clock.advance(SECOND)
    await refresh_combos(runtime, channel.channel_id)
    assert await members_of(runtime, channel, only_gold.tag_id) == {"old-ben"}


async def test_what_was_told_of_the_ordinal_that_goes_is_gone(runtime: Runtime, channel: Channel) -> None:
    await make_tag(runtime, channel, "Gold", "old-ann", "new-ann")
    await migrate(runtime, channel, ("old-ann", "new-ann"))

    changes = await runtime.pool.fetch(
        "select user_offset, cause, added, removed from user_tag_change where channel_id = $1 order by version",
        channel.channel_id,
    )
    of_newer = [(row["cause"], row["added"]) for row in changes if row["user_offset"] == 1]
    assert of_newer[-1] == (ChangeCause.OPENID_MIGRATED.value, [])
    assert not any(added for _, added in of_newer)


async def test_former_openids_of_either_half_stay_with_the_person(runtime: Runtime, channel: Channel) -> None:
    await ordinals_for(runtime, channel, ["c", "a"])
    await migrate(runtime, channel, ("a", "b"))
    assert outcome(await migrate(runtime, channel, ("b", "c"))) == (0, 0, 1, 0, [])

    for openid in ("a", "b", "c"):
        await record(runtime, channel, openid, EventKind.MESSAGE, SECOND)
    assert set(await ordinals(runtime, channel)) == {"c"}
    assert outcome(await migrate(runtime, channel, ("a", "b"), ("b", "c"))) == (
        0,
        0,
        0,
        0,
        [(0, "BAD_VALUE"), (1, "BAD_VALUE")],
    )
    assert outcome(await migrate(runtime, channel, ("a", "b"))) == (0, 1, 0, 0, [])
    assert outcome(await migrate(runtime, channel, ("a", "c"))) == (0, 1, 0, 0, [])


async def test_a_migration_can_be_taken_back_and_done_again(runtime: Runtime, channel: Channel) -> None:
    await ordinals_for(runtime, channel, ["ann"])
    for old, new in (("ann", "bea"), ("bea", "ann"), ("ann", "bea")):
        assert outcome(await migrate(runtime, channel, (old, new))) == (1, 0, 0, 0, [])
        assert set(await ordinals(runtime, channel)) == {new}


async def test_lists_that_contradict_themselves_are_refused_where_they_do(runtime: Runtime, channel: Channel) -> None:
    await ordinals_for(runtime, channel, ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"])
    result = await migrate(
        runtime,
        channel,
        ("a1", "b1"),
        ("a2", "b2"),
        ("a2", "b3"),  # two ends of one
        ("a3", "b4"),
        ("a4", "b4"),  # one end of two
        ("a5", "a6"),
        ("a6", "a5"),  # a swap
        ("a7", "b7"),
        ("b7", "c7"),  # a chain
        ("a8", "a8"),
        ("a b", "b"),
        ("a8", ""),
        ("a1", "b1"),
        ("a8", "b8"),
    )

    assert outcome(result) == (
        2,
        1,
        0,
        0,
        [(place, "BAD_VALUE") for place in range(1, 10)] + [(10, "MALFORMED_OPENID"), (11, "MALFORMED_OPENID")],
    )
    assert set(await ordinals(runtime, channel)) == {"b1", "a2", "a3", "a4", "a5", "a6", "a7", "b8"}


async def test_what_contradicts_an_earlier_migration_is_refused(runtime: Runtime, channel: Channel) -> None:
    await ordinals_for(runtime, channel, ["a1", "a2"])
    await migrate(runtime, channel, ("a1", "b1"))

    assert outcome(await migrate(runtime, channel, ("a1", "b2"))) == (0, 0, 0, 0, [(0, "BAD_VALUE")])
    assert outcome(await migrate(runtime, channel, ("a2", "a1"))) == (0, 0, 0, 0, [(0, "BAD_VALUE")])
    assert set(await ordinals(runtime, channel)) == {"b1", "a2"}


async def test_different_unionids_are_not_one_person(runtime: Runtime, channel: Channel) -> None:
    await link_identities(
        runtime, channel, [IdentityPair("a1", "u1"), IdentityPair("b1", "u2"), IdentityPair("b2", "u3")]
    )
    await ordinals_for(runtime, channel, ["a2"])
    result = await migrate(runtime, channel, ("a1", "b1"), ("a2", "b2"))

    assert outcome(result) == (0, 0, 1, 0, [(0, "UNIONID_CONFLICT")])
    unionid = "select unionid from channel_user where openid = 'b2' and ordinal = 2"
    assert await runtime.pool.fetchval(unionid) == "u3"


async def test_old_openids_are_linked_and_converted_as_the_new_ones(runtime: Runtime, channel: Channel) -> None:
    mini_program = await bind(runtime, kind=ChannelKind.MINI_PROGRAM)
    await ordinals_for(runtime, channel, ["old-ann"])
    await migrate(runtime, channel, ("old-ann", "new-ann"))

    linked = await link_identities(runtime, channel, [IdentityPair("old-ann", "u1"), IdentityPair("new-ann", "u1")])
    assert (linked.linked, linked.unchanged, linked.rejected) == (1, 1, ())
    await link_identities(runtime, mini_program, [IdentityPair("mini-ann", "u1")])
    found = await convert_openids(runtime, channel, mini_program, ["old-ann", "nobody", "new-ann"])
    assert found == ({"old-ann": "mini-ann", "new-ann": "mini-ann"}, ["nobody"])


async def test_who_is_forgotten_is_so_under_all_openids(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    await record(runtime, channel, "old-ann", EventKind.FOLLOW, timedelta(0))
    await migrate(runtime, channel, ("old-ann", "new-ann"))
    clock.advance(DAY)
    assert await forget_openid(runtime, channel.channel_id, "old-ann") == 0

    for openid in ("old-ann", "new-ann"):
        await record(runtime, channel, openid, EventKind.MESSAGE, SECOND)
    assert await ordinals(runtime, channel) == {}
    assert await runtime.pool.fetchval("select count(*) from former_openid") == 0
    assert outcome(await migrate(runtime, channel, ("old-ann", "new-ann"))) == (0, 0, 0, 1, [])


async def test_nobody_becomes_whoever_was_forgotten(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    for openid in ("old-ann", "new-ann", "old-ben"):
        await record(runtime, channel, openid, EventKind.FOLLOW, timedelta(0))
    await forget_openid(runtime, channel.channel_id, "new-ann")
    await forget_openid(runtime, channel.channel_id, "old-ben")
    clock.advance(DAY)
    await record(runtime, channel, "new-ben", EventKind.FOLLOW, DAY)

    result = await migrate(runtime, channel, ("old-ann", "new-ann"), ("old-ben", "new-ben"))

    assert outcome(result) == (0, 0, 0, 1, [(0, "BAD_VALUE")])
    assert set(await ordinals(runtime, channel)) == {"old-ann", "new-ben"}
    assert await runtime.pool.fetchval("select count(*) from former_openid") == 0, "of nobody who was forgotten"


async def test_after_ninety_days_an_old_openid_is_nobodys(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    mini_program = await bind(runtime, kind=ChannelKind.MINI_PROGRAM)
    await submit(runtime, mini_program, submission_of(["old-ann"], openids_of=channel))
    await ordinals_for(runtime, channel, ["old-ann"])
    await migrate(runtime, channel, ("old-ann", "new-ann"))
    unmatched = "select unmatched from return_batch where channel_id = $1"

    clock.advance(90 * DAY)
    await prune_channel(runtime, channel.channel_id, clock() - 7 * DAY)
    await record(runtime, channel, "old-ann", EventKind.MESSAGE, 90 * DAY)
    assert set(await ordinals(runtime, channel)) == {"new-ann"}
    assert await runtime.pool.fetchval(unmatched, mini_program.channel_id) == ["old-ann"]

    clock.advance(SECOND)
    await prune_channel(runtime, channel.channel_id, clock() - 7 * DAY)
    assert await runtime.pool.fetchval(unmatched, mini_program.channel_id) == []
    await record(runtime, channel, "old-ann", EventKind.MESSAGE, 90 * DAY)
    assert set(await ordinals(runtime, channel)) == {"new-ann", "old-ann"}


async def test_remote_tags_and_frozen_audiences_are_those_of_either_half(runtime: Runtime, channel: Channel) -> None:
    await ordinals_for(runtime, channel, ["old-ann"])
    await skip_ordinals(runtime, channel, BLOCK_SIZE)
    tag_id = await make_tag(runtime, channel, "Gold", "new-ann")
    async with runtime.pool.acquire() as conn:
        await remote_tags.link_tag(
            conn,
            channel.channel_id,
            tag_id,
            remote_tag_id=100,
            remote_name="Gold",
            keep_in_sync=False,
            remote_additions=RemoteAdditions.KEEP,
            job_id=1,
            now=START,
        )
        await remote_tags.add_remote_members(conn, channel.channel_id, tag_id, {BLOCK_SIZE: None})
    job = await start_export(runtime, admin(), channel.channel_id, to_draft(channel.channel_id, tag(tag_id)))

    await migrate(runtime, channel, ("old-ann", "new-ann"))

    remote = "select block, bit_count(members) m, bit_count(synced) s from remote_members order by block"
    assert [tuple(row) for row in await runtime.pool.fetch(remote)] == [(0, 1, 1), (1, 0, 0)]
    frozen = "select get_bit(members, 0) from frozen_audience where job_id = $1 and block = 0"
    assert await runtime.pool.fetchval(frozen, job.job_id) == 1
    await check_clean(runtime, channel)


async def test_what_either_half_was_sent_counts_for_the_whole_person(runtime: Runtime, channel: Channel) -> None:
    await ordinals_for(runtime, channel, ["old-ann"])
    await skip_ordinals(runtime, channel, BLOCK_SIZE)
    await ordinals_for(runtime, channel, ["new-ann"])
    message = CountedMessage(replace(default_policy(), per_person_per_day=3), MessageKind.MASS_TEXT, START)
    async with runtime.pool.acquire() as conn, conn.transaction():
        for people in ({0}, {0, BLOCK_SIZE}):
            await reserve(conn, channel.channel_id, message, bitmaps_of(people))

    await migrate(runtime, channel, ("old-ann", "new-ann"))

    async with runtime.pool.acquire() as conn:
        over = await over_caps(conn, channel.channel_id, message, bitmaps_of({0, BLOCK_SIZE}))
    assert over == {HeldReason.FREQUENCY_CAP: bitmaps_of({0})}


async def test_many_are_united_in_several_transactions(runtime: Runtime, channel: Channel) -> None:
    count = 2 * UNIONS_PER_TRANSACTION + 1
    tag_id = await make_tag(runtime, channel, "Gold", *(f"new-{number}" for number in range(count)))
    await ordinals_for(runtime, channel, [f"old-{number}" for number in range(count + 600)])

    result = await migrate(runtime, channel, *((f"old-{number}", f"new-{number}") for number in range(count + 600)))

    assert outcome(result) == (600, 0, count, 0, [])
    assert await members_of(runtime, channel, tag_id) == {f"new-{number}" for number in range(count)}
    assert set(await ordinals(runtime, channel)) == {f"new-{number}" for number in range(count + 600)}
    await check_clean(runtime, channel)


async def test_too_many_pairs_change_nothing(runtime: Runtime, channel: Channel) -> None:
    await ordinals_for(runtime, channel, ["old-0"])
    with pytest.raises(LimitExceededError):
        await migrate(runtime, channel, *((f"old-{number}", f"new-{number}") for number in range(10_001)))
    assert set(await ordinals(runtime, channel)) == {"old-0"}
