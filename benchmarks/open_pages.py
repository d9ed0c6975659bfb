"""Open conversation pages: what they take, and how soon a change that touches all of them has reached the last."""

import asyncio
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import psutil
from redis.asyncio import Redis

from benchmarks.harness import KIB, Table, multiple
from benchmarks.loading import openid_of
from benchmarks.machine import BENCHMARK_SECRET, ROBOT, Machine
from benchmarks.programs import resident_bytes, web_process
from service.auth.tokens import sign_token
from service.domain.tags.catalogue import TagChangeKind, TagEdit, lock_catalogue, write_tag_edits
from service.entities.blocks import ChangeCause
from service.entities.ids import channel_gid
from service.entities.principal import Role
from service.entities.tags import DefaultTagRule
from service.foundation.settings import Settings
from service.valkey.notifications import encode, topic_of_channel
from service.web.protocols.websocket import raise_file_descriptor_limit

PAGES: Final = int(os.environ.get("OPEN_PAGES", "10000"))
PAGES_PER_TOKEN: Final = 100
ROUNDS: Final = 5
IDLE_SECONDS: Final = 60.0
HOUR: Final = timedelta(hours=1)
MODULES: Final = Path(__file__).parent.parent / "examples" / "live" / "package.json"
PEERS: Final = Path(__file__).parent / "peers"
QUERY: Final = """
subscription($channelId: ID!, $openid: String!) {
  userTags(channelId: $channelId, openid: $openid) {
    cursor reset cause at
    tags { id category name } added { id category name } removed { id } updated { id category name }
  }
}
"""
TAG: Final = {"id": "VGFnOjE6MTIz", "category": "Touchability", "name": "Touchable"}
EVENT: Final = {
    "cursor": "x" * 110,
    "reset": False,
    "cause": "TAG_EDITED",
    "at": "2026-03-01T12:00:00.123456Z",
    "tags": [TAG] * 4,
    "added": [],
    "removed": [],
    "updated": [TAG],
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one server took: seconds until all were there and CPU seconds a page of them, bytes a page, seconds to the
    last, CPU seconds a delivery.
    """

    pages: int
    open_seconds: float
    cpu_per_open: float
    memory: float
    delivery_seconds: float
    cpu_per_delivery: float


async def measure(machine: Machine) -> list[Table]:
    # The clients, and the peers, inherit what we may have.
    raise_file_descriptor_limit()
    async with web_process(machine) as web:
        ours, idle = await _ours(machine, web.port, web.pid)
    peers = {
        "plain Strawberry": await _peer([sys.executable, "-m", "benchmarks.peers.plain_strawberry"], warm_up=2),
        # A compiler at work needs its time.
        "graphql-ws on Node.js": await _peer(
            [shutil.which("node") or "node", str(PEERS / "graphql_ws.mjs")], warm_up=20
        ),
    }
    table = Table(
        f"{ours.pages:,} open pages on one web process",
        "Two tags are renamed, of which everybody has one: from before the commit until the last page has been told. "
        "The peers have as many pages of the same clients and send events of the same size from their memory, without "
        f"database, rights or cursors. Medians of {ROUNDS} rounds and means of CPU, after rounds that do not count.",
    )
    table.add(
        "told to the last within",
        ours.delivery_seconds,
        "s",
        "1 ×",
        f"{ours.pages / ours.delivery_seconds:,.0f} deliveries/s",
    )
    for name, peer in peers.items():
        rate = f"{peer.pages / peer.delivery_seconds:,.0f} deliveries/s"
        table.add(
            f"told by {name} within",
            peer.delivery_seconds,
            "s",
            multiple(peer.delivery_seconds, ours.delivery_seconds),
            rate,
        )
    table.add("CPU of the web process", ours.cpu_per_delivery * 1e6, "µs/delivery", "1 ×")
    for name, peer in peers.items():
        table.add(
            f"CPU of {name}",
            peer.cpu_per_delivery * 1e6,
            "µs/delivery",
            multiple(peer.cpu_per_delivery, ours.cpu_per_delivery),
        )
    table.add("memory", ours.memory / KIB, "KiB/page", "1 ×")
    for name, peer in peers.items():
        table.add(f"memory of {name}", peer.memory / KIB, "KiB/page", multiple(peer.memory, ours.memory))
    table.add("all pages opened in", ours.open_seconds, "s", "1 ×", f"{ours.cpu_per_open * 1e3:.2f} ms of CPU each")
    for name, peer in peers.items():
        cpu_per_delivery = f"{peer.cpu_per_open * 1e3:.2f} ms of CPU each"
        table.add(
            f"opened by {name} in",
            peer.open_seconds,
            "s",
            multiple(peer.open_seconds, ours.open_seconds),
            cpu_per_delivery,
        )
    seconds = f"{idle * 100:.2f} % of a core, over {IDLE_SECONDS:.0f} s"
    table.add("CPU of an hour in which nothing happens", idle * HOUR.total_seconds(), "s", "", seconds)
    return [table]


async def _ours(machine: Machine, port: int, pid: int) -> tuple[Measured, float]:
    settings = Settings(jwt_secret=BENCHMARK_SECRET)
    tokens = [
        sign_token(settings, robot=ROBOT, role=Role.AGENT, subject=f"agent {number}", ttl=HOUR)
        for number in range(-(-PAGES // PAGES_PER_TOKEN))
    ]
    channel = channel_gid(machine.channel.channel_id)
    followers = await machine.admin.fetch(
        "select openid from channel_user u join tag_members n on n.channel_id = u.channel_id and n.tag_id = 1 "
        "and n.block = u.ordinal / 32000 join tag_members o on o.channel_id = u.channel_id and o.tag_id = 2 "
        "and o.block = n.block where get_bit(n.members | o.members, u.ordinal % 32000) = 1 limit $1",
        PAGES,
    )
    pages = [
        (tokens[number // PAGES_PER_TOKEN], {"channelId": channel, "openid": row["openid"]})
        for number, row in enumerate(followers)
    ]
    names = iter(range(1_000_000))

    async with Redis.from_url(machine.redis_url) as valkey:

        async def rename() -> None:
            number = next(names)
            channel_id = machine.channel.channel_id
            async with machine.runtime.pool.acquire() as conn, conn.transaction():
                before = await lock_catalogue(conn, channel_id)
                tags = [before.tags[rule] for rule in (DefaultTagRule.NEW_USER, DefaultTagRule.OLD_USER)]
                edits = [
                    TagEdit(TagChangeKind.UPDATED, tag, replace(tag, name=f"{tag.tag_id} {number}")) for tag in tags
                ]
                _, notification = await write_tag_edits(
                    conn, before, edits, cause=ChangeCause.TAG_EDITED, clock=machine.clock()
                )
            await valkey.publish(topic_of_channel(channel_id), encode(notification))

        return await _measured(port, pid, pages, rename, idle_seconds=IDLE_SECONDS)


async def _peer(command: Sequence[str], *, warm_up: int) -> Measured:
    environment = os.environ | {"MODULES": str(MODULES), "EVENT": json.dumps(EVENT)}
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - pipes were asked for
    stdin = process.stdin
    try:
        port = int(await process.stdout.readline())
        pages = [("", {"channelId": "1", "openid": openid_of(number)}) for number in range(PAGES)]

        async def send_event() -> None:
            stdin.write(b"\n")

        measured, _ = await _measured(port, process.pid, pages, send_event, warm_up=warm_up)
        return measured
    finally:
        stdin.close()
        await process.wait()


async def _measured(
    port: int,
    pid: int,
    pages: Sequence[tuple[str, dict[str, str]]],
    change: Callable[[], Awaitable[None]],
    *,
    warm_up: int = 1,
    idle_seconds: float = 0.0,
) -> tuple[Measured, float]:
    """Also the share of a core that the server took while nothing happened."""
    before, used = resident_bytes(pid), _cpu_seconds(pid)
    async with _clients(port, pages) as wait_for_delivery:
        open_seconds = await wait_for_delivery()
        cpu_per_open = (_cpu_seconds(pid) - used) / len(pages)
        memory = (resident_bytes(pid) - before) / len(pages)
        for _ in range(warm_up):
            await change()
            await wait_for_delivery()
        lasts = []
        used = _cpu_seconds(pid)
        for _ in range(ROUNDS):
            started = time.perf_counter()
            await change()
            lasts.append(await wait_for_delivery() - started)
        cpu_per_delivery = (_cpu_seconds(pid) - used) / ROUNDS / len(pages)
        used = _cpu_seconds(pid)
        await asyncio.sleep(idle_seconds)
        idle = (_cpu_seconds(pid) - used) / idle_seconds if idle_seconds else 0.0
    return Measured(len(pages), open_seconds, cpu_per_open, memory, statistics.median(lasts), cpu_per_delivery), idle


@asynccontextmanager
async def _clients(
    port: int, pages: Sequence[tuple[str, dict[str, str]]]
) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """Opens the pages in a process of their own; what it yields waits for the moment when all were told once more.

    The first answer is how many seconds it took to open them.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.open_clients",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - pipes were asked for
    stdin, stdout = process.stdin, process.stdout
    started = time.perf_counter()
    stdin.write(json.dumps({"port": port, "query": QUERY, "pages": pages}).encode() + b"\n")
    await stdin.drain()
    opened = False

    async def wait_for_delivery() -> float:
        nonlocal opened
        line = await stdout.readline()
        if not line:
            raise RuntimeError("the pages are gone")
        moment, earlier, opened = float(line), opened, True
        return moment if earlier else moment - started

    try:
        yield wait_for_delivery
    finally:
        stdin.close()
        if process.returncode is None:
            process.kill()
        await process.wait()


def _cpu_seconds(pid: int) -> float:
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)
