"""Measure a sync of one tag, which many have at WeChat and should not have, or should have and do not.

Our own time is that of this process and of PostgreSQL on the processors; the imitation runs beside them.
"""

import random
import tempfile
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Final

import httpx
from asyncpg import BitString

from benchmarks.harness import Table
from benchmarks.imitation import APP_SECRET, acting_runtime, imitated_wechat
from benchmarks.loading import openid_of
from benchmarks.machine import LOADED_APP_ID, Machine
from benchmarks.spent_time import SpentTime, spent_time
from service.domain.channels.binding import ChannelUpdate, Credentials, update_channel
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.sync.options import SyncOptions
from service.domain.official_account.sync.slices import run_sync_slice
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE, bitmap_of, offsets_in, ordinal_at
from service.entities.jobs import Job, JobKind, JobState
from service.entities.remote_tags import RemoteAdditions
from service.entities.syncs import SyncStage
from service.entities.tags import DefaultTagRule
from service.storage import jobs, remote_tags, syncs
from service.wechat.api.tag_calls import MAX_OPENIDS_PER_TAGGING, TAGGING, UNTAGGING, create_tag

MOST_DIFFERENCES: Final = 100_000
TAG: Final = DefaultTagRule.OPENED.value
NAME: Final = "Opened"
LEASE: Final = timedelta(hours=6)
MEMBERS: Final = "select block, members from tag_members where channel_id = $1 and tag_id = $2 order by block"
# Followers without the tag.
WITHOUT: Final = """
select block, bit_or(members) filter (where tag_id <> $2) & ~bit_or(members) filter (where tag_id = $2) as members
from tag_members where channel_id = $1 and tag_id = any(array[1, 2, $2]) group by block
"""


