"""Single encrypted pushes over 100 connections, each durable when answered, against a server with nothing to do."""

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import psutil

from benchmarks.harness import Table
from benchmarks.machine import SEALED_WITH, Machine
from service.demo.sealing import seal_push
from service.domain.channels import ChannelUpdate, Credentials, push_url, update_channel
from service.embedded import environment_with_ourselves
from service.entities.ids import channel_gid
from service.wechat.crypto import new_encoding_aes_key

CONNECTIONS = 100
PUSHES = 5_000
WARM_UP = 500
CALLBACK_TOKEN = "benchmark"  # noqa: S105 - of an account that exists only here
PORT = 8077


async def measure(machine: Machine, users: int) -> Table:
    key = new_encoding_aes_key()
    await update_channel(
        machine.runtime,
        machine.boss,
        channel_gid(machine.channel.channel_id),
        ChannelUpdate(None, None, Credentials(callback_token=CALLBACK_TOKEN, encoding_aes_key=key)),
    )
    path = urlsplit(push_url(machine.runtime, machine.channel)).path
    async with _web_process(machine) as process:
        health = [b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"] * PUSHES
        await _send(health[:WARM_UP], b'"ok"')
        floor = await _send(health, b'"ok"')
        pushes = _pushes(machine, path, key, users)
        await _send(pushes[:WARM_UP], b"success")
        position = await machine.wal_position()
        taken = await _send(pushes[WARM_UP:], b"success")
        wal = await machine.wal_position() - position
        memory = psutil.Process(process.pid).memory_info().rss / 2**20
    table = Table(
        f"Single pushes over {CONNECTIONS} connections",
        "Each push is decrypted, recorded with its tags, committed, and only then answered. The limit is the same "
        "server and client with nothing to do.",
    )
    count = len(pushes) - WARM_UP
    table.add("health checks", PUSHES / floor, "requests/s", "1 ×", "the limit")
    table.add("pushes", count / taken, "pushes/s", f"{(count / taken) / (PUSHES / floor):.2f} ×", "one web process")
    table.add("write-ahead log", wal / count / 1024, "KiB/push", "", "full-page images included")
    table.add("memory of the web process", memory, "MiB", "", "resident, after the run")
    return table


@asynccontextmanager
async def _web_process(machine: Machine) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = environment_with_ourselves() | {
        "DATABASE_URL": machine.database_url,
        "REDIS_URL": machine.redis_url,
        "USER_TAGS_SECRETS_KEY": SEALED_WITH,
        "USER_TAGS_JWT_SECRET": SEALED_WITH,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service", "serve", "--port", str(PORT), env=environment
    )
    try:
        await _until_it_listens()
        yield process
    finally:
        process.terminate()
        await process.wait()


async def _until_it_listens() -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", PORT)
        except ConnectionError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError("the web process did not start")


def _pushes(machine: Machine, path: str, key: str, users: int) -> list[bytes]:
    """Complete requests, made before the clock starts: text messages of random people."""
    dice = random.Random(13)
    now = datetime.now(UTC)
    requests = []
    for number in range(PUSHES + WARM_UP):
        fields = {
            "ToUserName": "gh_benchmark",
            "FromUserName": f"oBENCH{dice.randrange(users):022x}",
            "CreateTime": str(int(now.timestamp())),
            "MsgType": "text",
            "Content": json.dumps({"number": number}),
            "MsgId": str(number + 1),
        }
        query, body = seal_push(
            fields,
            token=CALLBACK_TOKEN,
            encoding_aes_key=key,
            app_id=machine.channel.app_id,
            now=now,
            mode="safe",
            nonce=str(number),
        )
        head = f"POST {path}?{urlencode(query)} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
        requests.append(head.encode() + body)
    return requests


async def _send(requests: Sequence[bytes], expected: bytes) -> float:
    """Seconds for all requests, each connection sending its next when the last was answered."""
    waiting = iter(requests)

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        for request in waiting:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            answer = await reader.readexactly(length)
            if expected not in answer:
                raise RuntimeError(f"unexpected answer {answer!r}")
        writer.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(connection())
    return time.perf_counter() - started
