"""Compare single encrypted pushes over 100 connections, each committed when answered, with health checks.

Health checks are the limit: what the same server and client do when there is nothing to do.
"""

import itertools
import json
import random
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

from benchmarks.harness import KIB, MIB, Table, multiple
from benchmarks.loading import openid_of
from benchmarks.machine import Machine
from benchmarks.programs import resident_bytes, send_requests, web_process
from service.dev.demo.push_encoder import encode_push
from service.domain.channels.binding import ChannelUpdate, Credentials, push_url, update_channel
from service.wechat.crypto import new_encoding_aes_key

CONNECTIONS: Final = 100
PUSHES: Final = 2_000
ROUNDS: Final = 5
CALLBACK_TOKEN: Final = "benchmark"  # noqa: S105 - of an account that exists only here
HEALTH_CHECK: Final = b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"


@dataclass(slots=True)
class Rounds:
    """Hold what the rounds took: seconds of each, seconds each push waited, and what was logged in each."""

    health: list[float] = field(default_factory=list)
    pushes: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    wal_bytes: list[int] = field(default_factory=list)
    page_images: list[int] = field(default_factory=list)
    memory: int = 0


async def measure(machine: Machine) -> list[Table]:
    """Measure pushes and health checks in turns, after a round of each that does not count."""
    key = new_encoding_aes_key()
    await update_channel(
        machine.runtime,
        machine.principal,
        machine.channel.channel_id,
        ChannelUpdate(None, None, Credentials(callback_token=CALLBACK_TOKEN, encoding_aes_key=key)),
    )
    path = urlsplit(push_url(machine.runtime, machine.channel)).path
    rounds = await _run_rounds(machine, _pushes(machine, path, key))
    table = Table(
        f"Single pushes over {CONNECTIONS} connections",
        "Text messages of random users, most of whom had long been silent. Each is decrypted, recorded with its tags, "
        f"committed, and only then answered. Medians of {ROUNDS} rounds of {PUSHES:,}, soon after a checkpoint, when "
        "almost every page is logged whole. The limit is the same server and client with nothing to do.",
    )
    rate, limit = PUSHES / statistics.median(rounds.pushes), PUSHES / statistics.median(rounds.health)
    table.add("health checks", limit, "requests/s", "1 ×", "the limit")
    table.add("pushes", rate, "pushes/s", multiple(rate, limit), "one web process")
    p99, median = statistics.quantiles(rounds.waits, n=100)[98], statistics.median(rounds.waits)
    table.add("answered within", p99 * 1000, "ms", "", f"99 of 100; the median is {median * 1000:.0f} ms")
    wal = statistics.median(rounds.wal_bytes) / PUSHES / KIB
    table.add("write-ahead log", wal, "KiB/push", "", "full-page images included")
    images = statistics.median(rounds.page_images) / PUSHES
    table.add("full-page images", images, "/push", "", "once a page after each checkpoint")
    table.add("memory of the web process", rounds.memory / MIB, "MiB", "", "resident, after the rounds")
    return [table]


async def _run_rounds(machine: Machine, pushes: Iterator[bytes]) -> Rounds:
    rounds = Rounds()
    async with web_process(machine) as web:
        for number in range(ROUNDS + 1):
            requests = list(itertools.islice(pushes, PUSHES))
            health = await send_requests(web.port, [HEALTH_CHECK] * PUSHES, b'"ok"', connections=CONNECTIONS)
            before = await machine.wal()
            answered = await send_requests(web.port, requests, b"success", connections=CONNECTIONS)
            logged = await machine.wal_since(before)
            if number:
                rounds.health.append(health.seconds)
                rounds.pushes.append(answered.seconds)
                rounds.waits += answered.waits
                rounds.wal_bytes.append(logged.size)
                rounds.page_images.append(logged.page_images)
        rounds.memory = resident_bytes(web.pid)
    return rounds


def _pushes(machine: Machine, path: str, key: str) -> Iterator[bytes]:
    """Generate complete requests with messages of random users."""
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
