"""Keep a return tag equal to its batches in force, whatever happens to its people, bits and name.

The rule: docs/specification.md §4.2.
"""

import hashlib
from datetime import timedelta
from itertools import chain

import orjson
import pytest

from service.domain.privacy.forgetting import forget_openid
from service.domain.privacy.retention import prune_channel
from service.domain.return_data import writing
from service.domain.return_data.batches import channels_with_expired_batches, expire_batches, undo_batch
from service.domain.return_data.submission import IDEMPOTENCY_KEY_RETENTION, MAX_BATCHES_PER_WRITE, ReturnRecorder
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, lock_catalogue, write_tag_edits
from service.domain.verification.channel import verify_channel
from service.entities.blocks import ChangeCause
from service.entities.channels import Channel
from service.entities.errors import BadInputError, ConflictError, NameTakenError
from service.entities.return_data import BatchEnd, ReturnMode
from service.storage.return_data import batches
from tests.support.clock import FrozenClock
from tests.support.database_state import replay_and_check
from tests.support.runtime import admin
from tests.support.tags import members_of, members_of_batches, submission_of, submit

MINUTE = timedelta(minutes=1)


async def edit(runtime: Runtime, channel: Channel, tag_id: int, kind: TagChangeKind, **changes: object) -> None:
    """Change a tag as renaming and deleting do."""
    from dataclasses import replace

    async with runtime.pool.acquire() as conn, conn.transaction():
        catalogue = await lock_catalogue(conn, channel.channel_id)
        tag = catalogue.tags[tag_id]
        after = replace(tag, version=tag.version + 1, **changes)  # type: ignore[arg-type]
        await write_tag_edits(conn, catalogue, [TagEdit(kind, tag, after)], cause=None, now=runtime.clock())


@pytest.mark.parametrize(
    ("wrong", "count"),
    [
        ("set_bit(set_bit(members, 3, 1), 4, 1)", 2),
        ("members # members", 1),
        ("set_bit(members # members, 1, 1)", 2),
        ("set_bit(members, 31_000, 1)", 0),
    ],
)
async def test_verify_restores_a_tag_from_its_batches(
    runtime: Runtime, channel: Channel, wrong: str, count: int
) -> None:
    tag_id = (await submit(runtime, channel, submission_of(["ada"]))).tag_id
    await submit(runtime, channel, submission_of([f"person-{n}" for n in range(9)], label="Other"))
    await runtime.pool.execute(f"update tag_members set members = {wrong} where tag_id = $1", tag_id)  # noqa: S608

    report = await verify_channel(runtime, channel, repair=True)
    assert (report.wrong_users, report.clean) == (count, False)
    assert (await verify_channel(runtime, channel, repair=False)).clean
    assert await members_of(runtime, channel, tag_id) == {"ada"}


async def test_a_renamed_tag_is_found_under_its_old_key_and_blocks_its_new_name(
    runtime: Runtime, channel: Channel
) -> None:
    tag_id = (await submit(runtime, channel, submission_of(["ada"]))).tag_id
    await edit(runtime, channel, tag_id, TagChangeKind.UPDATED, name="Platinum")

    assert (await submit(runtime, channel, submission_of(["bob"]))).tag_id == tag_id
    with pytest.raises(NameTakenError):
        await submit(runtime, channel, submission_of(["bob"], label="Platinum"))


