"""Send the same person no two broadcasts with the same `onceOnly`, in whatever channel of the robot they are met.

Freezes with the same value happen one after the other, by a lease in the robot's home channel. Each leaves out whom an
earlier one was, or still will be, sent to: in the same channel by bits, in others by unionid, as known at that moment.

Source: docs/specification.md §6.6.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps, bitmaps_of, both, count_people, ordinals_in, united
from service.entities.broadcasts import Broadcast, HeldReason, PeopleRole, held
from service.entities.channels import Channel
from service.storage import channels
from service.storage.broadcasts import broadcast_audiences, broadcast_ledger, once_only
from service.storage.broadcasts.broadcast_ledger import CountChanges
from service.storage.channels import home_channel_id
from service.storage.database.pool import Connection

# It is renewed block by block.
LEASE_DURATION: Final = timedelta(minutes=1)


class OnceOnlyTakenError(Exception):
    """Raised while another broadcast with the same value is being frozen."""


@dataclass(frozen=True, slots=True)
class OnceOnlyTurn:
    """Hold that this process freezes broadcasts with a value, and nobody else."""

    runtime: Runtime
    home: int
    value: str
    number: int

    async def renew(self) -> None:
        """Hold the turn for longer. Raises OnceOnlyTakenError if it was lost."""
        async with self.runtime.pool.acquire() as conn:
            await self.keep(conn)

    async def keep(self, conn: Connection) -> None:
        """Hold the turn until the transaction of a connection ends. Raises OnceOnlyTakenError if it was lost."""
        until = self.runtime.clock() + LEASE_DURATION
        if not await once_only.renew_once_only(conn, self.home, self.value, self.number, until):
            raise OnceOnlyTakenError


@asynccontextmanager
async def once_only_turn(runtime: Runtime, channel: Channel, value: str) -> AsyncGenerator[OnceOnlyTurn]:
    """Be the only one who freezes broadcasts with a value, until the block is left.

    Raises OnceOnlyTakenError while somebody else is at it.
    """
    now = runtime.clock()
    async with runtime.pool.acquire() as conn:
        home = await home_channel_id(conn, channel.robot_id)
        number = await once_only.begin_once_only(conn, home, value, now, now + LEASE_DURATION)
    if number is None:
        raise OnceOnlyTakenError
    try:
        yield OnceOnlyTurn(runtime, home, value, number)
    finally:
        async with runtime.pool.acquire() as conn:
            await once_only.end_once_only(conn, home, value, number)


async def reached_before(
    runtime: Runtime,
    channel: Channel,
    value: str,
    renew: Callable[[], Awaitable[None]] | None = None,
    *,
    but_by: int = 0,
) -> dict[int, int]:
    """Return the people of a channel whom broadcasts with a value were, or still will be, sent to anywhere.

    `but_by` is a broadcast of the channel that does not count. `renew` is called again and again, as this takes as long
    as there are people elsewhere.
    """
    async with runtime.pool.acquire() as conn:
        found = await _received(conn, channel.channel_id, value, but_by)
        others = await channels.channels_of_robot(conn, channel.robot_id)
    for other in others:
        if other.channel_id == channel.channel_id:
            continue
        async with runtime.pool.acquire() as conn:
            theirs = await _received(conn, other.channel_id, value)
        for block, bits in theirs.items():
            if renew is not None:
                await renew()
            async with runtime.pool.acquire() as conn:
                same = await _same_people(conn, other.channel_id, ordinals_in({block: bits}), channel.channel_id)
            found = united(found, bitmaps_of(same))
    return found


async def hold_reached(conn: Connection, broadcast: Broadcast, reached: Bitmaps, reason: HeldReason) -> int:
    """Hold who of a locked broadcast is planned and was reached by another one, and return how many they are."""
    if not reached:
        return 0
    channel_id, job_id = broadcast.channel_id, broadcast.job_id
    planned = await broadcast_ledger.people_of_role(conn, channel_id, job_id, PeopleRole.PLANNED)
    those = both({block: each.members for block, each in planned.items()}, reached)
    people = count_people(those)
    if people:
        await broadcast_ledger.take_out_people(conn, channel_id, job_id, PeopleRole.PLANNED, those)
        await broadcast_ledger.add_people(conn, channel_id, job_id, {held(reason): those})
        await broadcast_ledger.change_counts(conn, channel_id, job_id, CountChanges(planned=-people))
    return people


async def _received(conn: Connection, channel_id: int, value: str, but_by: int = 0) -> dict[int, int]:
    found = await broadcast_audiences.once_only_broadcasts(conn, channel_id, value)
    job_ids = [each for each in found if each != but_by]
    return await broadcast_audiences.received_by(conn, channel_id, job_ids) if job_ids else {}


async def _same_people(conn: Connection, channel_id: int, ordinals: list[int], wanted_channel_id: int) -> list[int]:
    unionids = await broadcast_audiences.unionids_of_people(conn, channel_id, ordinals)
    return await broadcast_audiences.ordinals_of_unionids(conn, wanted_channel_id, unionids) if unionids else []
