"""Measure the import of as many followers as the channel has users, from an account whose crowd is computed.

Our own time is that of this process and of PostgreSQL on the processors; the imitation runs beside them.
"""

from typing import Final

from benchmarks.harness import MIB, Table
from benchmarks.imitation import APP_SECRET, CROWDED_ACCOUNT, acting_runtime, imitated_wechat
from benchmarks.machine import Machine
from benchmarks.spent_time import SpentTime, spent_time
from service.domain.channels.binding import ChannelDetails, Credentials
from service.domain.followers.scanning import import_followers_slice
from service.domain.followers.starting import bind_and_import, import_followers
from service.domain.jobs.running import run_job
from service.domain.runtime import Runtime
from service.entities.channels import ChannelKind
from service.entities.jobs import Job, JobKind, JobState
from service.storage import jobs

SLICES: Final = {JobKind.FOLLOWER_IMPORT: import_followers_slice}


async def measure(machine: Machine) -> list[Table]:
    """Measure an import of people who are all new, then one of people who are all known."""
    table = Table(
        f"Import of {machine.users:,} followers",
        "Pages of 10,000 openids, and details of 100 each; tags are right as each batch lands. Own time is what this "
        "process and PostgreSQL spent on the processors; the imitated WeChat shares the machine, and whoever waits for "
        "it is not counted. The aim is 20,000 people a second of own time, in less than 200 MB.",
    )
    async with imitated_wechat(machine.users) as (url, pid), acting_runtime(machine, url) as runtime:
        details = ChannelDetails(
            ChannelKind.SERVICE_ACCOUNT, CROWDED_ACCOUNT.app_id, "Imported", True, Credentials(app_secret=APP_SECRET)
        )
        _, first = await bind_and_import(runtime, machine.principal, details)
        if first is None:
            raise RuntimeError("no import was started")
        _add_rows(table, "all are new", machine.users, await _run(machine, runtime, first, pid))
        again = await import_followers(runtime, machine.principal, first.channel_id)
        _add_rows(table, "all are known", machine.users, await _run(machine, runtime, again.job, pid))
    return [table]


async def _run(machine: Machine, runtime: Runtime, job: Job, imitation: int) -> SpentTime:
    async with spent_time(machine, imitation) as spent:
        await run_job(runtime, SLICES, job.channel_id, job.job_id)
    async with runtime.pool.acquire() as conn:
        done = await jobs.job(conn, job.channel_id, job.job_id)
    if done is None or done.state is not JobState.DONE or done.done != machine.users:
        raise RuntimeError(f"the import did not get to its end: {done}")
    return spent


def _add_rows(table: Table, what: str, people: int, spent: SpentTime) -> None:
    each = f"{spent.own / people * 1e6:.1f} µs a person in Python, {spent.database / people * 1e6:.1f} µs in PostgreSQL"
    table.add(what, people / spent.ours, "people/s of own time", "", each)
    table.add(f"{what}, on the clock", people / spent.wall, "people/s", "", f"{spent.imitation:.1f} s of the imitation")
    table.add(f"{what}, memory", spent.memory / MIB, "MiB", "", "the most this process had")
