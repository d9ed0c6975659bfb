"""Run the program of examples/audit_check as it is, on exports of a log as they are and as others changed them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.domain.audit.exporting import audit_lines
from service.domain.runtime import Runtime
from service.entities.audit_chain import AuditFilter, AuditFormat
from tests.support.audit import sealed_log, write_entries
from tests.support.clock import FrozenClock
from tests.support.runtime import bind, open_runtime

PROGRAM = Path(__file__).parents[2] / "examples" / "audit_check" / "check.py"
Entries = list[dict[str, Any]]


@pytest.fixture
async def export(database_url: str, clock: FrozenClock) -> Entries:
    """Export a log with everything in it that can be."""
    async with open_runtime(database_url, clock) as runtime:
        channels = [await bind(runtime), await bind(runtime)]
        await runtime.pool.execute("delete from audit_entry")
        odd = (
            '{"名": "é\\u2028", "big": 12345678901234567890, "small": 1e-7, "half": 1.50, "\\ud83d\\ude00": [], "€": 1}'
        )
        await write_entries(runtime, channels[0], before=None, after=odd, subject='"\\ü', target_id=None)
        await sealed_log(runtime, *channels, count=4)
        return [json.loads(line) for line in (await exported(runtime)).splitlines()]


async def exported(runtime: Runtime) -> bytes:
    return b"".join([each async for each in audit_lines(runtime, "robot-1", AuditFilter(), AuditFormat.PLAIN)])


def check(entries: Entries, folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the program; return its exit status and what it said."""
    file = folder / "audit.ndjson"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in entries), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, PROGRAM, file, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def edit(entries: Entries) -> None:
    entries[2]["subject"] = "mallory"


def edit_inside(entries: Entries) -> None:
    entries[2]["after"]["name"] += " "


def delete(entries: Entries) -> None:
    del entries[2]


def swap(entries: Entries) -> None:
    entries[2]["number"], entries[3]["number"] = entries[3]["number"], entries[2]["number"]
    entries[2], entries[3] = entries[3], entries[2]


def insert(entries: Entries) -> None:
    entries.insert(3, {**entries[2], "number": entries[3]["number"]})
    for later in entries[4:]:
        later["number"] = str(int(later["number"]) + 1)


def test_an_export_that_nobody_touched_is_unbroken(export: Entries, tmp_path: Path) -> None:
    last = export[-1]
    assert check(export, tmp_path) == (0, f"unbroken up to entry {last['number']}, whose hash is {last['hash']}")
    assert {len(each["hash"]) for each in export} == {64}


@pytest.mark.parametrize("tamper", [edit, edit_inside, delete, swap, insert], ids=lambda each: str(each.__name__))
def test_a_tampered_export_is_found(export: Entries, tmp_path: Path, tamper: Callable[[Entries], None]) -> None:
    tamper(export)
    status, said = check(export, tmp_path)
    assert (status, said[:6]) == (1, "BROKEN")


def test_an_export_that_goes_on_from_an_earlier_one_is_held_to_its_last_hash(export: Entries, tmp_path: Path) -> None:
    earlier, later = export[:3], export[3:]
    assert check(later, tmp_path, earlier[-1]["hash"])[0] == 0
    assert check(later, tmp_path, "00" * 32)[0] == 1
    status, said = check(later, tmp_path)
    assert (status, "taken as it stands" in said) == (0, True)


def test_a_whole_export_is_held_to_the_last_hash_of_an_earlier_one(export: Entries, tmp_path: Path) -> None:
    for entry in export:
        assert check(export, tmp_path, entry["hash"])[0] == 0
    assert check(export[2:], tmp_path, export[-1]["hash"])[0] == 0
    assert check(export[:-1], tmp_path, export[-1]["hash"]) == (
        1,
        f"BROKEN: no entry has the hash {export[-1]['hash']}, and the first does not follow it",
    )


def test_an_export_with_nothing_in_it_is_not_called_unbroken(export: Entries, tmp_path: Path) -> None:
    assert check([], tmp_path) == (1, "there is no entry in it: nothing was checked")
    assert check([{**export[0], "number": "0"}, *export[1:]], tmp_path)[0] == 1
