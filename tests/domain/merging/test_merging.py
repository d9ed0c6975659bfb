"""Merge one return tag into another: its people, keys and batches, and all that names it.

The rule: docs/specification.md §4.7.
"""

from datetime import timedelta

import pytest

from service.domain.account_migration.account import NewAccount, change_account
from service.domain.audiences.exports import purge_expired_exports
from service.domain.combos.activation import rescue_combos
from service.domain.combos.refresh import refresh_combos
from service.domain.combos.tag_deletion import delete_tag, rename_tag
from service.domain.jobs.lookup import JOB_RETENTION, cancel_job
from service.domain.merging.planning import merge_preview
from service.domain.merging.starting import start_merge
from service.domain.merging.taking_back import channels_with_ended_merges, take_back_merges
from service.domain.privacy.forgetting import forget_openid
from service.domain.return_data.batches import expire_batches, receipts_page, settle_batches, undo_batch
from service.domain.return_data.submission import ReturnRecorder
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.errors import (
    BadInputError,
    ConflictError,
    NotFoundError,
    TagProtectedError,
)
from service.entities.expressions import all_of, any_of, difference, from_json, tag, to_json
from service.entities.jobs import JobKind, JobState
from service.entities.return_data import BatchEnd, ReceiptHead, ReturnMode
from service.entities.tags import TagKey, TagState
from service.storage.broadcasts.broadcasts import broadcast as stored_broadcast
from tests.support.broadcasts import add_broadcast, freeze
from tests.support.clock import FrozenClock
from tests.support.database_state import miscounted, replay_and_check, skip_ordinals
from tests.support.merging import begin_merge, do_slice, members_by_keys, merge, work_on_merge
from tests.support.runtime import admin, bind
from tests.support.tags import (
    combo_graph_of,
    make_ad_tag,
    make_combo,
    members_of,
    state_of,
    submission_of,
    submit,
    tag_of,
)

ADD, REMOVE, REPLACE = ReturnMode.ADD, ReturnMode.REMOVE, ReturnMode.REPLACE
HOUR = timedelta(hours=1)
ADD_ENDPOINT = """
insert into webhook_endpoint (robot_id, url, events, tag_channel_ids, tag_ids, state, secret, signing_key, public_key,
    created_at, created_by)
values ($1, 'https://example.com/', '{}', $2, $3, 'ON', '', '', '', now(), 'tests')
"""


async def silver_and_gold(runtime: Runtime, channel: Channel) -> tuple[int, int]:
    """Make two tags, of ann and bob and of bob and cleo."""
    silver = await submit(runtime, channel, submission_of(["ann", "bob"], label="Silver"))
    gold = await submit(runtime, channel, submission_of(["bob", "cleo"], label="Gold"))
    return silver.tag_id, gold.tag_id


async def check(runtime: Runtime, channel: Channel, tag_id: int, *members: str) -> None:
    """Check who has a tag, by the bits and by the batches, and that everything else agrees."""
    assert await members_of(runtime, channel, tag_id) == set(members)
    assert await members_by_keys(runtime, channel, tag_id) == set(members)
    assert await miscounted(runtime, channel) == []
    assert (await verify_channel(runtime, channel, repair=False)).clean
    await replay_and_check(runtime, channel)


async def test_everybody_of_one_tag_gets_the_other_and_the_one_becomes_a_tombstone(
    runtime: Runtime, channel: Channel
) -> None:
    silver, gold = await silver_and_gold(runtime, channel)

    job = await merge(runtime, channel, silver, gold)

    assert (job.state, job.done, job.total) == (JobState.DONE, 2, 2)
    gone = await tag_of(runtime, channel, silver)
    assert gone.merged_into == gold
    assert gone.deleted_at is not None
    assert await members_of(runtime, channel, silver) == set()
    await check(runtime, channel, gold, "ann", "bob", "cleo")


async def test_a_preview_counts_who_gains_and_changes_nothing(runtime: Runtime, channel: Channel) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    keys = TagKey(channel.channel_id, silver), TagKey(channel.channel_id, gold)

    plan = await merge_preview(runtime, admin(), *keys)

    assert (plan.gains, plan.already_there) == (1, 1)
    assert plan == await merge_preview(runtime, admin(), *keys)
    await check(runtime, channel, gold, "bob", "cleo")


