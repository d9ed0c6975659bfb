"""Pages that come and go a thousand at a time: what they cost is given back."""

import asyncio
from typing import Final

import pytest

from tests.faults.conftest import Install
from tests.faults.programs import Holdings
from tests.faults.scene import Scene, scene
from tests.faults.seen import note
from tests.waiting import wait_until

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]

WAVES: Final = 3
# MiB: the allocator keeps what a wave needed, scattered as it is, and gives it to the next; a leak of 10 KiB a page
# would be more than this.
MORE_MEMORY: Final = 30.0
MORE_BLOCKS: Final = 1.1


async def test_memory_does_not_grow_with_the_waves(install: Install) -> None:
    """After each wave as many blocks of memory are in use as before the first page, and the process stays about as
    large as the first wave made it.
    """
    async with scene(install, only_west=True) as current:
        await current.pages.ask("move", ports=[current.installation.west.port])
        before, ebbs = current.before[current.installation.west], [await _ebb(current)]
        for _ in range(WAVES):
            await _flood(current)
            ebbs.append(await _ebb(current))
        await _flood(current)
    note(f"MiB before and after each wave: {[round(each.memory) for each in (before, *ebbs)]}")
    note(f"blocks of memory in use: {[each.blocks for each in (before, *ebbs)]}")
    assert max(each.memory for each in ebbs[1:]) < ebbs[0].memory + MORE_MEMORY


async def _flood(scene: Scene) -> None:
    """All pages come back and are told what they missed."""
    await scene.pages.ask("come")
    await wait_until(scene.pages.all_open, within=60)
    await scene.catch_up()


async def _ebb(scene: Scene) -> Holdings:
    """All pages close, while things go on happening; what the web process holds once they are gone."""
    await scene.pages.ask("leave")
    enough = scene.before[scene.installation.west].blocks * MORE_BLOCKS

    async def given_back() -> Holdings | None:
        await asyncio.sleep(0.3)
        held = await scene.installation.west.holdings()
        return held if held.subscriptions == held.pages == 0 and held.blocks < enough else None

    return await wait_until(given_back, within=30)
