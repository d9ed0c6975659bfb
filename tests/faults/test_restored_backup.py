"""Answer cursors from before a restore with a reset, never with a wrong difference."""

import asyncio
from collections.abc import Sequence
from typing import Final

from service.entities.users import EventKind
from tests.faults.harness.change_log import tags_by_openid
from tests.faults.harness.installation import Install, Installation
from tests.faults.harness.page_reader import Reader, reading
from tests.faults.harness.received_events import check_deltas
from tests.faults.harness.sent_events import EventLedger, Sender
from tests.support.waiting import wait_until

BEFORE: Final = [f"person-{number}" for number in range(4)]
LOST: Final = [f"lost-{number}" for number in range(2)]
OTHERS: Final = [f"other-{number}" for number in range(2)]
WRITES: Final = 6


async def test_cursors_from_a_lost_future_are_answered_with_a_reset(install: Install) -> None:
    installation = await install(east=False, workers=0)
    sender = Sender("restored backup", [installation.west], installation.channel, EventLedger())
    # `stayed` and `away` are at the same places; these leave before the restore, those keep their page open.
    stayed, away, early = (
        [Reader(f"{group} {openid}", [installation.west], installation.channel, openid) for openid in BEFORE + LOST]
        for group in ("stayed", "away", "early")
    )
    async with reading(stayed):
        async with reading([*away, *early]):
            await _insist(sender, EventKind.FOLLOW, BEFORE)
            await _shows_the_truth(installation, stayed)
            await installation.back_up()
            await _write(sender, BEFORE + LOST)
            # Nobody is still at an older place, where the restored database would have nothing to tell.
            await _shows_the_truth(installation, [*stayed, *away, *early])
            await _insist(sender, EventKind.UNFOLLOW, BEFORE + LOST)
            await _shows_the_truth(installation, [*stayed, *away, *early])
        lost_version = await _version(installation)
        marks = {reader: len(reader.received) for reader in (*stayed, *away, *early)}
        await installation.restore()
        assert await _version(installation) < lost_version
        await _come_back(installation, early, marks)
        # Other people now take the places of those who were lost, at the same versions.
        await _insist(sender, EventKind.FOLLOW, OTHERS)
        await _write(sender, BEFORE)
        await _insist(sender, EventKind.MESSAGE, BEFORE)
        await wait_until(lambda: _reaches(installation, sender, lost_version), within=60)
        await _come_back(installation, away, marks)
        await _insist(sender, EventKind.MESSAGE, LOST)
        await _shows_the_truth(installation, stayed)
    for reader in stayed:
        _check(reader, marks[reader])
    await sender.close()
    await installation.verify()


async def test_a_page_that_waits_through_a_restore_is_told_to_start_over(install: Install) -> None:
    """The database comes back older, and has the very same version number again before the page can ask."""
    installation = await install(workers=0, FEED_HEAL_EVERY="1h")
    sender = Sender("restored backup", [installation.west], installation.channel, EventLedger())
    reader = Reader("waiting", [installation.east], installation.channel, "person-0")
    await _insist(sender, EventKind.FOLLOW, BEFORE)
    async with reading([reader]):
        await _shows_the_truth(installation, [reader])
        await installation.back_up()
        await _insist(sender, EventKind.MESSAGE, ["person-0"])
        await _shows_the_truth(installation, [reader])
        lost_version, mark = await _version(installation), len(reader.received)
        cut = asyncio.create_task(installation.database_proxy.disconnect(600))
        await installation.restore()
        await _insist(sender, EventKind.UNFOLLOW, ["person-1"])
        assert await _version(installation) == lost_version
        cut.cancel()
        await asyncio.wait({cut})
        await _insist(sender, EventKind.UNFOLLOW, ["person-2"])
        await _shows_the_truth(installation, [reader])
    _check(reader, mark)
    await sender.close()


async def _insist(sender: Sender, kind: EventKind, people: Sequence[str]) -> None:
    """Record until it is acknowledged: connections that broke in a restart are found out by use."""
    at = sender.next_second()

    async def recorded() -> bool:
        return await sender.record(*((openid, kind) for openid in people), at=at)

    await wait_until(recorded, within=60)


async def _write(sender: Sender, people: Sequence[str]) -> None:
    """Write several versions of the block, of which the last makes everybody a follower."""
    for number in range(WRITES):
        kind = EventKind.FOLLOW if number % 2 else EventKind.UNFOLLOW
        await _insist(sender, kind, [people[number % len(people)]])
    await _insist(sender, EventKind.FOLLOW, people)


async def _reaches(installation: Installation, sender: Sender, version: int) -> bool:
    """Write until the block has this version once more."""
    at = await _version(installation)
    assert at <= version, f"already at {at}, so the test does not meet {version}"
    if at < version:
        await _insist(sender, EventKind.UNFOLLOW if at % 2 else EventKind.FOLLOW, [BEFORE[0]])
    return at == version


async def _version(installation: Installation) -> int:
    ((version,),) = await installation.rows("select max(version) from block_head")
    return int(version)


async def _shows_the_truth(installation: Installation, readers: Sequence[Reader]) -> None:
    async def true() -> bool:
        tags = await tags_by_openid(installation)
        return all(reader.tags == tags.get(reader.openid, frozenset()) for reader in readers)

    await wait_until(true, within=60)


async def _come_back(installation: Installation, readers: Sequence[Reader], marks: dict[Reader, int]) -> None:
    async with reading(readers):
        await wait_until(lambda: all(len(reader.received) > marks[reader] for reader in readers), within=60)
        await _shows_the_truth(installation, readers)
    for reader in readers:
        _check(reader, marks[reader])


def _check(reader: Reader, mark: int) -> None:
    """Check that the first that is heard of the restored database is a reset."""
    check_deltas(reader.received)
    assert len(reader.received) > mark, (reader.openid, "never heard of the restore")
    assert reader.received[mark].reset, (reader.openid, reader.received[mark - 1 : mark + 1])
