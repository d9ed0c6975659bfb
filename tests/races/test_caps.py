"""Claim the last message that somebody may get, from two workers at once (docs/specification.md §6.6)."""

from dataclasses import replace

from service.domain.broadcasts.policy.caps import CountedMessage, reserve
from service.domain.broadcasts.policy.stored import default_policy
from service.domain.runtime import Runtime
from service.entities.bitmaps import bitmaps_of, count_people
from service.entities.broadcasts import MessageKind
from service.entities.channels import Channel
from tests.support.clock import START
from tests.support.races import StartRacingProcess, modified_statement

TWO_A_DAY = CountedMessage(replace(default_policy(), per_person_per_day=2), MessageKind.TEMPLATE, START)
NO_LOCK = modified_statement("lock_send_counts", ("\nfor update of s", ""))


async def claim(runtime: Runtime, channel: Channel) -> int:
    """Return how many of two people a worker may send to, of whom one got a message before."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        reservation = await reserve(conn, channel.channel_id, TWO_A_DAY, bitmaps_of([1, 2]))
    return count_people(reservation.people)


async def claims_at_once(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess, weakened: dict[str, str] | None = None
) -> tuple[int, int]:
    """Let the second claim come when the first has looked, and not counted yet."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        await reserve(conn, channel.channel_id, TWO_A_DAY, bitmaps_of([1]))
    first, second = await start_process("first", weakened=weakened), await start_process("second", weakened=weakened)
    stop = first.pause_before("save_send_counts")
    claiming = first.start(claim(first.runtime, channel))
    await stop.wait_reached()
    following = second.start(claim(second.runtime, channel))
    assert await second.blocked(following) is (weakened is None)
    stop.release()
    return await claiming, await following


async def test_the_second_claim_sees_what_the_first_has_counted(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    assert await claims_at_once(runtime, channel, start_process) == (2, 1)


async def test_without_the_lock_somebody_would_get_one_message_too_many(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    assert await claims_at_once(runtime, channel, start_process, NO_LOCK) == (2, 2)
