"""Show the versions of a block in commit order without gaps: who has seen one missed none before.

The rule: docs/architecture/03-lock-then-difference.md.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.revision import Revision
from service.entities.users import EventKind, UserEvent
from service.storage.blocks import change_log
from tests.support.clock import START, FrozenClock
from tests.support.database_state import check_consistency, heads_of, replay_and_check, tags_by_ordinal
from tests.support.races import StartRacingProcess, modified_statement

SEQUENCE = "create sequence version_of_block"
NUMBERED_BY_A_SEQUENCE = {
    **modified_statement(
        "lock_heads", ("block, version,", "block, nextval('version_of_block') - 1 as version,"), ("for update", "")
    ),
    **modified_statement("advance_heads", ("version = n.version", "version = greatest(h.version, n.version)")),
}


class Reader:
    """Follow some people of block 0 as an open page does: ask each time for what came after what is known."""

    def __init__(self, runtime: Runtime, channel: Channel, people: int) -> None:
        self.versions: list[int] = []
        self.state: dict[int, set[int]] = {offset: set() for offset in range(people)}
        self._runtime = runtime
        self._channel_id = channel.channel_id
        self._place = Revision(0, START)

    async def read(self) -> None:
        async with self._runtime.pool.acquire() as conn:
            answer = await change_log.changes_since(conn, self._channel_id, 0, self._place, self.state)
        assert answer.known
        for each in answer.changes:
            self.versions.append(each.version)
            self.state[each.offset] = (self.state[each.offset] | set(each.added)) - set(each.removed)
        self._place = answer.revision


async def an_earlier_writer_commits_later(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, weakened: Mapping[str, str] | None = None
) -> Reader:
    """Hold Ann's writer after it has its version, let Ben's come after, and read before and after both are done."""
    slow, quick = await start_process("slow", weakened=weakened), await start_process("quick", weakened=weakened)
    # Both are known, so that whoever writes needs nothing but the block.
    await record_events(runtime, channel, [UserEvent(openid, EventKind.UNFOLLOW, START) for openid in ("ann", "ben")])
    reader = Reader(runtime, channel, 2)
    numbered = slow.pause_before("set_member_bits")
    ann = slow.start(record_events(slow.runtime, channel, [UserEvent("ann", EventKind.FOLLOW, START)]))
    await numbered.wait_reached()
    ben = quick.start(record_events(quick.runtime, channel, [UserEvent("ben", EventKind.FOLLOW, START)]))
    await quick.blocked(ben)
    await reader.read()
    numbered.release()
    await asyncio.gather(ann, ben)
    await reader.read()
    return reader


async def test_a_reader_sees_the_versions_in_order(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    reader = await an_earlier_writer_commits_later(start_process, runtime, channel)

    assert reader.versions == [1, 2]
    assert reader.state == await tags_by_ordinal(runtime, channel)


async def test_numbers_from_a_sequence_let_a_reader_miss_one_for_ever(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    await runtime.pool.execute(SEQUENCE)

    reader = await an_earlier_writer_commits_later(start_process, runtime, channel, NUMBERED_BY_A_SEQUENCE)

    assert reader.versions == [2]
    assert reader.state[0] == set()
    assert (await tags_by_ordinal(runtime, channel))[0] == {1, 4, 5, 8}
    await reader.read()
    assert reader.versions == [2], "the change is in the log, behind the reader"


async def test_a_reader_among_many_writers_never_misses_a_version(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    people = [f"o{number}" for number in range(6)]
    await record_events(runtime, channel, [UserEvent(openid, EventKind.UNFOLLOW, START) for openid in people])
    happened = {UserEvent(openid, EventKind.UNFOLLOW, START) for openid in people}
    clock.advance(timedelta(hours=1))

    async def write(host: Runtime, first: int) -> None:
        for second in range(12):
            kind = EventKind.UNFOLLOW if second % 2 else EventKind.FOLLOW
            at: datetime = START + timedelta(seconds=second + 1)
            for openid in people[first::3]:
                happened.add(UserEvent(openid, kind, at))
                await record_events(host, channel, [UserEvent(openid, kind, at)])

    reader = Reader(runtime, channel, len(people))
    hosts = [await start_process(f"host-{number}") for number in range(3)]
    writers = [host.start(write(host.runtime, number)) for number, host in enumerate(hosts)]
    while not all(writer.done() for writer in writers):
        await reader.read()
    await asyncio.gather(*writers)
    await reader.read()

    [head] = await heads_of(runtime, channel)
    assert reader.versions == list(range(1, head.version + 1))
    assert head.version == 12 * len(people)
    await replay_and_check(runtime, channel)
    await check_consistency(runtime, channel, happened, clock())