async def test_a_deleted_tag_is_left_alone_and_a_new_one_made(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    old = await submit(runtime, channel, submission_of(["ada"]))
    await edit(runtime, channel, old.tag_id, TagChangeKind.DELETED, deleted_at=clock())
    new = await submit(runtime, channel, submission_of(["bob"]))

    assert new.tag_id != old.tag_id
    assert await members_of(runtime, channel, new.tag_id) == {"bob"}


async def test_the_description_is_that_of_the_first_batch(runtime: Runtime, channel: Channel) -> None:
    await submit(runtime, channel, submission_of([], description=" Spent a lot "))
    await submit(runtime, channel, submission_of([], description="Something else"))

    assert await runtime.pool.fetchval("select description from tag where kind = 'RETURN'") == "Spent a lot"


async def test_somebody_forgotten_is_in_no_batch(runtime: Runtime, channel: Channel) -> None:
    receipt = await submit(runtime, channel, submission_of(["ada", "bob"]))
    await forget_openid(runtime, channel.channel_id, "ada")

    assert await members_of(runtime, channel, receipt.tag_id) == {"bob"}
    assert (await verify_channel(runtime, channel, repair=False)).clean
    _, ended = await undo_batch(runtime, admin(), receipt.channel_id, receipt.batch_id)
    assert (ended.removed, ended.kept) == (1, 0)
    assert await members_of_batches(runtime, channel, receipt.tag_id) == set()


async def test_the_sweep_ends_what_expired_and_pruning_settles_what_is_too_old_to_undo(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    lasting = await submit(runtime, channel, submission_of(["ada", "bob"]))
    await submit(runtime, channel, submission_of(["eve"], expires_at=clock() + MINUTE))
    far = await submit(runtime, channel, submission_of(["zoe"], expires_at=clock() + timedelta(days=90)))
    clock.advance(MINUTE)
    assert await channels_with_expired_batches(runtime) == [channel.channel_id]
    await expire_batches(runtime, channel.channel_id)
    assert await channels_with_expired_batches(runtime) == []
    assert await members_of(runtime, channel, lasting.tag_id) == {"ada", "bob", "zoe"}

    clock.advance(runtime.settings.undo_retention)
    await prune_channel(runtime, channel.channel_id, clock() - runtime.settings.change_log_retention)
    async with runtime.pool.acquire() as conn:
        settled = await batches.batch(conn, channel.channel_id, lasting.batch_id)
    assert settled is not None
    assert settled.ended is BatchEnd.SETTLED
    with pytest.raises(ConflictError):
        await undo_batch(runtime, admin(), lasting.channel_id, lasting.batch_id)
    await undo_batch(runtime, admin(), far.channel_id, far.batch_id)
    assert (await submit(runtime, channel, submission_of(["bob"], ReturnMode.REMOVE))).removed == 1
    assert await members_of(runtime, channel, lasting.tag_id) == {"ada"}
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_many_thousands_over_many_blocks_are_logged_in_bulk_with_the_right_cause(
    runtime: Runtime, channel: Channel
) -> None:
    people = [f"person-{number}" for number in range(1_500)]
    for first in range(0, 1_500, 30):
        await submit(runtime, channel, submission_of(people[first : first + 30], label="Other"))
        await runtime.pool.execute("update channel_state set next_ordinal = next_ordinal + 32000")
    receipt = await submit(runtime, channel, submission_of(people))

    versions = [each for block in (await replay_and_check(runtime, channel)).values() for each in block.values()]
    bulk = [version for version in versions if version.bulk]
    assert sum(len(version.added) for version in bulk) == receipt.added == 1_500
    assert set(chain(*(version.causes for version in bulk))) == {ChangeCause.RETURN_DATA}


async def test_lists_that_arrive_together_share_a_transaction_and_have_their_own_receipts(
    runtime: Runtime, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    together: list[int] = []
    keep = writing._save_batches

    async def counted(*given: object) -> object:
        together.append(len(given[2]))  # type: ignore[arg-type]
        return await keep(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(writing, "_save_batches", counted)
    recorder = ReturnRecorder(runtime)
    await submit(runtime, channel, submission_of([]))
    await submit(runtime, channel, submission_of([], label="Silver"))
    lists = [submission_of([f"p{n}", f"p{n + 1}"], label=("Gold", "Silver")[n % 2]) for n in range(40)]
    receipts = [receipt for receipt, _ in await asyncio.gather(*(recorder.submit(channel, each) for each in lists))]

    assert 2 < max(together) <= MAX_BATCHES_PER_WRITE
    assert [receipt.added for receipt in receipts] == [2] * 40
    assert sum(receipt.new_users for receipt in receipts) == 41
    assert len({receipt.batch_id for receipt in receipts}) == 40
    assert (await verify_channel(runtime, channel, repair=False)).clean
    await replay_and_check(runtime, channel)


async def test_a_batch_sent_again_after_its_expiry_has_its_first_receipt(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    submission = submission_of(["ada"], expires_at=clock() + MINUTE, key="night")
    first = await submit(runtime, channel, submission)
    clock.advance(2 * MINUTE)
    await expire_batches(runtime, channel.channel_id)

    receipt, replayed = await ReturnRecorder(runtime).submit(channel, submission)
    assert (replayed, receipt.batch_id, receipt.ended) == (True, first.batch_id, BatchEnd.EXPIRED)
    clock.advance(IDEMPOTENCY_KEY_RETENTION)
    with pytest.raises(BadInputError):
        await ReturnRecorder(runtime).submit(channel, submission)


async def test_a_key_from_before_requests_could_allow_rejections_is_still_known(
    runtime: Runtime, channel: Channel
) -> None:
    """The digest is stored: it may not change for a request that could be made before."""
    submission = submission_of(["ada"], label="Gold", key="night").tidied()
    request = [channel.channel_id, "Level", "Gold", None, "ADD", None, None, ["ada"]]
    assert submission.hash(channel) == hashlib.sha256(orjson.dumps(request)).digest()