async def measure(machine: Machine) -> list[Table]:
    """Measure the plan, then what takes the tag from people, then what gives it."""
    with tempfile.TemporaryDirectory(prefix="user-tags-bench-") as directory:
        openids = Path(directory) / "openids"
        known, ordinals = await _differences(machine, min(MOST_DIFFERENCES, machine.users // 10))
        openids.write_text("\n".join(map(openid_of, ordinals)), encoding="ascii")
        async with imitated_wechat(0, openids) as (url, pid), acting_runtime(machine, url) as runtime:
            job = await _prepare(machine, runtime, known)
            job, _ = await _run_until(machine, runtime, job, SyncStage.PLAN, pid)
            job, plan = await _run_until(machine, runtime, job, SyncStage.MAKE, pid)
            job, _ = await _run_until(machine, runtime, job, SyncStage.REMOVE, pid)
            job, removals = await _run_until(machine, runtime, job, SyncStage.ADD, pid)
            job, additions = await _run_until(machine, runtime, job, None, pid)
            calls = await _calls(url)
    if job.done != len(ordinals):
        raise RuntimeError(f"{job.done} of {len(ordinals)} people were synced")
    table = Table(
        f"Sync of {len(ordinals):,} differences",
        f"One tag, which half of them are to get and half to lose; nothing is read from WeChat first, as when a tag is "
        f"kept in sync. Own time is what this process and PostgreSQL spent on the processors; the imitated WeChat "
        "shares the machine, and whoever waits for it is not counted. The aims are 1 s for a plan in 10,000,000 users, "
        f"one call for {MAX_OPENIDS_PER_TAGGING} people, and 2 ms of own time a call.",
    )
    table.add("plan", plan.wall, "s", "", f"{plan.own:.2f} s in Python, {plan.database:.2f} s in PostgreSQL")
    for what, path, spent in (("removals", UNTAGGING, removals), ("additions", TAGGING, additions)):
        _add_rows(table, what, calls[path], spent)
    return [table]


def _add_rows(table: Table, what: str, calls: int, spent: SpentTime) -> None:
    parts = f"{spent.own / calls * 1e3:.2f} ms in Python, {spent.database / calls * 1e3:.2f} ms in PostgreSQL"
    table.add(f"calls for {what}", calls, "calls", "", f"{spent.wall:.1f} s on the clock")
    table.add(f"own time of one for {what}", spent.ours / calls * 1e3, "ms", "", parts)


async def _differences(machine: Machine, wanted: int) -> tuple[dict[int, bytes], list[int]]:
    """Return who is to be taken for having the tag at WeChat, `{block: bitmap}`, and the ordinals of who differs."""
    rng = random.Random(0)
    channel_id = machine.channel.channel_id
    blocks = {row["block"]: row["members"].bytes for row in await machine.admin.fetch(MEMBERS, channel_id, TAG)}
    others = {row["block"]: row["members"].bytes for row in await machine.admin.fetch(WITHOUT, channel_id, TAG)}
    half = ceil(wanted / 2 / len(blocks))
    known, ordinals = {}, []
    for block, bits in blocks.items():
        having, lacking = offsets_in(bits), offsets_in(others[block])
        to_get, to_lose = (set(rng.sample(each, min(half, len(each)))) for each in (having, lacking))
        known[block] = bitmap_of([*(offset for offset in having if offset not in to_get), *to_lose])
        ordinals += [ordinal_at(block, offset) for offset in (*to_get, *to_lose)]
    return known, ordinals


async def _prepare(machine: Machine, runtime: Runtime, known: dict[int, bytes]) -> Job:
    """Link the tag to one that is made at WeChat, and return a sync of it that this process holds."""
    channel_id, now = machine.channel.channel_id, runtime.clock()
    secret = ChannelUpdate(None, None, Credentials(app_secret=APP_SECRET))
    channel = await update_channel(runtime, machine.principal, channel_id, secret)
    remote_id = await call_wechat(runtime, channel, create_tag(NAME))
    # Nobody is asked whether so many may lose the tag, nor is anything read first.
    payload = SyncOptions(automatic=True, allow_removals=True).payload(SyncStage.LIST)
    async with runtime.pool.acquire() as conn, conn.transaction():
        job = await jobs.insert_job(
            conn,
            channel_id,
            JobKind.OFFICIAL_ACCOUNT_SYNC,
            total=None,
            payload=payload,
            created_by=machine.principal.subject,
            now=now,
        )
        await remote_tags.link_tag(
            conn,
            channel_id,
            TAG,
            remote_tag_id=remote_id,
            remote_name=NAME,
            keep_in_sync=True,
            remote_additions=RemoteAdditions.KEEP,
            job_id=job.job_id,
            now=now,
        )
        await syncs.insert_sync_tags(conn, channel_id, job.job_id, [TAG], [None], [NAME])
        bits = [(block, BitString.frombytes(each, BLOCK_SIZE)) for block, each in known.items()]
        rows = [(channel_id, block, TAG, each, each) for block, each in bits]
        await conn.copy_records_to_table("remote_members", records=rows)
        claimed = await jobs.claim_job(conn, channel_id, job.job_id, now=now, lease_until=now + LEASE)
    if claimed is None:
        raise RuntimeError("a new job can always be claimed")
    return claimed


async def _run_until(
    machine: Machine, runtime: Runtime, job: Job, stage: SyncStage | None, imitation: int
) -> tuple[Job, SpentTime]:
    """Run the slices of the sync until it is in a stage, or with None at its end; return what they took."""
    async with spent_time(machine, imitation) as spent:
        while job.state is JobState.RUNNING and (stage is None or job.payload["stage"] != stage):
            job = await run_sync_slice(runtime, job)
    return job, spent


async def _calls(url: str) -> dict[str, int]:
    """Return how many calls succeeded, by path; raises RuntimeError if one that tags did not."""
    async with httpx.AsyncClient(base_url=url) as http:
        accounts = (await http.get("/demo/books")).json()["accounts"]
    groups = next(each["calls"] for each in accounts if each["appId"] == LOADED_APP_ID)
    outcomes = {path: groups[path]["outcomes"] for path in (TAGGING, UNTAGGING)}
    if any(each.keys() != {"0"} for each in outcomes.values()):
        raise RuntimeError(f"some calls failed: {outcomes}")
    return {path: each["0"] for path, each in outcomes.items()}
