"""Migrate an openid while news of the person comes in, or while somebody else changes them."""

import asyncio
from datetime import timedelta

import pytest

from service.domain.account_migration.migrating import MigrationResult, migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.events.recorder import record_events
from service.domain.people.identities import IdentityPair, link_identities
from service.domain.privacy.forgetting import forget_openid
from service.domain.return_data.batches import expire_batches, undo_batch
from service.domain.return_data.submission import ReturnRecorder
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.return_data import ReturnMode
from service.entities.users import EventKind, UserEvent
from tests.support.clock import START, FrozenClock
from tests.support.database_state import facts_by_openid, miscounted, skip_ordinals
from tests.support.races import RacingProcess, StartRacingProcess, modified_statement
from tests.support.runtime import admin, ordinals_for
from tests.support.tags import make_tag, members_of, members_of_batches, submission_of, submit

SECOND = timedelta(seconds=1)
MESSAGE = EventKind.MESSAGE
# Says nothing of people who are not there any more.
NOBODY_IS_MISSED = modified_statement(
    "merge_facts",
    (
        "where not exists (select from channel_user u where",
        "where false and not exists (select from channel_user u where",
    ),
)


async def migrate(runtime: Runtime, channel: Channel, old: str = "old-ann", new: str = "new-ann") -> MigrationResult:
    return await migrate_openids(runtime, channel, [OpenidPair(old, new)])


async def check_clean(runtime: Runtime, channel: Channel) -> None:
    assert await miscounted(runtime, channel) == []
    assert (await verify_channel(runtime, channel, repair=False)).clean
    known = len(await facts_by_openid(runtime, channel))
    assert await runtime.pool.fetchval("select user_count from channel_state") == known
    orphans = (
        "select count(*) from former_openid f where not exists (select from channel_user u where u.ordinal = f.ordinal)"
    )
    assert await runtime.pool.fetchval(orphans) == 0


async def writes_meanwhile(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess, openid: str, weakened: bool
) -> dict[str, object]:
    """Let a message find the ordinal of one half of a person; unite the halves; then write the message."""
    await ordinals_for(runtime, channel, ["old-ann"])
    await skip_ordinals(runtime, channel, BLOCK_SIZE)
    await ordinals_for(runtime, channel, ["new-ann"])
    writer = await start_process("writer", weakened=NOBODY_IS_MISSED if weakened else {})
    stop = writer.pause_before("lock_heads")
    message = writer.start(record_events(writer.runtime, channel, [UserEvent(openid, MESSAGE, START)]))
    await stop.wait_reached()
    assert (await migrate(runtime, channel)).united == 1
    stop.release()
    await message
    return {openid: facts.messaged_at for openid, facts in (await facts_by_openid(runtime, channel)).items()}


