"""Returned data: batches of 10,000 against COPY of the same openids, and the platform's call with 100 openids."""

import asyncio
import itertools
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

import orjson

from benchmarks.harness import Table, multiple, seconds
from benchmarks.loading import openid_of
from benchmarks.machine import Machine
from benchmarks.programs import web_process
from service.domain.return_data.batches import undo_batch
from service.domain.return_data.endpoint import decrypt_key, decrypt_token, obtain_endpoint
from service.domain.return_data.submission import ReturnRecorder, Submission
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
    """Each batch has other people; the first of everything does not count."""
    tables = [await _batches(machine), await _calls(machine)]
    verified = await verify_channel(machine.runtime, machine.channel, repair=False)
    if verified.wrong_users or verified.wrong_counts or verified.stray_bits:
        raise RuntimeError(f"returned data left differences: {verified}")
    return tables


async def _batches(machine: Machine) -> Table:
    rng = random.Random(7)
    recorder = ReturnRecorder(machine.runtime)
    await machine.admin.execute(INDEXED)

    def people() -> list[str]:
        return [openid_of(number) for number in rng.sample(range(machine.users), BATCH)]

    async def copy(openids: Sequence[str]) -> None:
        rows = [(machine.channel.channel_id, 1, openid) for openid in openids]
        await machine.admin.execute("create temporary table arrived (like returned) on commit drop")
        await machine.admin.copy_records_to_table("arrived", records=rows)
        await machine.admin.execute("insert into returned select * from arrived on conflict do nothing")

    async def submit(openids: Sequence[str], label: str = "Gold") -> int:
        receipt, _ = await recorder.submit(machine.channel, Submission("Level", label, None, openids))
        return receipt.batch_id

    async def copied(openids: Sequence[str]) -> None:
        async with machine.admin.transaction():
            await copy(openids)

    baseline, ours, undos, wal = [], [], [], []
    for number in range(BATCHES + 1):
        openids = people()
        base = await seconds(lambda openids=openids: copied(openids))  # type: ignore[misc]
        before = await machine.wal()
        started = time.perf_counter()
        batch_id = await submit(openids)
        taken = time.perf_counter() - started
        logged = await machine.wal_since(before)
        if number:
            baseline.append(base)
            ours.append(taken)
            wal.append(logged.size)
        if number >= BATCHES - 2:
            receipt = machine.channel.channel_id, batch_id
            undos.append(
                await seconds(lambda receipt=receipt: undo_batch(machine.runtime, machine.principal, *receipt))  # type: ignore[misc]
            )
    lists = [people() for _ in range(CONCURRENCY * 3)]
    at_once = await seconds(lambda: _in_flight(submit, lists))
    table = Table(
        f"Returned data in batches of {BATCH:,}",
        f"Random people of the channel, known before. Medians of {BATCHES} batches into one growing tag, in turns with "
        "the baseline: COPY of the same openids, and from there into a table with a primary key (repeated ones "
        "skipped), which grows alike. Ours looks people up, flips bits, counts, logs and keeps whom the batch holds.",
    )
    base_rate, rate = BATCH / statistics.median(baseline), BATCH / statistics.median(ours)
    table.add("COPY into an indexed table", base_rate, "openids/s", "1 ×", "the baseline")
    table.add("submitReturnData", rate, "openids/s", multiple(rate, base_rate), "one after the other, one process")
    together = len(lists) * BATCH / at_once
    table.add(f"{CONCURRENCY} in flight", together, "openids/s", multiple(together, base_rate), "one process")
    table.add("a batch is undone", statistics.median(undos), "s", "", f"among {BATCHES} others of the same tag")
    table.add("write-ahead log", statistics.median(wal) / BATCH, "B/openid", "", "full-page images included")
    return table


async def _in_flight(submit: Callable[[Sequence[str], str], Awaitable[int]], lists: Sequence[list[str]]) -> None:
    room = asyncio.Semaphore(CONCURRENCY)

    async def submit_one(openids: list[str]) -> None:
        async with room:
            await submit(openids, "At once")

    await asyncio.gather(*(submit_one(openids) for openids in lists))


async def _calls(machine: Machine) -> Table:
    endpoint = await obtain_endpoint(machine.runtime, machine.principal)
    envelope = Envelope(decrypt_key(machine.runtime, endpoint), endpoint.app_id)
    path = f"/openapi/label/batchset/{decrypt_token(machine.runtime, endpoint)}"
    requests = _requests(machine, path, envelope)
    table = Table(
        f"The platform's call with {OPENIDS_PER_CALL} openids",
        f"Random known people, one label, one web process; each call is decrypted, written and only then answered. "
        f"Medians of 3 rounds of {CALLS:,} calls.",
    )
    async with web_process(machine) as web:
        for connections in CONNECTIONS:
            rounds, waits = [], []
            for number in range(4):
                batch = list(itertools.islice(requests, CALLS if number else CALLS // 3))
                taken, answered_in = await _send(web.port, batch, connections)
                if number:
                    rounds.append(taken)
                    waits += answered_in
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


async def _send(port: int, requests: Sequence[bytes], connections: int) -> tuple[float, list[float]]:
    """Seconds for all and for each, every connection sending its next when the last was answered."""
    waiting = iter(requests)
    answered_in: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            sent = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            answer = await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            answered_in.append(time.perf_counter() - sent)
            if b'"errcode":0' not in answer:
                raise RuntimeError(f"unexpected answer {answer!r}")
        writer.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(connection())
    return time.perf_counter() - started, answered_in
