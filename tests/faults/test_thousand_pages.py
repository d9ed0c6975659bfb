"""Deliver each change once to a thousand open pages while something stays broken for long."""

import asyncio
from typing import Final

import pytest

from tests.faults.harness.installation import Install
from tests.faults.harness.schedule import FaultAction, flush_valkey
from tests.faults.harness.thousand_pages import SIZE, fault_scenario
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long

PARTITION: Final = 30.0
OUTAGE: Final = 1.0
Troubles = dict[str, tuple[FaultAction, float]]
WEB: Final[Troubles] = {"a web process is killed": (lambda on, duration: on.west.crash(duration), OUTAGE)}
POSTGRES: Final[Troubles] = {
    "PostgreSQL is restarted": (lambda on, duration: on.postgres.restart(duration), OUTAGE),
    "PostgreSQL crashes": (lambda on, duration: on.postgres.crash(duration), OUTAGE),
}
VALKEY: Final[Troubles] = {
    "Valkey is flushed": (flush_valkey, OUTAGE),
    "Valkey is restarted": (lambda on, duration: on.valkey.restart(duration), OUTAGE),
}
FAR_POSTGRES: Final[Troubles] = {
    "PostgreSQL is out of reach": (lambda on, duration: on.database_proxy.blackhole(duration), PARTITION)
}
FAR_VALKEY: Final[Troubles] = {
    "Valkey is out of reach": (lambda on, duration: on.valkey_proxy.blackhole(duration), PARTITION)
}
ALL: Final = (WEB, POSTGRES, VALKEY, FAR_POSTGRES, FAR_VALKEY)


@pytest.mark.parametrize("troubles", ALL, ids=", then ".join)
async def test_every_page_receives_every_change_once(install: Install, troubles: Troubles) -> None:
    async with fault_scenario(install, only_west=troubles is WEB) as current:
        for what, (happens, duration) in troubles.items():
            await happens(current.installation, duration)
            await current.wait_recovered(what)


async def test_one_that_stops_reading_is_dropped_and_nobody_else_notices(install: Install) -> None:
    """It comes back with its cursor when it reads again."""
    stalled = 1
    async with fault_scenario(install, inexact=[stalled], READER_PATIENCE="3s") as current:
        before = await current.pages.stats()
        await current.pages.send_command("stall", number=stalled)

        async def has_stalled() -> bool:
            return (await current.pages.stats()).connections > before.connections

        async def dropped() -> bool:
            await asyncio.sleep(0.3)
            held = [await web.process_stats() for web in current.installation.webs]
            return sum(each.pages for each in held) == SIZE - 1

        await wait_until(has_stalled, within=30)
        await current.wait_recovered("one page does not read", except_page=stalled)
        await wait_until(dropped, within=30)
        await current.pages.send_command("read_on", number=stalled)
