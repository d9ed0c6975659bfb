"""Give back the memory of pages that come and go a thousand at a time."""

import asyncio
from typing import Final

import pytest

from tests.faults.harness.figures import report_figure
from tests.faults.harness.installation import Install
from tests.faults.harness.programs import ProcessStats
from tests.faults.harness.thousand_pages import FaultScenario, fault_scenario
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long

WAVES: Final = 3
# MiB: the allocator keeps what a wave needed, scattered as it is, and gives it to the next; a leak of 10 KiB a page
# would be more than this.
MORE_MEMORY: Final = 30.0
MORE_BLOCKS: Final = 1.1


async def test_memory_does_not_grow_with_the_waves(install: Install) -> None:
    """After each wave as many blocks of memory are in use as before the first page, and the process stays about as
    large as the first wave made it.
    """
    async with fault_scenario(install, only_west=True) as current:
        await current.pages.send_command("move", ports=[current.installation.west.port])
        before, ebbs = current.before[current.installation.west], [await _ebb(current)]
        for _ in range(WAVES):
            await _flood(current)
            ebbs.append(await _ebb(current))
        await _flood(current)
    report_figure(f"MiB before and after each wave: {[round(each.memory) for each in (before, *ebbs)]}")
    report_figure(f"blocks of memory in use: {[each.blocks for each in (before, *ebbs)]}")
    assert max(each.memory for each in ebbs[1:]) < ebbs[0].memory + MORE_MEMORY


async def _flood(fault_scenario: FaultScenario) -> None:
    """Let all pages come back and receive what they missed."""
    await fault_scenario.pages.send_command("come")
    await wait_until(fault_scenario.pages.all_open, within=60)
    await fault_scenario.catch_up()


async def _ebb(fault_scenario: FaultScenario) -> ProcessStats:
    """Close all pages while things go on happening, and return what the web process holds once they are gone."""
    await fault_scenario.pages.send_command("leave")
    enough = fault_scenario.before[fault_scenario.installation.west].blocks * MORE_BLOCKS

    async def given_back() -> ProcessStats | None:
        await asyncio.sleep(0.3)
        held = await fault_scenario.installation.west.process_stats()
        return held if held.subscriptions == held.pages == 0 and held.blocks < enough else None

    return await wait_until(given_back, within=30)
