"""Keep every push that was answered `success`, whatever is killed while it arrives."""

import asyncio
from typing import Final

import pytest

from service.entities.users import EventKind
from tests.faults.harness.installation import Install
from tests.faults.harness.schedule import draw_crashes, inject_faults
from tests.faults.harness.seeds import seeds
from tests.faults.harness.sent_events import EventLedger, Sender, run_senders

pytestmark = pytest.mark.long

CONNECTIONS: Final = 24
KINDS: Final = (EventKind.FOLLOW, EventKind.MESSAGE, EventKind.MENU_CLICK, EventKind.SCAN, EventKind.UNFOLLOW)


@seeds(2)
async def test_an_acknowledged_push_survives_every_crash(install: Install, seed: int) -> None:
    installation = await install(workers=0)
    ((fsync, commit),) = await installation.rows(
        "select current_setting('fsync'), current_setting('synchronous_commit')"
    )
    assert (fsync, commit) == ("on", "on")
    ledger = EventLedger()
    numbers = iter(range(1_000_000))

    async def somebody_new(sender: Sender, number: int) -> None:
        """Return an openid not used before: facts are maxima, so only a first push cannot hide behind a later one."""
        await sender.push(f"person-{next(numbers)}", sender.draw.choice(KINDS))
        await asyncio.sleep(sender.draw.uniform(0, 0.2))

    async with run_senders(installation, ledger, str(seed), CONNECTIONS, somebody_new):
        await inject_faults(installation, draw_crashes(seed))
    print(ledger.answers)
    await ledger.check(installation)
    assert ledger.answers["acknowledged"] > 5 * CONNECTIONS, ledger.answers
    assert ledger.answers["acknowledged"] < ledger.answers.total(), "nothing ever broke"
    await installation.verify()
