"""Give every new person one ordinal, and its block a head, in a short transaction of its own.

The rule: docs/architecture/01-bits-in-blocks.md and 03-lock-then-difference.md.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import asyncpg
import pytest

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent
from tests.support.clock import START, FrozenClock
from tests.support.database_state import check_consistency, heads_of, skip_ordinals
from tests.support.races import StartRacingProcess, modified_statement
from tests.support.runtime import ordinals_for

NO_LOCK = modified_statement("lock_channel_state", (" for update", ""))
# The head would come with the second transaction, or never.
NO_HEADS = {"insert_heads": "select $1::bigint, $2::int[], $3::timestamptz"}


async def counters(runtime: Runtime, channel: Channel) -> tuple[int, int]:
    """Return how many users the channel says it has, and how many there are."""
    row = await runtime.pool.fetchrow(
        "select user_count, (select count(*)::int from channel_user u where u.channel_id = s.channel_id) as users "
        "from channel_state s where channel_id = $1",
        channel.channel_id,
    )
    assert row is not None
    return row["user_count"], row["users"]


async def two_meet_ann_at_once(
    start_process: StartRacingProcess, channel: Channel, weakened: Mapping[str, str] | None = None
) -> Sequence[dict[str, int] | BaseException]:
    """Let the second ask for Ann when the first has taken her ordinal and not committed."""
    first, second = await start_process("first"), await start_process("second", weakened=weakened)
    taken = first.pause_before("insert_users")
    one = first.start(ordinals_for(first.runtime, channel, ["ann", "ben"]))
    await taken.wait_reached()
    other = second.start(ordinals_for(second.runtime, channel, ["cyd", "ann"]))
    assert await second.blocked(other)
    taken.release()
    return await asyncio.gather(one, other, return_exceptions=True)


async def test_the_second_reads_again_after_the_wait(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    assert await two_meet_ann_at_once(start_process, channel) == [{"ann": 0, "ben": 1}, {"ann": 0, "cyd": 2}]
    assert await counters(runtime, channel) == (3, 3)


async def test_without_the_lock_the_second_makes_ann_again_and_fails(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    one, other = await two_meet_ann_at_once(start_process, channel, NO_LOCK)

    assert one == {"ann": 0, "ben": 1}
    assert isinstance(other, asyncpg.UniqueViolationError)


async def test_many_connections_that_meet_the_same_people_agree(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """The end of a block is crossed meanwhile."""
    await skip_ordinals(runtime, channel, BLOCK_SIZE - 3)
    hosts = [await start_process(f"host-{number}") for number in range(3)]
    crowds = [[f"o{(turn + number) % 6}" for number in range(3)] for turn in range(12)]

    answers = await asyncio.gather(
        *(ordinals_for(hosts[turn % 3].runtime, channel, crowd) for turn, crowd in enumerate(crowds))
    )

    agreed: dict[str, int] = {}
    for crowd, answer in zip(crowds, answers, strict=True):
        assert set(answer) == set(crowd)
        assert all(agreed.setdefault(openid, ordinal) == ordinal for openid, ordinal in answer.items())
    assert len(set(agreed.values())) == 6
    assert await counters(runtime, channel) == (6, 6)
    assert [head.block for head in await heads_of(runtime, channel)] == [0, 1]

    follows = [UserEvent(openid, EventKind.FOLLOW, START) for openid in agreed]
    await asyncio.gather(*(record_events(host.runtime, channel, follows) for host in hosts))
    await check_consistency(runtime, channel, set(follows), clock())


@pytest.mark.parametrize("ordinal", [0, BLOCK_SIZE - 1])
async def test_a_process_that_dies_between_the_transactions_leaves_a_whole_person(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock, ordinal: int
) -> None:
    """Known, in a block with a head, without facts; everything works, and the next event finds them."""
    await skip_ordinals(runtime, channel, ordinal)
    dying = await start_process("dying")
    recorded = dying.pause_before("lock_heads")
    follows = [UserEvent(openid, EventKind.FOLLOW, START) for openid in ("ann", "ben")]
    event = dying.start(record_events(dying.runtime, channel, follows))
    await recorded.wait_reached()
    await dying.kill()
    event.cancel()

    await check_nobody_is_evaluated(runtime, channel)
    await run_default_tags(runtime, channel)
    assert (await verify_channel(runtime, channel, repair=False)).clean
    clock.advance(timedelta(seconds=1))
    await record_events(runtime, channel, follows)
    assert await counters(runtime, channel) == (2, 2)
    await check_consistency(runtime, channel, set(follows), clock())


async def check_nobody_is_evaluated(runtime: Runtime, channel: Channel) -> None:
    assert await counters(runtime, channel) == (2, 2)
    assert await runtime.pool.fetchval("select count(*) from tag_members") == 0
    assert {head.version for head in await heads_of(runtime, channel)} == {0}


async def test_a_person_whose_head_was_left_for_later_can_never_be_written(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    dying = await start_process("dying", weakened=NO_HEADS)
    await ordinals_for(dying.runtime, channel, ["ann"])

    for _ in range(2):
        with pytest.raises(KeyError):
            await record_events(runtime, channel, [UserEvent("ann", EventKind.FOLLOW, START)])
    assert await heads_of(runtime, channel) == []
