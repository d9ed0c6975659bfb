"""Compare returned data in batches of 10,000 with COPY of the same openids; measure WeChat's call with 100 openids."""

import asyncio
import itertools
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from benchmarks.harness import Table, multiple
from benchmarks.loading import openid_of
from benchmarks.machine import Machine
from benchmarks.programs import send_requests, web_process
from service.domain.return_data.batches import undo_batch
from service.domain.return_data.endpoint import decrypt_key, decrypt_token, obtain_endpoint
from service.domain.return_data.requests import Submission
from service.domain.return_data.submission import ReturnRecorder
from service.domain.verification.channel import verify_channel
from service.wechat.crypto import Envelope

BATCH: Final = 10_000
BATCHES: Final = 12
CONCURRENCY: Final = 4
OPENIDS_PER_CALL: Final = 100
CALLS: Final = 900
CONNECTIONS: Final = (20, 100)
INDEXED: Final = """
create table returned (
    channel_id bigint not null, tag_id int not null, openid text not null, primary key (channel_id, tag_id, openid)
)
"""


async def measure(machine: Machine) -> list[Table]:
    """Measure batches and calls, each of other users; the first of each kind does not count."""
    tables = [await _batches(machine), await _calls(machine)]
    verified = await verify_channel(machine.runtime, machine.channel, repair=False)
    if verified.wrong_users or verified.wrong_counts or verified.stray_bits:
        raise RuntimeError(f"returned data left differences: {verified}")
    return tables


@dataclass(slots=True)
class BatchRounds:
    """Hold the seconds that each batch took to COPY, to submit and to undo, and the bytes logged by each submission."""

    copied: list[float] = field(default_factory=list)
    submitted: list[float] = field(default_factory=list)
    undone: list[float] = field(default_factory=list)
    wal_bytes: list[int] = field(default_factory=list)


async def _batches(machine: Machine) -> Table:
    rng = random.Random(7)
    recorder = ReturnRecorder(machine.runtime)
    await machine.admin.execute(INDEXED)
    rounds = await _run_batches(machine, recorder, rng)
    concurrent = await _submit_concurrently(machine, recorder, rng)
    table = Table(
        f"Returned data in batches of {BATCH:,}",
        f"Random users of the channel, known before. Medians of {BATCHES} batches into one growing tag, in turns with "
        "the baseline: COPY of the same openids, and from there into a table with a primary key (repeated ones "
        "skipped), which grows alike. Ours looks users up, flips bits, counts, logs and keeps whom the batch holds.",
    )
    baseline, rate = BATCH / statistics.median(rounds.copied), BATCH / statistics.median(rounds.submitted)
    table.add("COPY into an indexed table", baseline, "openids/s", "1 ×", "the baseline")
    table.add("submitReturnData", rate, "openids/s", multiple(rate, baseline), "one after the other, one process")
    table.add(f"{CONCURRENCY} in flight", concurrent, "openids/s", multiple(concurrent, baseline), "one process")
    undone = statistics.median(rounds.undone)
    table.add("a batch is undone", undone, "s", "", f"among {BATCHES} others of the same tag")
    wal = statistics.median(rounds.wal_bytes) / BATCH
    table.add("write-ahead log", wal, "B/openid", "", "full-page images included")
    return table


async def _run_batches(machine: Machine, recorder: ReturnRecorder, rng: random.Random) -> BatchRounds:
    rounds = BatchRounds()
    for number in range(BATCHES + 1):
        openids = _openids(machine, rng)
        started = time.perf_counter()
        await _copy(machine, openids)
        copied = time.perf_counter() - started
        before = await machine.wal()
        started = time.perf_counter()
        batch_id = await _submit(machine, recorder, openids, "Gold")
        submitted = time.perf_counter() - started
        logged = await machine.wal_since(before)
        if number:
            rounds.copied.append(copied)
            rounds.submitted.append(submitted)
            rounds.wal_bytes.append(logged.size)
        if number >= BATCHES - 2:
            started = time.perf_counter()
            await undo_batch(machine.runtime, machine.principal, machine.channel.channel_id, batch_id)
            rounds.undone.append(time.perf_counter() - started)
    return rounds


async def _submit_concurrently(machine: Machine, recorder: ReturnRecorder, rng: random.Random) -> float:
    """Return the openids per second of `CONCURRENCY` batches at a time."""
    lists = [_openids(machine, rng) for _ in range(CONCURRENCY * 3)]
    semaphore = asyncio.Semaphore(CONCURRENCY)

    async def submit_one(openids: list[str]) -> None:
        async with semaphore:
            await _submit(machine, recorder, openids, "At once")

    started = time.perf_counter()
    await asyncio.gather(*map(submit_one, lists))
    return len(lists) * BATCH / (time.perf_counter() - started)


def _openids(machine: Machine, rng: random.Random) -> list[str]:
    return [openid_of(number) for number in rng.sample(range(machine.users), BATCH)]


async def _copy(machine: Machine, openids: Sequence[str]) -> None:
    rows = [(machine.channel.channel_id, 1, openid) for openid in openids]
    async with machine.admin.transaction():
        await machine.admin.execute("create temporary table arrived (like returned) on commit drop")
        await machine.admin.copy_records_to_table("arrived", records=rows)
        await machine.admin.execute("insert into returned select * from arrived on conflict do nothing")


async def _submit(machine: Machine, recorder: ReturnRecorder, openids: Sequence[str], label: str) -> int:
    receipt, _ = await recorder.submit(machine.channel, Submission("Level", label, None, openids))
    return receipt.batch_id


async def _calls(machine: Machine) -> Table:
    endpoint = await obtain_endpoint(machine.runtime, machine.principal)
    envelope = Envelope(decrypt_key(machine.runtime, endpoint), endpoint.app_id)
    path = f"/openapi/label/batchset/{decrypt_token(machine.runtime, endpoint)}"
    requests = _requests(machine, path, envelope)
    table = Table(
        f"The platform's call with {OPENIDS_PER_CALL} openids",
        f"Random known users, one label, one web process; each call is decrypted, written and only then answered. "
        f"Medians of 3 rounds of {CALLS:,} calls.",
    )
    async with web_process(machine) as web:
        for connections in CONNECTIONS:
            rounds, waits = [], []
            for number in range(4):
                batch = list(itertools.islice(requests, CALLS if number else CALLS // 3))
                answered = await send_requests(web.port, batch, b'"errcode":0', connections=connections)
                if number:
                    rounds.append(answered.seconds)
                    waits += answered.waits
            p99 = statistics.quantiles(waits, n=100)[98] * 1000
            rate = CALLS / statistics.median(rounds)
            table.add(f"over {connections} connections", rate, "calls/s", "", f"99 of 100 answered in {p99:.0f} ms")
    return table


def _requests(machine: Machine, path: str, envelope: Envelope) -> Iterator[bytes]:
    rng = random.Random(11)
    while True:
        openids = "".join(
            f"<openid>{openid_of(rng.randrange(machine.users))}</openid>" for _ in range(OPENIDS_PER_CALL)
        )
        xml = (
            f"<xml><appid>{machine.channel.app_id}</appid><category>Level</category><label>Called</label>"
            f"<desc>measured</desc><list>{openids}</list></xml>"
        )
        body = orjson.dumps({"encrypt": envelope.encrypt(xml.encode())})
        head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body
