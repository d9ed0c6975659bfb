"""Measure how fast two workers claim messages to one person each while caps are heeded."""

import asyncio
import json
import sys
from dataclasses import replace
from typing import Final

from benchmarks.broadcast_runs import TAG, TEMPLATE, Sender, make_broadcast
from benchmarks.harness import Table
from benchmarks.imitation import APP_SECRET, CROWDED_ACCOUNT
from benchmarks.machine import Machine
from benchmarks.spent_time import spent_time
from service.domain.broadcasts.policy.stored import default_policy
from service.domain.broadcasts.slices import run_broadcast_slice
from service.domain.channels.binding import ChannelDetails, Credentials, bind_channel
from service.entities.broadcasts import RollingCap
from service.entities.channels import Channel, ChannelKind
from service.entities.expressions import tag
from service.entities.jobs import Job
from service.storage.broadcasts.broadcast_policies import insert_broadcast_policy

COPY_TAG: Final = """
insert into tag (channel_id, tag_id, kind, category, name, state, created_at, updated_at)
select $1, tag_id, kind, category, name, state, created_at, updated_at from tag where channel_id = $2 and tag_id = $3
"""
COPY_PEOPLE: Final = """
insert into channel_user (channel_id, ordinal, openid, first_seen_at, followed_at)
select $1, ordinal, openid, first_seen_at, followed_at from channel_user
where channel_id = $2 and ordinal / 32000 in (select block from tag_members where channel_id = $2 and tag_id = $3)
"""
COPY_HEADS: Final = """
insert into block_head (channel_id, block, at, evaluated_at, latest_at, base_at, windows_version)
select $1, block, at, evaluated_at, latest_at, base_at, windows_version from block_head
where channel_id = $2 and block in (select block from tag_members where channel_id = $2 and tag_id = $3)
"""
COPY_MEMBERS: Final = """
insert into tag_members (channel_id, block, tag_id, members)
select $1, block, tag_id, members from tag_members
where channel_id = $2 and block in (select block from tag_members where channel_id = $2 and tag_id = $3)
"""
CAPS: Final = replace(default_policy(), per_person_per_day=5, rolling=RollingCap(20, 7))


async def measure_claims(sender: Sender, people: int) -> Table:
    """Measure claims of messages to people with the tag, so many of them."""
    machine, runtime = sender.machine, sender.runtime
    other = await _copy_channel(sender)
    held = []
    for channel in (sender.channel, other):
        async with runtime.pool.acquire() as conn:
            await insert_broadcast_policy(conn, channel.channel_id, CAPS)
        job = await make_broadcast(machine, runtime, channel, TEMPLATE, tag(TAG))
        held.append(await run_broadcast_slice(runtime, job))
    async with spent_time(machine, sender.imitation) as spent:
        taken = await asyncio.gather(*(_claim(machine, job) for job in held))
    counts = [await sender.broadcast(job) for job in held]
    if any(each.sent != people for each in counts):
        raise RuntimeError(f"not everybody was claimed: {counts}")
    table = Table(
        f"Claims of {2 * people:,} messages by two workers",
        "Two channels, each with caps a day and on seven days; two processes claim 32 people at a time and record them "
        "as sent, without calling anybody in between.",
    )
    wall, cpu = max(each["wall"] for each in taken), sum(each["cpu"] for each in taken) / 2 / people
    table.add("claimed and recorded", 2 * people / wall, "people/s", "", f"{wall:.1f} s on the clock")
    each = f"{cpu * 1e6:.1f} µs in Python, {spent.database / 2 / people * 1e6:.1f} µs in PostgreSQL"
    table.add("own time of one person", cpu * 1e6 + spent.database / 2 / people * 1e6, "µs", "", each)
    return table


async def _copy_channel(sender: Sender) -> Channel:
    """Bind another channel, with the people and bits of the first blocks of the loaded one."""
    machine = sender.machine
    credentials = Credentials(app_secret=APP_SECRET)
    details = ChannelDetails(ChannelKind.SERVICE_ACCOUNT, CROWDED_ACCOUNT.app_id, "Copied", True, credentials)
    channel = await bind_channel(sender.runtime, machine.principal, details)
    for statement in (COPY_TAG, COPY_PEOPLE, COPY_HEADS, COPY_MEMBERS):
        await machine.admin.execute(statement, channel.channel_id, machine.channel.channel_id, TAG)
    return channel


async def _claim(machine: Machine, job: Job) -> dict[str, float]:
    """Claim everybody of a broadcast in a process of its own, and return what that took."""
    arguments = (machine.database_url, str(job.channel_id), str(job.job_id))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.claiming", *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    taken: dict[str, float] = json.loads(output)
    return taken
