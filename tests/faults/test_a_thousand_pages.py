"""A thousand pages stay open while something breaks for as long as it takes: each change arrives once, on each."""

import asyncio
from typing import Final

import pytest

from tests.faults.conftest import Install
from tests.faults.faults import Happening, flush_valkey
from tests.faults.scene import SIZE, scene
from tests.waiting import wait_until

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]

PARTITION: Final = 30.0
OUTAGE: Final = 1.0
Troubles = dict[str, tuple[Happening, float]]
WEB: Final[Troubles] = {"a web process is killed": (lambda on, lasts: on.west.crash(lasts), OUTAGE)}
POSTGRES: Final[Troubles] = {
    "PostgreSQL is restarted": (lambda on, lasts: on.postgres.restart(lasts), OUTAGE),
    "PostgreSQL crashes": (lambda on, lasts: on.postgres.crash(lasts), OUTAGE),
}
VALKEY: Final[Troubles] = {
    "Valkey is flushed": (flush_valkey, OUTAGE),
    "Valkey is restarted": (lambda on, lasts: on.valkey.restart(lasts), OUTAGE),
}
FAR_POSTGRES: Final[Troubles] = {
    "PostgreSQL is out of reach": (lambda on, lasts: on.far_database.swallow(lasts), PARTITION)
}
FAR_VALKEY: Final[Troubles] = {"Valkey is out of reach": (lambda on, lasts: on.far_valkey.swallow(lasts), PARTITION)}
ALL: Final = (WEB, POSTGRES, VALKEY, FAR_POSTGRES, FAR_VALKEY)


@pytest.mark.parametrize("troubles", ALL, ids=", then ".join)
async def test_every_page_is_told_every_change_once(install: Install, troubles: Troubles) -> None:
    async with scene(install, only_west=troubles is WEB) as current:
        for what, (happens, lasts) in troubles.items():
            await happens(current.installation, lasts)
            await current.heal(what)


async def test_one_that_stops_reading_is_dropped_and_nobody_else_notices(install: Install) -> None:
    """It comes back with its cursor when it reads again."""
    stalled = 1
    async with scene(install, unexact=[stalled], READER_PATIENCE="3s") as current:
        before = await current.pages.standing()
        await current.pages.ask("stall", number=stalled)

        async def has_stalled() -> bool:
            return (await current.pages.standing()).visits > before.visits

        async def dropped() -> bool:
            await asyncio.sleep(0.3)
            held = [await web.holdings() for web in current.installation.webs]
            return sum(each.pages for each in held) == SIZE - 1

        await wait_until(has_stalled, within=30)
        await current.heal("one page does not read", but=stalled)
        await wait_until(dropped, within=30)
        await current.pages.ask("read_on", number=stalled)
