"""Record that WeChat gave somebody a tag while news comes in that they unfollowed (docs/specification.md §6.4)."""

from datetime import timedelta

from service.domain.events.recorder import record_events
from service.domain.privacy.forgetting import forget_openid
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.remote_tags import RemoteAdditions
from service.entities.users import EventKind, UserEvent
from service.storage import remote_tags
from tests.support.clock import START, FrozenClock
from tests.support.database_state import remote_members_of
from tests.support.races import RacingProcess, StartRacingProcess, modified_statement
from tests.support.runtime import ordinals_for

TAG = 1
FOLLOW = UserEvent("ann", EventKind.FOLLOW, START)
SHARES_NOTHING = modified_statement("share_linked_tags", (" for key share", ""))


async def follower_of_linked_channel(runtime: Runtime, channel: Channel) -> int:
    """Return the ordinal of Ann, who follows, in a channel with a linked tag."""
    await record_events(runtime, channel, [FOLLOW])
    async with runtime.pool.acquire() as conn:
        await remote_tags.link_tag(
            conn,
            channel.channel_id,
            TAG,
            remote_tag_id=100,
            remote_name="New user",
            keep_in_sync=True,
            remote_additions=RemoteAdditions.KEEP,
            job_id=1,
            now=START,
        )
    return (await ordinals_for(runtime, channel, ["ann"]))["ann"]


async def acknowledge(runtime: Runtime, channel: Channel, ordinal: int) -> None:
    """Record that a call gave Ann the tag, which was claimed while she followed since `START`."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        await remote_tags.lock_linked_tags(conn, channel.channel_id, [TAG])
        await remote_tags.add_remote_members(conn, channel.channel_id, TAG, {ordinal: START})


async def unfollow(process: RacingProcess, channel: Channel, clock: FrozenClock) -> None:
    """Record that Ann unfollowed."""
    await record_events(process.runtime, channel, [UserEvent("ann", EventKind.UNFOLLOW, clock())])


async def has_tag(runtime: Runtime, channel: Channel) -> bool:
    """Tell whether anybody is known to have the remote tag, or to have had it at the last sync."""
    return any(await remote_members_of(runtime, channel, TAG))


async def acknowledged_while_an_unfollow_is_written(
    runtime: Runtime,
    channel: Channel,
    clock: FrozenClock,
    start_process: StartRacingProcess,
    weakened: dict[str, str] | None = None,
) -> bool:
    """Let the acknowledgement come when the unfollow has looked for remote tags of Ann, and found none."""
    ordinal = await follower_of_linked_channel(runtime, channel)
    clock.advance(timedelta(seconds=10))
    writer, caller = await start_process("writer", weakened=weakened), await start_process("caller")
    stop = writer.pause_before("COMMIT;")
    writing = writer.start(unfollow(writer, channel, clock))
    await stop.wait_reached()
    acknowledging = caller.start(acknowledge(caller.runtime, channel, ordinal))
    assert await caller.blocked(acknowledging) is (weakened is None)
    stop.release()
    await writing
    await acknowledging
    return await has_tag(runtime, channel)


async def test_an_acknowledgement_waits_for_an_unfollow_and_then_sets_nothing(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess
) -> None:
    assert not await acknowledged_while_an_unfollow_is_written(runtime, channel, clock, start_process)


async def test_without_sharing_the_links_somebody_would_have_a_tag_that_wechat_dropped(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess
) -> None:
    assert await acknowledged_while_an_unfollow_is_written(runtime, channel, clock, start_process, SHARES_NOTHING)


async def test_an_unfollow_waits_for_an_acknowledgement_and_then_clears_it(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess
) -> None:
    ordinal = await follower_of_linked_channel(runtime, channel)
    clock.advance(timedelta(seconds=10))
    writer, caller = await start_process("writer"), await start_process("caller")
    stop = caller.pause_before("COMMIT;")
    acknowledging = caller.start(acknowledge(caller.runtime, channel, ordinal))
    await stop.wait_reached()
    writing = writer.start(unfollow(writer, channel, clock))
    assert await writer.blocked(writing)
    stop.release()
    await acknowledging
    await writing

    assert not await has_tag(runtime, channel)


async def test_who_is_forgotten_while_a_call_is_acknowledged_leaves_no_bit(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    ordinal = await follower_of_linked_channel(runtime, channel)
    keeper, caller = await start_process("keeper"), await start_process("caller")
    stop = keeper.pause_before("COMMIT;")
    forgetting = keeper.start(forget_openid(keeper.runtime, channel.channel_id, "ann"))
    await stop.wait_reached()
    acknowledging = caller.start(acknowledge(caller.runtime, channel, ordinal))
    assert await caller.blocked(acknowledging)
    stop.release()
    await forgetting
    await acknowledging

    assert not await has_tag(runtime, channel)