async def test_what_the_preview_said_must_still_be_so(runtime: Runtime, channel: Channel) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    keys = TagKey(channel.channel_id, silver), TagKey(channel.channel_id, gold)
    plan = await merge_preview(runtime, admin(), *keys)
    await submit(runtime, channel, submission_of(["dora"], label="Silver"))

    with pytest.raises(ConflictError):
        await start_merge(runtime, admin(), *keys, plan.hash)

    assert await runtime.pool.fetchval("select count(*) from job") == 0
    await check(runtime, channel, gold, "bob", "cleo")


async def test_the_key_of_a_merged_tag_leads_to_the_other(runtime: Runtime, channel: Channel) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    await merge(runtime, channel, silver, gold)
    # Its name is free, and somebody may take it for a tag of another kind.
    combo = await make_combo(runtime, channel, "Silver", tag(gold))
    await rename_tag(runtime, admin(), channel.channel_id, combo.tag_id, "Silver")

    receipt = await submit(runtime, channel, submission_of(["dora"], label="Silver"))
    assert (receipt.tag_id, receipt.added) == (gold, 1)
    await check(runtime, channel, gold, "ann", "bob", "cleo", "dora")
    removed = await submit(runtime, channel, submission_of(["ann", "cleo"], REMOVE, label="Silver"))
    assert (removed.tag_id, removed.removed) == (gold, 2)
    await check(runtime, channel, gold, "bob", "dora")


async def test_a_key_outlives_a_second_merge_and_ends_with_its_tag(runtime: Runtime, channel: Channel) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    bronze = (await submit(runtime, channel, submission_of(["eve"], label="Bronze"))).tag_id
    await merge(runtime, channel, silver, gold)
    await merge(runtime, channel, gold, bronze)

    assert (await submit(runtime, channel, submission_of(["finn"], label="Silver"))).tag_id == bronze
    await check(runtime, channel, bronze, "ann", "bob", "cleo", "eve", "finn")

    await delete_tag(runtime, admin(), channel.channel_id, bronze)
    again = (await submit(runtime, channel, submission_of(["gus"], label="Silver"))).tag_id
    assert again not in {silver, gold, bronze}
    await check(runtime, channel, again, "gus")


async def test_replace_ends_only_the_batches_that_came_by_its_key(runtime: Runtime, channel: Channel) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    await merge(runtime, channel, silver, gold)

    receipt = await submit(runtime, channel, submission_of(["dora"], REPLACE, label="Silver"))
    assert (receipt.added, receipt.removed) == (1, 1)
    await check(runtime, channel, gold, "bob", "cleo", "dora")
    ends = {each.key_id: each.ended for each in await receipts(runtime, channel, gold) if each.mode is ADD}
    assert ends == {silver: BatchEnd.REPLACED, gold: None}

    await submit(runtime, channel, submission_of([], REPLACE, label="Gold"))
    await check(runtime, channel, gold, "dora")


async def receipts(runtime: Runtime, channel: Channel, tag_id: int) -> list[ReceiptHead]:
    """Return the receipts of a tag, newest first."""
    found = await receipts_page(runtime, channel.channel_id, tag_id, first=50, before=None)
    return list(found.items)


async def test_receipts_follow_newest_first_page_by_page_and_stay_with_the_tombstone(
    runtime: Runtime, channel: Channel
) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    later = await submit(runtime, channel, submission_of(["dora"], label="Silver"))
    await merge(runtime, channel, silver, gold)

    assert [(each.tag_id, each.key_id) for each in await receipts(runtime, channel, gold)] == [
        (gold, silver),
        (gold, gold),
        (gold, silver),
    ]
    assert [each.key_id for each in await receipts(runtime, channel, silver)] == [silver, silver]
    page = await receipts_page(runtime, channel.channel_id, gold, first=1, before=later.batch_id)
    assert [each.key_id for each in page.items] == [gold]
    assert page.has_more


