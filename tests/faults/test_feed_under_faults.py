"""Deliver each change once and in order to open pages while everything below them breaks."""

import asyncio
from typing import Final

import pytest

from service.entities.users import EventKind
from tests.faults.harness.change_log import changes_by_openid, tags_by_openid
from tests.faults.harness.installation import KEEP_PRUNED_ROWS, Install, Installation
from tests.faults.harness.page_reader import Reader, reading
from tests.faults.harness.received_events import check_exactly_once
from tests.faults.harness.schedule import allow_publish, draw_pairs, inject_faults
from tests.faults.harness.seeds import seeds
from tests.faults.harness.sent_events import EventLedger, Sender, run_senders
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long

PEOPLE: Final = [f"person-{number}" for number in range(10)]
LATECOMERS: Final = [f"latecomer-{number}" for number in range(4)]
KINDS: Final = (EventKind.FOLLOW, EventKind.FOLLOW, EventKind.UNFOLLOW, EventKind.MESSAGE, EventKind.SCAN)
SENDERS: Final = 6
# Short enough for time to pass for everybody while the test runs.
WINDOWS: Final = {
    "WINDOW_FOLLOW": "3s",
    "WINDOW_SCAN": "2s",
    "WINDOW_MENU_CLICK": "2s",
    "WINDOW_MESSAGE": "4s",
    "WINDOW_NEW_USER": "5s",
}


@seeds(1)
async def test_every_reader_receives_every_change_once_whatever_breaks(install: Install, seed: int) -> None:
    installation = await install(**WINDOWS)
    await installation.execute(KEEP_PRUNED_ROWS)
    ledger = EventLedger()
    await _everybody(EventKind.FOLLOW, installation, ledger)
    readers = [
        Reader(f"{seed}, reader {n} of {openid}", installation.webs, installation.channel, openid)
        for openid in PEOPLE + LATECOMERS
        for n in range(2)
    ]
    async with reading(readers):
        await wait_until(lambda: all(reader.received for reader in readers), within=60)
        async with run_senders(installation, ledger, str(seed), SENDERS, _something_happens):
            await inject_faults(installation, draw_pairs(seed))
        # Nothing else will happen that could bring up what these last changes fail to tell.
        await allow_publish(installation, through=False)
        await _everybody(EventKind.UNFOLLOW, installation, ledger)
        await _everybody(EventKind.FOLLOW, installation, ledger)
        await _all_is_quiet(installation)
        lines = await changes_by_openid(installation)
        newest = {openid: of_person[-1].version for openid, of_person in lines.items()}
        await wait_until(lambda: not _behind(readers, newest), within=60)
    await _check(installation, ledger, readers)


async def _everybody(kind: EventKind, installation: Installation, ledger: EventLedger) -> None:
    sender = Sender("everybody", installation.webs, installation.channel, ledger)

    async def recorded() -> bool:
        return await sender.record(*((openid, kind) for openid in PEOPLE))

    await wait_until(recorded, within=60)
    await sender.close()


async def _something_happens(sender: Sender, number: int) -> None:
    """Send a push, or a report of several people at once, at this sender's own pace."""
    people = PEOPLE + (LATECOMERS if sender.draw.random() < 0.1 else [])
    if number == 0:
        await sender.record(*((each, sender.draw.choice(KINDS)) for each in sender.draw.sample(people, 3)))
    else:
        await sender.push(sender.draw.choice(people), sender.draw.choice(KINDS))
    await asyncio.sleep(sender.draw.uniform(0.02, 0.2))


async def _all_is_quiet(installation: Installation) -> None:
    """Wait until nothing changes any more and `verify`, having done what time still had to do, finds no fault."""
    assert all(program.alive for program in (*installation.webs, installation.worker))
    assert await installation.worker.stop() == 0
    await installation.verify()


def _behind(readers: list[Reader], newest: dict[str, int]) -> list[str]:
    return [reader.openid for reader in readers if reader.version < newest.get(reader.openid, -1)]


async def _check(installation: Installation, ledger: EventLedger, readers: list[Reader]) -> None:
    lines = await changes_by_openid(installation)
    tags = await tags_by_openid(installation)
    (forgotten,) = await installation.rows("select max(base_version) from block_head")
    for reader in readers:
        check_exactly_once(reader.received, lines.get(reader.openid, []), forgotten[0])
        assert reader.tags == tags.get(reader.openid, frozenset())
    await ledger.check(installation)
    events, connections = sum(len(reader.received) for reader in readers), sum(reader.connections for reader in readers)
    resets = sum(each.reset for reader in readers for each in reader.received)
    print(
        f"{events} events on {connections} connections of {len(readers)} readers, {resets} resets;"
        f" answers {ledger.answers}"
    )
    assert events > 5 * len(readers), "hardly anything happened"
    assert connections > 2 * len(readers), "hardly anybody had to come back"
