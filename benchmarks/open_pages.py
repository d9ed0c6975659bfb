"""Compare open conversation pages with those of plain Strawberry and of graphql-ws on Node.js.

Compared are memory, CPU, and how soon a change that concerns all pages has reached the last of them.
"""

import asyncio
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeAlias

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
    """Hold what one server took: seconds until all pages were open and until the last had an event, CPU seconds for
    each page opened and each delivery, bytes for each page, and the share of a core while nothing happened.
    """

    pages: int
    open_seconds: float
    cpu_per_open: float
    memory: float
    delivery_seconds: float
    cpu_per_delivery: float
    idle: float


Value: TypeAlias = Callable[[Measured], float]
Note: TypeAlias = Callable[[Measured], str]


async def measure(machine: Machine) -> list[Table]:
    """Measure our pages and those of the peers, one server after the other."""
    # Clients and peers inherit the limit.
    raise_file_descriptor_limit()
    async with web_process(machine) as web:
        ours = await _ours(machine, web.port, web.pid)
    plain = [sys.executable, "-m", "benchmarks.peers.plain_strawberry"]
    peers = {"plain Strawberry": await _peer(plain, warm_up=2)}
    node = shutil.which("node")
    if node is None or not MODULES.with_name("node_modules").exists():
        print("[graphql-ws is left out: there is no Node.js, or `npm ci` was not run in examples/live]", flush=True)
    else:
        # More rounds, since a just-in-time compiler needs them.
        peers["graphql-ws on Node.js"] = await _peer([node, str(PEERS / "graphql_ws.mjs")], warm_up=20)
    return [_table(ours, peers)]


def _table(ours: Measured, peers: Mapping[str, Measured]) -> Table:
    table = Table(
        f"{ours.pages:,} open pages on one web process",
        "Two tags are renamed, of which everybody has one: from before the commit until the last page has been told. "
        "The peers have as many pages of the same clients and send events of the same size from their memory, without "
        f"database, rights or cursors. Medians of {ROUNDS} rounds and means of CPU, after rounds that do not count.",
    )

    def add(what: str, what_of_peer: str, unit: str, value: Value, note: Note) -> None:
        table.add(what, value(ours), unit, "1 ×", note(ours))
        for name, peer in peers.items():
            table.add(what_of_peer.format(name), value(peer), unit, multiple(value(peer), value(ours)), note(peer))

    add("told to the last within", "told by {} within", "s", lambda each: each.delivery_seconds, _delivery_rate)
    add("CPU of the web process", "CPU of {}", "µs/delivery", lambda each: each.cpu_per_delivery * 1e6, _no_note)
    add("memory", "memory of {}", "KiB/page", lambda each: each.memory / KIB, _no_note)
    add("all pages opened in", "opened by {} in", "s", lambda each: each.open_seconds, _cpu_per_open)
    note = f"{ours.idle * 100:.2f} % of a core, over {IDLE_SECONDS:.0f} s"
    table.add("CPU of an hour in which nothing happens", ours.idle * HOUR.total_seconds(), "s", "", note)
    return table


def _delivery_rate(measured: Measured) -> str:
    return f"{measured.pages / measured.delivery_seconds:,.0f} deliveries/s"


def _cpu_per_open(measured: Measured) -> str:
    return f"{measured.cpu_per_open * 1e3:.2f} ms of CPU each"


def _no_note(_measured: Measured) -> str:
    return ""


async def _ours(machine: Machine, port: int, pid: int) -> Measured:
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
                    conn, before, edits, cause=ChangeCause.TAG_EDITED, now=machine.clock()
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

        return await _measured(port, process.pid, pages, send_event, warm_up=warm_up)
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
) -> Measured:
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
    return Measured(len(pages), open_seconds, cpu_per_open, memory, statistics.median(lasts), cpu_per_delivery, idle)


@asynccontextmanager
async def _clients(
    port: int, pages: Sequence[tuple[str, dict[str, str]]]
) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """Open the pages in a process of their own, and yield a function that waits until all have one more event.

    The first call returns how many seconds it took to open the pages, each later one the `perf_counter` of the last
    delivery. Raises RuntimeError if a page was closed.
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
            raise RuntimeError("a page was closed")
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