async def test_undo_and_expiry_go_on_as_they_would(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    lasting = submission_of(["dora", "cleo"], label="Silver", expires_at=clock.now + HOUR)
    silver, gold = await silver_and_gold(runtime, channel)
    first = await submit(runtime, channel, submission_of(["ann", "cleo", "eve"], label="Silver"))
    await submit(runtime, channel, lasting)
    await merge(runtime, channel, silver, gold)
    await check(runtime, channel, gold, "ann", "bob", "cleo", "dora", "eve")

    _, ended = await undo_batch(runtime, admin(), channel.channel_id, first.batch_id)
    assert (ended.removed, ended.kept) == (1, 2)
    await check(runtime, channel, gold, "ann", "bob", "cleo", "dora")

    clock.advance(HOUR)
    assert await expire_batches(runtime, channel.channel_id) == 1
    await check(runtime, channel, gold, "ann", "bob", "cleo")

    await settle_batches(runtime, channel.channel_id, clock.now + HOUR)
    await submit(runtime, channel, submission_of(["zoe"], REPLACE, label="Silver"))
    await check(runtime, channel, gold, "bob", "cleo", "zoe")


async def test_an_idempotency_key_still_answers_its_first_receipt(runtime: Runtime, channel: Channel) -> None:
    keyed = submission_of(["dora"], label="Silver", key="night")
    first = await submit(runtime, channel, keyed)
    gold = (await submit(runtime, channel, submission_of(["bob"], label="Gold"))).tag_id
    await merge(runtime, channel, first.tag_id, gold)

    again, replayed = await ReturnRecorder(runtime).submit(channel, keyed)

    assert replayed
    assert (again.batch_id, again.tag_id, again.added) == (first.batch_id, gold, 1)


async def test_while_the_tags_are_merged_what_is_written_to_either_is_neither_lost_nor_doubled(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    undone = await submit(runtime, channel, submission_of(["finn", "cleo"], label="Silver"))
    short = submission_of(["gus"], label="Silver", expires_at=clock.now + HOUR)
    await submit(runtime, channel, short)
    job = await begin_merge(runtime, channel, silver, gold)

    await submit(runtime, channel, submission_of(["dora"], label="Silver"))
    assert await members_of(runtime, channel, gold) == {"bob", "cleo", "dora"}
    await submit(runtime, channel, submission_of(["eve"], label="Gold"))
    await submit(runtime, channel, submission_of(["ann", "dora", "bob"], REMOVE, label="Silver"))
    assert await members_of(runtime, channel, gold) == {"bob", "cleo", "eve"}
    await submit(runtime, channel, submission_of(["cleo"], REMOVE, label="Gold"))
    await undo_batch(runtime, admin(), channel.channel_id, undone.batch_id)
    clock.advance(HOUR)
    await expire_batches(runtime, channel.channel_id)
    assert (await verify_channel(runtime, channel, repair=False)).clean
    await submit(runtime, channel, submission_of(["hal", "ivy"], REPLACE, label="Silver"))
    await submit(runtime, channel, submission_of(["ivy", "jo"], REPLACE, label="Gold"))
    assert (await verify_channel(runtime, channel, repair=False)).clean

    assert (await work_on_merge(runtime, job)).state is JobState.DONE
    await check(runtime, channel, gold, "hal", "ivy", "jo")


async def test_both_tags_of_a_merge_are_neither_deleted_nor_merged_again(runtime: Runtime, channel: Channel) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    bronze = (await submit(runtime, channel, submission_of(["eve"], label="Bronze"))).tag_id
    job = await begin_merge(runtime, channel, silver, gold)

    for tag_id in (silver, gold):
        with pytest.raises(ConflictError):
            await delete_tag(runtime, admin(), channel.channel_id, tag_id)
    for pair in ((gold, bronze), (bronze, silver), (silver, gold)):
        with pytest.raises(ConflictError):
            await begin_merge(runtime, channel, *pair)
    await rename_tag(runtime, admin(), channel.channel_id, silver, "Argent")

    assert (await work_on_merge(runtime, job)).state is JobState.DONE
    await check(runtime, channel, gold, "ann", "bob", "cleo")


async def test_a_cancelled_merge_is_taken_back(
    runtime: Runtime, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.domain.merging.slices.BLOCKS_PER_SLICE", 1)
    silver, gold = await silver_and_gold(runtime, channel)
    await skip_ordinals(runtime, channel, 32_000 * 3)
    await submit(runtime, channel, submission_of(["far"], label="Silver"))
    job = await begin_merge(runtime, channel, silver, gold)
    await do_slice(runtime, job)
    assert await members_of(runtime, channel, gold) == {"ann", "bob", "cleo"}
    await submit(runtime, channel, submission_of(["dora"], label="Silver"))
    await cancel_job(runtime, admin(), JobKind.TAG_MERGE, channel.channel_id, job.job_id)
    assert await channels_with_ended_merges(runtime) == [channel.channel_id]
    await submit(runtime, channel, submission_of(["eve"], label="Gold"))

    assert await take_back_merges(runtime, channel.channel_id) == 1

    assert await channels_with_ended_merges(runtime) == []
    await check(runtime, channel, gold, "bob", "cleo", "eve")
    await check(runtime, channel, silver, "ann", "bob", "dora", "far")
    assert (await work_on_merge(runtime, job)).state is JobState.CANCELLED
    await merge(runtime, channel, silver, gold)
    await check(runtime, channel, gold, "ann", "bob", "cleo", "dora", "eve", "far")


async def test_who_is_forgotten_while_tags_are_merged_has_neither(runtime: Runtime, channel: Channel) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    job = await begin_merge(runtime, channel, silver, gold)
    await forget_openid(runtime, channel.channel_id, "ann")
    await forget_openid(runtime, channel.channel_id, "cleo")
    await work_on_merge(runtime, job)
    assert await members_of(runtime, channel, gold) == {"bob"}
    assert await members_by_keys(runtime, channel, gold) == {"bob"}
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_combos_name_the_other_tag_from_then_on(runtime: Runtime, channel: Channel) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    other = (await submit(runtime, channel, submission_of(["ann", "cleo"], label="Other"))).tag_id
    both = (await make_combo(runtime, channel, "Both", all_of(tag(silver), tag(other)))).tag_id
    either = (await make_combo(runtime, channel, "Either", any_of(tag(silver), tag(gold)))).tag_id
    only = (await make_combo(runtime, channel, "Only", difference(tag(silver), tag(gold)))).tag_id
    outer = (await make_combo(runtime, channel, "Outer", difference(tag(both), tag(3)))).tag_id
    await rescue_combos(runtime, channel.channel_id)
    assert await members_of(runtime, channel, both) == {"ann"}
    plan = await merge_preview(runtime, admin(), TagKey(channel.channel_id, silver), TagKey(channel.channel_id, gold))
    assert list(plan.combos) == [both, either, only]
    assert plan.meaning_changes == (either, only)

    await merge(runtime, channel, silver, gold)

    graph = await combo_graph_of(runtime, channel)
    assert graph.combos[both].expression == all_of(tag(gold), tag(other))
    assert graph.combos[either].expression == tag(gold)
    assert graph.combos[only].expression == difference(tag(gold), tag(gold))
    for tag_id, members in ((both, {"ann", "cleo"}), (either, {"ann", "bob", "cleo"}), (only, set())):
        assert await state_of(runtime, channel, tag_id) is TagState.ACTIVE
        assert await members_of(runtime, channel, tag_id) == members
    assert await members_of(runtime, channel, outer) == {"ann", "cleo"}
    await check(runtime, channel, gold, "ann", "bob", "cleo")


async def test_combos_of_the_tag_merged_into_see_who_gains_it_at_the_next_refresh(
    runtime: Runtime, channel: Channel
) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    combo = (await make_combo(runtime, channel, "Mine", tag(gold))).tag_id
    await rescue_combos(runtime, channel.channel_id)
    await refresh_combos(runtime, channel.channel_id)
    await do_slice(runtime, await begin_merge(runtime, channel, silver, gold))
    assert await members_of(runtime, channel, gold) == {"ann", "bob", "cleo"}
    await refresh_combos(runtime, channel.channel_id)
    assert await members_of(runtime, channel, combo) == {"ann", "bob", "cleo"}


async def test_a_combo_that_is_being_computed_begins_anew(runtime: Runtime, channel: Channel) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    combo = (await make_combo(runtime, channel, "Mine", tag(silver))).tag_id
    await merge(runtime, channel, silver, gold)
    assert await state_of(runtime, channel, combo) is TagState.PENDING
    await rescue_combos(runtime, channel.channel_id)
    assert await members_of(runtime, channel, combo) == {"ann", "bob", "cleo"}
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_broadcasts_that_have_not_started_are_for_people_of_the_other_tag(
    runtime: Runtime, channel: Channel
) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    audience = to_json(difference(tag(silver), tag(3)))
    async with runtime.pool.acquire() as conn, conn.transaction():
        waiting = await add_broadcast(conn, channel.channel_id, audience=audience)
        started = await add_broadcast(conn, channel.channel_id, audience=audience)
        await freeze(conn, started, {"PLANNED": []})
        over = await add_broadcast(conn, channel.channel_id, audience=audience, state=JobState.CANCELLED)
    plan = await merge_preview(runtime, admin(), TagKey(channel.channel_id, silver), TagKey(channel.channel_id, gold))
    assert list(plan.audiences) == [waiting.job_id]

    await merge(runtime, channel, silver, gold)

    async with runtime.pool.acquire() as conn:
        found = [await stored_broadcast(conn, channel.channel_id, each.job_id) for each in (waiting, started, over)]
    audiences = [from_json(each.audience) for each in found if each is not None]
    assert audiences == [difference(tag(gold), tag(3)), *[difference(tag(silver), tag(3))] * 2]
    assert found[0] is not None
    assert found[0].audience_text == "Gold − Opened"


async def test_webhooks_that_name_the_tag_name_the_other_once(runtime: Runtime, channel: Channel) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    elsewhere = await bind(runtime, robot_id="robot-2")
    here, there = channel.channel_id, elsewhere.channel_id
    filters = [([here], [silver]), ([here, here, here], [gold, 3, silver]), ([here], [3]), (None, None)]
    for channels, tags in filters:
        await runtime.pool.execute(ADD_ENDPOINT, channel.robot_id, channels, tags)
    await runtime.pool.execute(ADD_ENDPOINT, elsewhere.robot_id, [there], [silver])

    await merge(runtime, channel, silver, gold)

    rows = await runtime.pool.fetch("select * from webhook_endpoint order by endpoint_id")
    assert [row["tag_ids"] for row in rows] == [[gold], [gold, 3], [3], None, [silver]]
    assert [row["tag_channel_ids"] for row in rows] == [[here], [here, here], [here], None, [there]]
    assert [row["version"] for row in rows] == [2, 2, 1, 1, 1]


async def test_tags_that_cannot_be_one_are_refused(runtime: Runtime, channel: Channel) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    combo = (await make_combo(runtime, channel, "Mine", tag(silver))).tag_id
    ad = (await make_ad_tag(runtime, channel, "Spring", "ad-1")).tag_id
    for pair in ((silver, silver), (silver, combo), (combo, gold), (ad, gold), (gold, ad)):
        with pytest.raises(BadInputError):
            await begin_merge(runtime, channel, *pair)
    for pair in ((1, gold), (gold, 1)):
        with pytest.raises(TagProtectedError):
            await begin_merge(runtime, channel, *pair)
    with pytest.raises(NotFoundError):
        await begin_merge(runtime, channel, silver, 999)
    other = await bind(runtime)
    bronze = (await submit(runtime, other, submission_of(["eve"], label="Bronze"))).tag_id
    with pytest.raises(BadInputError):
        await merge_preview(runtime, admin(), TagKey(channel.channel_id, silver), TagKey(other.channel_id, bronze))
    strange = await bind(runtime, robot_id="robot-2")
    with pytest.raises(NotFoundError):
        await merge_preview(runtime, admin(), TagKey(channel.channel_id, silver), TagKey(strange.channel_id, 9))


async def test_a_merge_goes_on_whatever_account_the_channel_is(runtime: Runtime, channel: Channel) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    job = await begin_merge(runtime, channel, silver, gold)
    await change_account(runtime, admin(), channel.channel_id, NewAccount("wx0123456789abcdef", None))

    assert (await work_on_merge(runtime, job)).state is JobState.DONE
    assert (await tag_of(runtime, channel, silver)).merged_into == gold


async def test_the_job_of_a_merge_is_kept_for_a_month_and_what_it_did_for_ever(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    silver, gold = await silver_and_gold(runtime, channel)
    await merge(runtime, channel, silver, gold)
    for months, kept in ((0, 1), (1, 0)):
        clock.advance(months * (JOB_RETENTION + timedelta(seconds=1)))
        await purge_expired_exports(runtime, channel.channel_id)
        assert await runtime.pool.fetchval("select count(*) from job") == kept
    assert (await tag_of(runtime, channel, silver)).merged_into == gold