async def test_what_arrives_while_two_halves_are_united_is_kept(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    assert await writes_meanwhile(runtime, channel, start_process, "new-ann", weakened=False) == {"new-ann": START}
    await check_clean(runtime, channel)


async def test_without_a_word_about_the_missing_it_would_be_lost(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    assert await writes_meanwhile(runtime, channel, start_process, "new-ann", weakened=True) == {"new-ann": None}


async def test_a_message_of_somebody_new_waits_for_the_migration_that_makes_them_known(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    await ordinals_for(runtime, channel, ["old-ann"])
    mover, writer = await start_process("mover"), await start_process("writer")
    stop = mover.pause_before("set_openids")
    moving = mover.start(migrate(mover.runtime, channel))
    await stop.wait_reached()
    message = writer.start(record_events(writer.runtime, channel, [UserEvent("new-ann", MESSAGE, START)]))
    assert await writer.blocked(message)
    stop.release()

    assert (await moving).moved == 1
    await message
    assert (await facts_by_openid(runtime, channel))["new-ann"].messaged_at == START
    await check_clean(runtime, channel)


async def test_who_is_forgotten_while_their_halves_are_united_is_gone(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    await ordinals_for(runtime, channel, ["old-ann", "new-ann"])
    keeper = await start_process("keeper")
    stop = keeper.pause_before("lock_channel_state")
    forgetting = keeper.start(forget_openid(keeper.runtime, channel.channel_id, "new-ann"))
    await stop.wait_reached()
    await migrate(runtime, channel)
    stop.release()

    assert await forgetting == 0
    assert await facts_by_openid(runtime, channel) == {}
    await check_clean(runtime, channel)


@pytest.mark.parametrize(("stopped_at", "waits"), [("lock_tags_shared", False), ("insert_batch_members", True)])
async def test_a_list_that_is_being_written_holds_the_person_afterwards(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess, stopped_at: str, waits: bool
) -> None:
    tag_id = (await submit(runtime, channel, submission_of(["ben"]))).tag_id
    await ordinals_for(runtime, channel, ["old-ann", "new-ann"])
    integrator, mover = await start_process("integrator"), await start_process("mover")
    stop = integrator.pause_before(stopped_at)
    listing = integrator.start(ReturnRecorder(integrator.runtime).submit(channel, submission_of(["new-ann"])))
    await stop.wait_reached()
    moving = mover.start(migrate(mover.runtime, channel))
    assert await mover.blocked(moving) is waits
    stop.release()
    receipt = (await listing).receipt

    assert (await moving).united == 1
    assert await members_of(runtime, channel, tag_id) == {"ben", "new-ann"}
    assert await members_of_batches(runtime, channel, tag_id) == {"ben", "new-ann"}
    await check_clean(runtime, channel)
    assert (await undo_batch(runtime, admin(), receipt.channel_id, receipt.batch_id)).result.removed == 1
    assert await members_of(runtime, channel, tag_id) == {"ben"}
    await check_clean(runtime, channel)


async def test_migrations_and_everything_else_at_once_end_right(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess
) -> None:
    hosts = [await start_process(f"host {number}") for number in range(4)]
    numbers = range(12)
    tag_id = await make_tag(runtime, channel, "Gold", *(f"old-{number}" for number in numbers))
    await skip_ordinals(runtime, channel, BLOCK_SIZE)
    await ordinals_for(runtime, channel, [f"new-{number}" for number in numbers if number % 2])
    pairs = [OpenidPair(f"old-{number}", f"new-{number}") for number in numbers]

    async def lives(host: RacingProcess, account: str) -> None:
        for turn in range(5):
            at = START + turn * SECOND
            events = [UserEvent(f"{account}-{number}", EventKind.FOLLOW, at, ad_ids=("1",)) for number in numbers]
            await record_events(host.runtime, channel, events)

    async def lists(host: RacingProcess) -> None:
        for mode in (ReturnMode.ADD, ReturnMode.REPLACE, ReturnMode.ADD):
            openids = [f"{account}-{number}" for account in ("new", "old") for number in numbers]
            submission = submission_of(openids, mode, label="Silver")
            await ReturnRecorder(host.runtime).submit(channel, submission)
            await expire_batches(host.runtime, channel.channel_id)

    async def migrates(host: RacingProcess, some: list[OpenidPair]) -> None:
        for first in range(0, len(some), 4):
            await migrate_openids(host.runtime, channel, some[first : first + 4])
        await link_identities(
            host.runtime, channel, [IdentityPair(f"old-{number}", f"u{number}") for number in numbers]
        )

    await asyncio.gather(
        lives(hosts[0], "old"),
        lives(hosts[1], "new"),
        lists(hosts[2]),
        migrates(hosts[3], pairs),
        migrates(hosts[2], pairs[::-1]),
    )
    await migrate_openids(runtime, channel, pairs)

    facts = await facts_by_openid(runtime, channel)
    assert set(facts) == {f"new-{number}" for number in numbers}
    assert {each.followed_at for each in facts.values()} == {START + 4 * SECOND}
    assert await members_of(runtime, channel, tag_id) == set(facts)
    await check_clean(runtime, channel)
