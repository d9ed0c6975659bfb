"""Draw seeded schedules of faults, and inject them."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg
from redis.asyncio import Redis

from service.domain.privacy.retention import prune_channel
from tests.faults.harness.installation import Installation
from tests.faults.harness.servers import TIMEOUT
from tests.support.runtime import open_runtime
from tests.support.waiting import wait_until

FaultAction = Callable[[Installation, float], Awaitable[object]]
TRANSIENT_ERRORS: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


async def flush_valkey(installation: Installation, duration: float) -> None:
    async with Redis.from_url(installation.valkey.url) as valkey:
        await valkey.flushall()
    await asyncio.sleep(duration)


async def allow_publish(installation: Installation, *, through: bool) -> None:
    """Let Valkey take notifications or refuse them, well otherwise."""
    async with Redis.from_url(installation.valkey.url) as valkey:
        await valkey.execute_command("ACL", "SETUSER", "default", "+publish" if through else "-publish")


async def drop_notifications(installation: Installation, duration: float) -> None:
    await allow_publish(installation, through=False)
    await asyncio.sleep(duration)
    await allow_publish(installation, through=True)


async def drop_listeners(installation: Installation, duration: float) -> None:
    async with Redis.from_url(installation.valkey.url) as valkey:
        await valkey.client_kill_filter(_type="pubsub")
    await asyncio.sleep(duration)


async def prune(installation: Installation, duration: float) -> None:
    """Forget the whole change log up to this moment, as soon as the database lets us."""

    async def pruned() -> bool:
        try:
            async with open_runtime(installation.postgres.url, lambda: datetime.now(UTC), pool_size=1) as runtime:
                await prune_channel(runtime, installation.channel.channel_id, datetime.now(UTC))
        except TRANSIENT_ERRORS:
            return False
        return True

    await wait_until(pruned, within=TIMEOUT)
    await asyncio.sleep(duration)


# By what they befall: two at a time happen to different things.
WEB_FAULTS: Final[dict[str, FaultAction]] = {
    "west is killed": lambda on, duration: on.west.crash(duration),
    "east is killed": lambda on, duration: on.east.crash(duration),
    "west is restarted": lambda on, duration: on.west.restart(duration),
    "east freezes": lambda on, duration: on.east.freeze(duration),
}
POSTGRES_FAULTS: Final[dict[str, FaultAction]] = {
    "PostgreSQL is killed": lambda on, duration: on.postgres.crash(duration),
    "PostgreSQL is restarted": lambda on, duration: on.postgres.restart(duration),
    "PostgreSQL freezes": lambda on, duration: on.postgres.freeze(duration),
}
VALKEY_FAULTS: Final[dict[str, FaultAction]] = {
    "Valkey is killed": lambda on, duration: on.valkey.crash(duration),
    "Valkey is restarted": lambda on, duration: on.valkey.restart(duration),
    "Valkey freezes": lambda on, duration: on.valkey.freeze(duration),
    "Valkey is flushed": flush_valkey,
    "notifications are lost": drop_notifications,
    "listeners are dropped": drop_listeners,
}
NETWORK_FAULTS: Final[dict[str, FaultAction]] = {
    "east hears nothing of PostgreSQL": lambda on, duration: on.database_proxy.stall(duration),
    "east is cut off from PostgreSQL": lambda on, duration: on.database_proxy.disconnect(duration),
    "east hears nothing of Valkey": lambda on, duration: on.valkey_proxy.stall(duration),
    "east is cut off from Valkey": lambda on, duration: on.valkey_proxy.disconnect(duration),
}
OTHER_FAULTS: Final[dict[str, FaultAction]] = {
    "the worker is killed": lambda on, duration: on.worker.crash(duration),
    "the change log is pruned": prune,
}
ALL_FAULTS: Final = (WEB_FAULTS, POSTGRES_FAULTS, VALKEY_FAULTS, NETWORK_FAULTS, OTHER_FAULTS)
CRASHES: Final = ("west is killed", "PostgreSQL is killed", "east is killed", "PostgreSQL is killed")
# Where two workers run.
SECOND_WORKER_FAULTS: Final[dict[str, FaultAction]] = {
    "the second worker is killed": lambda on, duration: on.second_worker.crash(duration),
}
WECHAT_CRASHES: Final = ("the worker is killed", "PostgreSQL is killed", "Valkey is killed")
FAULT_ACTIONS: Final = {name: action for group in (*ALL_FAULTS, SECOND_WORKER_FAULTS) for name, action in group.items()}


@dataclass(frozen=True, slots=True)
class Fault:
    """Say what happens `after` so many seconds of peace, and that it is mended `duration` later."""

    after: float
    what: str
    duration: float

    def __str__(self) -> str:
        return f"after {self.after:.2f} s {self.what}, for {self.duration:.2f} s"


def draw_pairs(seed: int) -> list[tuple[Fault, Fault]]:
    """Draw every fault once, in any order, always two of different kinds at about the same time."""
    draw = random.Random(seed)
    left = [draw.sample(list(group), len(group)) for group in ALL_FAULTS]
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
    """Draw crashes only, one after the other in any order."""
    draw = random.Random(seed)
    return [(_fault(draw, what),) for what in draw.sample(CRASHES, len(CRASHES))]


def draw_kills(seed: int, rounds: int, among: Sequence[str] = WECHAT_CRASHES) -> list[tuple[Fault, ...]]:
    """Draw so many rounds of one crash, or two of different things at about the same time."""
    draw = random.Random(seed)
    chosen = [draw.sample(among, draw.choice((1, 1, 2))) for _ in range(rounds)]
    return [tuple(_fault(draw, what) for what in together) for together in chosen]


def _fault(draw: random.Random, what: str) -> Fault:
    return Fault(draw.uniform(0, 0.4), what, draw.uniform(0.05, 0.9))


async def inject_faults(installation: Installation, schedule: Sequence[tuple[Fault, ...]]) -> None:
    """Let the faults of each row happen together, one row after the other; all is mended in the end."""
    for together in schedule:
        print("; ".join(map(str, together)))
        await asyncio.gather(*(_inject(installation, fault) for fault in together))


async def _inject(installation: Installation, fault: Fault) -> None:
    await asyncio.sleep(fault.after)
    await FAULT_ACTIONS[fault.what](installation, fault.duration)
