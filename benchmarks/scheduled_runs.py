"""A scheduled run in which some users cross a boundary, against recomputing everybody."""

import time

from benchmarks.harness import Table
from benchmarks.loading import CROSSING_WITHIN, START
from benchmarks.machine import Machine
from service.domain.default_tags import rules_of, run_default_tags, verify_channel
from service.storage import evaluation, heads


async def measure(machine: Machine, *, crossing: float) -> Table:
    table = Table(
        "A scheduled run",
        f"{crossing:.1%} of the users stop being touchable in the half hour the run makes up for. The baseline "
        "recomputes everybody's default tags from the facts and compares them with the bits (read-only).",
    )
    full = await _recompute(machine)
    machine.clock.now = START + CROSSING_WITHIN
    started = time.perf_counter()
    report = await run_default_tags(machine.runtime, machine.channel)
    run = time.perf_counter() - started
    started = time.perf_counter()
    again = await run_default_tags(machine.runtime, machine.channel)
    idle = time.perf_counter() - started
    verified = await verify_channel(machine.runtime, machine.channel, repair=False)
    if not verified.clean:
        raise RuntimeError(f"the run left differences: {verified}")
    table.add("full recompute", full, "s", "1 ×", "the baseline")
    table.add("scheduled run", run, "s", f"{full / run:,.1f} × faster", f"{report.users_changed:,} users changed")
    table.add("the next run", idle, "s", f"{full / idle:,.1f} × faster", f"{again.users_changed:,} users changed")
    return table


async def _recompute(machine: Machine) -> float:
    started = time.perf_counter()
    async with machine.runtime.pool.acquire() as conn:
        for block in await heads.blocks_of(conn, machine.channel.channel_id):
            await evaluation.default_tag_differences(conn, rules_of(machine.channel), block, START)
    return time.perf_counter() - started
