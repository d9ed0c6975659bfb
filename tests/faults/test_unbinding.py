"""Unbind and bind a channel while events come in and pages open and close."""

import asyncio
import random
from typing import Final

import httpx

from service.entities.users import EventKind
from tests.faults.harness.bound_channel import bind, unbind
from tests.faults.harness.change_log import tags_by_openid
from tests.faults.harness.installation import Install, Installation
from tests.faults.harness.page_reader import Reader, reading
from tests.faults.harness.received_events import check_deltas
from tests.faults.harness.seeds import seeds
from tests.faults.harness.sent_events import EventLedger, Sender, run_senders
from tests.support.waiting import wait_until

PEOPLE: Final = [f"person-{number}" for number in range(8)]
KINDS: Final = (EventKind.FOLLOW, EventKind.FOLLOW, EventKind.UNFOLLOW, EventKind.MESSAGE)
NOTHING: Final[frozenset[int]] = frozenset()


@seeds(5)
async def test_a_gate_that_closes_under_load_hides_everything_and_loses_nothing(install: Install, seed: int) -> None:
    draw = random.Random(seed)
    installation = await install(workers=0)
    ledger = EventLedger()
    readers = [
        Reader(f"{seed}, {n}, {openid}", installation.webs, installation.channel, openid)
        for openid in PEOPLE
        for n in range(2)
    ]
    async with httpx.AsyncClient(base_url=installation.west.url, trust_env=False, timeout=30) as http:
        async with reading(readers):
            async with run_senders(installation, ledger, str(seed), 4, _something_happens):
                async with reading(_passers_by(installation, seed)):
                    for _ in range(5):
                        await asyncio.sleep(draw.uniform(0, 0.4))
                        await unbind(http, installation.channel)
                        await asyncio.sleep(draw.uniform(0, 0.4))
                        await bind(http)
                before = ledger.answers["acknowledged"]
                await unbind(http, installation.channel)
                await wait_until(lambda: ledger.answers["acknowledged"] > before + 20, within=60)
            await wait_until(lambda: all(reader.tags == NOTHING for reader in readers), within=60)
            assert any(tags for tags in (await tags_by_openid(installation)).values()), "there was nothing to hide"
            await ledger.check(installation)
            assert await bind(http) == installation.channel
            await _show_the_truth(installation, readers)
        for reader in readers:
            check_deltas(reader.received)
    print(ledger.answers)
    assert set(ledger.answers) == {"acknowledged"}, ledger.answers
    await installation.verify()


async def _something_happens(sender: Sender, number: int) -> None:
    if number % 2:
        await sender.record((sender.draw.choice(PEOPLE), sender.draw.choice(KINDS)))
    else:
        await sender.push(sender.draw.choice(PEOPLE), sender.draw.choice(KINDS))
    await asyncio.sleep(sender.draw.uniform(0, 0.05))


def _passers_by(installation: Installation, seed: int) -> list[Reader]:
    """Open pages in the middle of it."""
    return [Reader(f"{seed}, passing {n}", installation.webs, installation.channel, PEOPLE[n % 8]) for n in range(16)]


async def _show_the_truth(installation: Installation, readers: list[Reader]) -> None:
    async def true() -> bool:
        tags = await tags_by_openid(installation)
        return all(reader.tags == tags.get(reader.openid, NOTHING) for reader in readers)

    await wait_until(true, within=60)
