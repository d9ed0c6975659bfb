"""Single encrypted pushes over 100 connections, each durable when answered, against a server with nothing to do."""

import asyncio
import itertools
import json
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

from benchmarks.harness import KIB, MIB, Table, multiple
from benchmarks.loading import openid_of
from benchmarks.machine import Machine
from benchmarks.programs import resident_bytes, web_process
from service.dev.demo.push_encoder import encode_push
from service.domain.channels.binding import ChannelUpdate, Credentials, push_url, update_channel
from service.wechat.crypto import new_encoding_aes_key

CONNECTIONS: Final = 100
PUSHES: Final = 2_000
ROUNDS: Final = 5
CALLBACK_TOKEN: Final = "benchmark"  # noqa: S105 - of an account that exists only here
HEALTH_CHECK: Final = b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"


async def measure(machine: Machine) -> list[Table]:
    """Rounds in turns with the limit; the first does not count."""
    key = new_encoding_aes_key()
    await update_channel(
        machine.runtime,
        machine.principal,
        machine.channel.channel_id,
        ChannelUpdate(None, None, Credentials(callback_token=CALLBACK_TOKEN, encoding_aes_key=key)),
    )
    path = urlsplit(push_url(machine.runtime, machine.channel)).path
    pushes = _pushes(machine, path, key)
    ours, limit, waits, sizes, images = [], [], [], [], []
    async with web_process(machine) as web:
        for number in range(ROUNDS + 1):
            requests = list(itertools.islice(pushes, PUSHES))
            health, _ = await _send(web.port, [HEALTH_CHECK] * PUSHES, b'"ok"')
            before = await machine.wal()
            taken, answered_in = await _send(web.port, requests, b"success")
            logged = await machine.wal_since(before)
            if number:
                limit.append(health)
                ours.append(taken)
                waits += answered_in
                sizes.append(logged.size)
                images.append(logged.page_images)
        memory = resident_bytes(web.pid)
    table = Table(
        f"Single pushes over {CONNECTIONS} connections",
        "Text messages of random people, most of whom had long been silent. Each is decrypted, recorded with its tags, "
        f"committed, and only then answered. Medians of {ROUNDS} rounds of {PUSHES:,}, soon after a checkpoint, when "
        "almost every page is logged whole. The limit is the same server and client with nothing to do.",
    )
    our_rate, limit_rate = PUSHES / statistics.median(ours), PUSHES / statistics.median(limit)
    table.add("health checks", limit_rate, "requests/s", "1 ×", "the limit")
    table.add("pushes", our_rate, "pushes/s", multiple(our_rate, limit_rate), "one web process")
    p99 = statistics.quantiles(waits, n=100)[98]
    table.add(
        "answered within", p99 * 1000, "ms", "", f"99 of 100; the median is {statistics.median(waits) * 1000:.0f} ms"
    )
    table.add("write-ahead log", statistics.median(sizes) / PUSHES / KIB, "KiB/push", "", "full-page images included")
    table.add("full-page images", statistics.median(images) / PUSHES, "/push", "", "once a page after each checkpoint")
    table.add("memory of the web process", memory / MIB, "MiB", "", "resident, after the rounds")
    return [table]


def _pushes(machine: Machine, path: str, key: str) -> Iterator[bytes]:
    """Complete requests of random people."""
    rng = random.Random(13)
    for number in itertools.count(1):
        now = datetime.now(UTC)
        fields = {
            "ToUserName": "gh_benchmark",
            "FromUserName": openid_of(rng.randrange(machine.users)),
            "CreateTime": str(int(now.timestamp())),
            "MsgType": "text",
            "Content": json.dumps({"number": number}),
            "MsgId": str(number),
        }
        query, body = encode_push(
            fields,
            token=CALLBACK_TOKEN,
            encoding_aes_key=key,
            app_id=machine.channel.app_id,
            now=now,
            mode="safe",
            nonce=str(number),
        )
        head = f"POST {path}?{urlencode(query)} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
        yield head.encode() + body


async def _send(port: int, requests: Sequence[bytes], expected: bytes) -> tuple[float, list[float]]:
    """Seconds for all and for each, every connection sending its next when the last was answered."""
    waiting = iter(requests)
    answered_in: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            sent = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            answer = await reader.readexactly(length)
            answered_in.append(time.perf_counter() - sent)
            if expected not in answer:
                raise RuntimeError(f"unexpected answer {answer!r}")
        writer.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(connection())
    return time.perf_counter() - started, answered_in
