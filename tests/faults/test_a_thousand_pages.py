"""A thousand pages stay open while something breaks for as long as it takes: each change arrives once, on each."""

from typing import Final

import pytest

from tests.faults.conftest import Install
from tests.faults.faults import Happening, flush_valkey
from tests.faults.scene import scene

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]

PARTITION: Final = 30.0
OUTAGE: Final = 1.0
FAULTS: Final[dict[str, tuple[Happening, float]]] = {
    "a web process is killed": (lambda on, lasts: on.west.crash(lasts), OUTAGE),
    "PostgreSQL is restarted": (lambda on, lasts: on.postgres.restart(lasts), OUTAGE),
    "PostgreSQL crashes": (lambda on, lasts: on.postgres.crash(lasts), OUTAGE),
    "Valkey is flushed": (flush_valkey, OUTAGE),
    "Valkey is restarted": (lambda on, lasts: on.valkey.restart(lasts), OUTAGE),
    "PostgreSQL is out of reach": (lambda on, lasts: on.far_database.swallow(lasts), PARTITION),
    "Valkey is out of reach": (lambda on, lasts: on.far_valkey.swallow(lasts), PARTITION),
}


@pytest.mark.parametrize("what", FAULTS)
async def test_every_page_is_told_every_change_once(install: Install, what: str) -> None:
    happens, lasts = FAULTS[what]
    async with scene(install, only_west=what == "a web process is killed") as current:
        await happens(current.installation, lasts)
        await current.heal(what)
