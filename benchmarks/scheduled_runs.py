"""Compare a scheduled run with recomputing everybody, where 1 % of the users cross a boundary and at other shares."""

import statistics
import time
from itertools import count
from typing import Final

from benchmarks.harness import Table, seconds, speedup
from benchmarks.loading import CROSSING_SHARES, HALF_HOUR, START
from benchmarks.machine import Machine
from service.domain.default_tags.definitions import channel_rules
from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.verification.channel import verify_channel
from service.storage import default_tags as evaluation
from service.storage.blocks import heads

TYPICAL_SHARE: Final = 0.01


async def measure(machine: Machine) -> list[Table]:
    """Measure a run for each half hour; the first does not count."""
    runs: dict[float, list[tuple[float, int]]] = {}
    recomputes = []
    await _recompute(machine)
    for number, share in zip(count(1), CROSSING_SHARES, strict=False):
        if share == TYPICAL_SHARE:
            recomputes.append(await seconds(lambda: _recompute(machine)))
        machine.clock.now = START + number * HALF_HOUR
        started = time.perf_counter()
        report = await run_default_tags(machine.runtime, machine.channel)
        if number > 1:
            runs.setdefault(share, []).append((time.perf_counter() - started, report.users_changed))
    verified = await verify_channel(machine.runtime, machine.channel, repair=False)
    if not verified.clean:
        raise RuntimeError(f"the runs left differences: {verified}")
    full = statistics.median(recomputes)
    medians = {
        share: (statistics.median(taken for taken, _ in found), round(statistics.median(n for _, n in found)))
        for share, found in runs.items()
    }
    return [_typical_table(full, *medians[TYPICAL_SHARE], rounds=len(runs[TYPICAL_SHARE])), _share_table(full, medians)]


def _typical_table(full: float, run: float, changed: int, *, rounds: int) -> Table:
    table = Table(
        f"A scheduled run in which {TYPICAL_SHARE:.0%} of the users cross a boundary",
        f"They stop being touchable or new. Medians of {rounds} half hours, in turns with the baseline: recomputing "
        "everybody's default tags from the facts and comparing them with the bits (read-only, block by block).",
    )
    table.add("full recompute", full, "s", "1 ×", "the baseline")
    table.add("scheduled run", run, "s", speedup(run, full), f"{changed:,} users changed")
    return table


def _share_table(full: float, medians: dict[float, tuple[float, int]]) -> Table:
    table = Table(
        "What a scheduled run costs by the share that crosses",
        "It grows with what changes, not with how many users there are.",
    )
    for share, (run, changed) in sorted(medians.items()):
        each = f"{changed:,} users, {run / changed * 1e6:.1f} µs each" if changed else "nobody changed"
        table.add(f"{share:.1%}", run, "s", speedup(run, full), each)
    return table


async def _recompute(machine: Machine) -> None:
    async with machine.runtime.pool.acquire() as conn:
        for block in await heads.blocks_of(conn, machine.channel.channel_id):
            await evaluation.default_tag_differences(conn, channel_rules(machine.channel), block, machine.clock.now)
