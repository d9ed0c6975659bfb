"""What can go wrong, and the seeded schedules of it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg
from redis.asyncio import Redis

from service.domain.privacy.retention import prune_channel
from tests.faults.installation import Installation
from tests.faults.servers import PATIENCE
from tests.runtimes import open_runtime
from tests.waiting import wait_until

Happening = Callable[[Installation, float], Awaitable[object]]
BROKEN: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


async def flush_valkey(installation: Installation, lasts: float) -> None:
    async with Redis.from_url(installation.valkey.url) as valkey:
        await valkey.flushall()
    await asyncio.sleep(lasts)


async def let_wake_ups_through(installation: Installation, *, through: bool) -> None:
    """Valkey is well, and takes wake-ups or does not."""
    async with Redis.from_url(installation.valkey.url) as valkey:
        await valkey.execute_command("ACL", "SETUSER", "default", "+publish" if through else "-publish")


async def lose_wake_ups(installation: Installation, lasts: float) -> None:
    await let_wake_ups_through(installation, through=False)
    await asyncio.sleep(lasts)
    await let_wake_ups_through(installation, through=True)


async def drop_listeners(installation: Installation, lasts: float) -> None:
    async with Redis.from_url(installation.valkey.url) as valkey:
        await valkey.client_kill_filter(_type="pubsub")
    await asyncio.sleep(lasts)


async def prune(installation: Installation, lasts: float) -> None:
    """Forget the whole change log up to this moment, as soon as the database lets us."""

    async def pruned() -> bool:
        try:
            async with open_runtime(installation.postgres.url, lambda: datetime.now(UTC), pool_size=1) as runtime:
                await prune_channel(runtime, installation.channel.channel_id, datetime.now(UTC))
        except BROKEN:
            return False
        return True

    await wait_until(pruned, within=PATIENCE)
    await asyncio.sleep(lasts)


# By what they befall: two at a time happen to different things.
OF_WEB: Final[dict[str, Happening]] = {
    "west is killed": lambda on, lasts: on.west.crash(lasts),
    "east is killed": lambda on, lasts: on.east.crash(lasts),
    "west is restarted": lambda on, lasts: on.west.restart(lasts),
    "east freezes": lambda on, lasts: on.east.freeze(lasts),
}
OF_POSTGRES: Final[dict[str, Happening]] = {
    "PostgreSQL is killed": lambda on, lasts: on.postgres.crash(lasts),
    "PostgreSQL is restarted": lambda on, lasts: on.postgres.restart(lasts),
    "PostgreSQL freezes": lambda on, lasts: on.postgres.freeze(lasts),
}
OF_VALKEY: Final[dict[str, Happening]] = {
    "Valkey is killed": lambda on, lasts: on.valkey.crash(lasts),
    "Valkey is restarted": lambda on, lasts: on.valkey.restart(lasts),
    "Valkey freezes": lambda on, lasts: on.valkey.freeze(lasts),
    "Valkey is flushed": flush_valkey,
    "wake-ups are lost": lose_wake_ups,
    "listeners are dropped": drop_listeners,
}
OF_NETWORK: Final[dict[str, Happening]] = {
    "east hears nothing of PostgreSQL": lambda on, lasts: on.far_database.stall(lasts),
    "east is cut off from PostgreSQL": lambda on, lasts: on.far_database.cut(lasts),
    "east hears nothing of Valkey": lambda on, lasts: on.far_valkey.stall(lasts),
    "east is cut off from Valkey": lambda on, lasts: on.far_valkey.cut(lasts),
}
OF_THE_REST: Final[dict[str, Happening]] = {
    "the worker is killed": lambda on, lasts: on.worker.crash(lasts),
    "the change log is pruned": prune,
}
EVERYTHING: Final = (OF_WEB, OF_POSTGRES, OF_VALKEY, OF_NETWORK, OF_THE_REST)
CRASHES: Final = ("west is killed", "PostgreSQL is killed", "east is killed", "PostgreSQL is killed")
HAPPENINGS: Final = {name: happening for group in EVERYTHING for name, happening in group.items()}


@dataclass(frozen=True, slots=True)
class Fault:
    """`after` so many seconds of peace something happens, and `lasts` as long before it is mended."""

    after: float
    what: str
    lasts: float

    def __str__(self) -> str:
        return f"after {self.after:.2f} s {self.what}, for {self.lasts:.2f} s"


def draw_pairs(seed: int) -> list[tuple[Fault, Fault]]:
    """Everything once, in any order, always two of different kinds at about the same time."""
    draw = random.Random(seed)
    left = [draw.sample(list(group), len(group)) for group in EVERYTHING]
    pairs = []
    while len(waiting := [group for group in left if group]) > 1:
        longest = max(waiting, key=len)
        other = draw.choice([group for group in waiting if group is not longest])
        pairs.append((_fault(draw, longest.pop()), _fault(draw, other.pop())))
    rest = [(_fault(draw, what), _fault(draw, "the change log is pruned")) for group in left for what in group]
    pairs += rest
    draw.shuffle(pairs)
    return pairs


def draw_crashes(seed: int) -> list[tuple[Fault]]:
    """Crashes only, one after the other in any order."""
    draw = random.Random(seed)
    return [(_fault(draw, what),) for what in draw.sample(CRASHES, len(CRASHES))]


def _fault(draw: random.Random, what: str) -> Fault:
    return Fault(draw.uniform(0, 0.4), what, draw.uniform(0.05, 0.9))


async def carry_out(installation: Installation, schedule: Sequence[tuple[Fault, ...]]) -> None:
    """Let the faults of each row happen together, one row after the other; all is mended in the end."""
    for together in schedule:
        print("; ".join(map(str, together)))
        await asyncio.gather(*(_happen(installation, fault) for fault in together))


async def _happen(installation: Installation, fault: Fault) -> None:
    await asyncio.sleep(fault.after)
    await HAPPENINGS[fault.what](installation, fault.lasts)
