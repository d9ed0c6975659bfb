"""Make or edit an ad tag while people come from its ads, and let the feed and the push of one follow meet."""

import asyncio
from datetime import timedelta

from service.domain.ad_tags.members import resume_ad_tag_updates
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent
from tests.support.clock import START
from tests.support.database_state import miscounted, replay_and_check
from tests.support.races import StartRacingProcess, modified_statement
from tests.support.tags import (
    ad_address_secret,
    confirm_ad_address,
    edit_ad_tag,
    make_ad_tag,
    members_of,
    record_ad_follow_of,
)

ANN = UserEvent("ann", EventKind.FOLLOW, START, ad_ids=("1",))
# Looks only at the blocks in which somebody has the ad or the tag.
NO_LOOK_AT_LOCKED_BLOCKS = modified_statement("unlocked_blocks", (" for share skip locked", ""))


async def made_while_somebody_comes(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess, weakened: bool
) -> set[str]:
    """Let Ann's event read which tags her ad gives, and commit after the new tag looked for its people."""
    writer = await start_process("writer")
    maker = await start_process("maker", weakened=NO_LOOK_AT_LOCKED_BLOCKS if weakened else {})
    stop = writer.pause_before("flip_members")
    event = writer.start(record_events(writer.runtime, channel, [ANN]))
    await stop.wait_reached()
    making = maker.start(make_ad_tag(maker.runtime, channel, "Spring", "1"))
    await maker.blocked(making)
    stop.release()
    await event
    return await members_of(runtime, channel, (await making).tag_id)


async def test_a_tag_made_while_somebody_comes_from_its_ad_has_them(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    assert await made_while_somebody_comes(runtime, channel, start_process, weakened=False) == {"ann"}
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_without_the_look_at_locked_blocks_they_would_be_missed(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    assert await made_while_somebody_comes(runtime, channel, start_process, weakened=True) == set()


async def test_the_feed_and_the_push_of_one_follow_at_once(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    secret = await ad_address_secret(runtime, channel)
    assert secret
    hosts = [await start_process(f"host {number}") for number in range(3)]
    follow = UserEvent("ann", EventKind.FOLLOW, START)
    await asyncio.gather(
        *(record_ad_follow_of(host.runtime, channel, "ann", START, "1") for host in hosts),
        *(record_events(host.runtime, channel, [follow]) for host in hosts),
    )

    assert await members_of(runtime, channel, tag.tag_id) == {"ann"}
    lines = await runtime.pool.fetch("select added, removed from user_tag_change")
    added = [tag_id for line in lines for tag_id in line["added"]]
    assert added.count(tag.tag_id) == 1
    assert await runtime.pool.fetchval("select count(*) from tag_change where kind = 'STATE_CHANGED'") == 1
    assert await miscounted(runtime, channel) == []
    assert (await verify_channel(runtime, channel, repair=False)).clean
    await replay_and_check(runtime, channel)


async def test_edits_follows_and_confirmations_at_once_end_right(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    hosts = [await start_process(f"host {number}") for number in range(3)]

    async def follows(number: int) -> None:
        for person in range(12):
            at = START + timedelta(seconds=person)
            event = UserEvent(f"person-{person}", EventKind.FOLLOW, at, ad_ids=(str((person + number) % 4),))
            await record_events(hosts[number].runtime, channel, [event])

    async def edits(number: int) -> None:
        for turn in range(4):
            await edit_ad_tag(hosts[number].runtime, tag, str(turn), str(turn + number))

    await asyncio.gather(
        *(follows(number) for number in range(3)), edits(0), edits(1), confirm_ad_address(hosts[2].runtime, channel)
    )
    await edit_ad_tag(runtime, tag, "3")
    expected = {
        f"person-{person}" for person in range(12) if "3" in {str((person + number) % 4) for number in range(3)}
    }
    assert await members_of(runtime, channel, tag.tag_id) == expected
    assert await resume_ad_tag_updates(runtime, channel.channel_id) == 0
    assert await runtime.pool.fetchval("select state from tag where tag_id = $1", tag.tag_id) == "ACTIVE"
    assert (await verify_channel(runtime, channel, repair=False)).clean
    await replay_and_check(runtime, channel)


async def test_a_process_that_dies_while_it_looks_for_people_leaves_nothing_undone(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    await confirm_ad_address(runtime, channel)
    await record_events(runtime, channel, [ANN])
    dying = await start_process("dying")
    stop = dying.pause_before("ad_tag_differences")
    making = dying.start(make_ad_tag(dying.runtime, channel, "Spring", "1"))
    await stop.wait_reached()
    await dying.kill()
    stop.release()
    await asyncio.gather(making, return_exceptions=True)
    assert await runtime.pool.fetchval("select state from tag where kind = 'AD'") == "PENDING"

    assert await resume_ad_tag_updates(runtime, channel.channel_id) == 1
    assert await runtime.pool.fetchval("select state from tag where kind = 'AD'") == "ACTIVE"
    assert (await verify_channel(runtime, channel, repair=False)).clean
    assert await runtime.pool.fetchval("select sum(members) from tag_member_count where tag_id > 8") == 1
