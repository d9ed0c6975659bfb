"""Compare `user { tags { tag { id name category } } }` over HTTP with other GraphQL servers that run one statement."""

import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.harness import Table, multiple
from benchmarks.machine import BENCHMARK_SECRET, ROBOT, Machine
from benchmarks.programs import environment, free_port, wait_until_listening, web_process
from service.auth.tokens import sign_token
from service.entities.ids import channel_gid
from service.entities.principal import Role
from service.foundation.settings import Settings

PEERS: Final = Path(__file__).with_name("peers")
INSTALLED: Final = Path(__file__).with_name(".peers")
QUERY: Final = (
    "query Chips($channelId: ID!, $openid: String!) "
    "{ user(channelId: $channelId, openid: $openid) { tags { tag { id name category } } } }"
)
CONNECTIONS: Final = 32
WARM_UP: Final = 4.0
SECONDS: Final = 2.5
ROUNDS: Final = 3
PEOPLE: Final = 2_000
MORE_TAGS: Final = 92


@dataclass(slots=True)
class MeasuredServer:
    """Hold a running server, and the requests per second and CPU µs per request of its rounds."""

    name: str
    port: int
    pid: int
    path: str
    head: dict[str, str]
    channel: str
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    async def run_round(self, openids: list[str], seconds: float) -> None:
        """Send requests for some seconds and record the rates; raises RuntimeError if no tags come back."""
        bodies = [
            json.dumps({"query": QUERY, "variables": {"channelId": self.channel, "openid": openid}})
            for openid in openids
        ]
        load = {
            "port": self.port,
            "path": self.path,
            "head": {"Content-Type": "application/json", "Accept": "application/json", **self.head},
            "bodies": bodies,
            "connections": CONNECTIONS,
            "seconds": seconds,
        }
        before = self._cpu()
        answer = await run_load_process(load)
        self.cpu.append((self._cpu() - before) / answer["count"] * 1e6)
        self.rates.append(answer["count"] / answer["seconds"])
        shown = json.loads(answer["last"])["data"]["user"]["tags"]
        if not shown:
            raise RuntimeError(f"{self.name} shows no tags")

    def reset(self) -> None:
        """Forget the rounds so far."""
        self.rates.clear()
        self.cpu.clear()

    def _cpu(self) -> float:
        used = psutil.Process(self.pid).cpu_times()
        return used.user + used.system


async def measure(machine: Machine) -> list[Table]:
    """Measure the servers in turns, each after a few seconds of warming up."""
    await _add_tags(machine)
    openids = await people(machine)
    table = Table(
        "`user { tags { tag { id name category } } }` over HTTP",
        f"{8 + MORE_TAGS} tags in the channel, of which everybody has about half, {CONNECTIONS} connections, one "
        "process each. The other servers run one statement a request and check nothing; ours checks the token, the "
        "robot and the limits. "
        f"Medians of {ROUNDS} rounds in turns, after {WARM_UP:.0f} s of warming up.",
    )
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(_ours(machine))]
        for kind in ("plain Strawberry", "ariadne", "graphql-yoga", "mercurius", "mercurius-jit"):
            missing = _missing(kind)
            if missing:
                print(f"[{kind} is left out: {missing}]", flush=True)
            else:
                servers.append(await stack.enter_async_context(_peer(machine, kind)))
        for each in servers:
            await each.run_round(openids, WARM_UP)
            each.reset()
        for _ in range(ROUNDS):
            for each in servers:
                await each.run_round(openids, SECONDS)
    plain = statistics.median(servers[1].rates)
    for each in servers:
        rate, cpu = statistics.median(each.rates), statistics.median(each.cpu)
        table.add(each.name, rate, "requests/s", multiple(rate, plain), f"{cpu:,.0f} µs of its CPU a request")
    return [table]


async def _add_tags(machine: Machine) -> None:
    """Add tags of which every user has half."""
    channel_id = machine.channel.channel_id
    await machine.admin.execute(
        "insert into tag (channel_id, tag_id, kind, category, name, state, created_at, updated_at) "
        "select $1, n, 'AD', 'Category ' || n % 7, 'Tag ' || n, 'ACTIVE', now(), now() from generate_series(9, $2) n",
        channel_id,
        8 + MORE_TAGS,
    )
    await machine.admin.execute(
        "insert into tag_members (channel_id, block, tag_id, members) "
        "select h.channel_id, h.block, n, repeat(case n % 2 when 0 then '01' else '10' end, 16000)::bit(32000) "
        "from block_head h, generate_series(9, $2) n where h.channel_id = $1",
        channel_id,
        8 + MORE_TAGS,
    )
    await machine.admin.execute("vacuum (analyze)")


async def people(machine: Machine) -> list[str]:
    """Return openids of some who follow, and so have default tags too."""
    rows = await machine.admin.fetch(
        "select openid from channel_user where channel_id = $1 and unfollowed_at is null order by openid limit $2",
        machine.channel.channel_id,
        PEOPLE,
    )
    return [row["openid"] for row in rows]


@asynccontextmanager
async def _ours(machine: Machine) -> AsyncIterator[MeasuredServer]:
    token = sign_token(
        Settings(jwt_secret=BENCHMARK_SECRET), robot=ROBOT, role=Role.AGENT, subject="bench", ttl=timedelta(hours=1)
    )
    no_limit = {"USER_TAGS_OPERATIONS_PER_SECOND": "1000000"}
    async with web_process(machine, extra_environment=no_limit) as web:
        head = {"Authorization": f"Bearer {token}"}
        yield MeasuredServer("User Tags", web.port, web.pid, "/graphql", head, channel_gid(machine.channel.channel_id))


@asynccontextmanager
async def _peer(machine: Machine, kind: str) -> AsyncIterator[MeasuredServer]:
    port = free_port()
    if kind in {"plain Strawberry", "ariadne"}:
        command = [sys.executable, "-m", "benchmarks.peers.python_servers", kind, str(port)]
        path = "/graphql/"
    else:
        command = ["node", str(PEERS / "node_servers.mjs"), kind, str(port)]
        path = "/graphql"
    given = environment(machine) | {
        "NODE_ENV": "production",
        "PYTHONPATH": os.pathsep.join([str(PEERS.parent.parent), str(INSTALLED)]),
    }
    process = await asyncio.create_subprocess_exec(*command, env=given)
    try:
        await wait_until_listening(port)
        yield MeasuredServer(kind, port, process.pid, path, {}, str(machine.channel.channel_id))
    finally:
        process.terminate()
        await process.wait()


def _missing(kind: str) -> str | None:
    """Return why a server cannot be measured, or None."""
    if kind == "ariadne" and not (INSTALLED / "ariadne").exists():
        return "make bench-peers has not installed it"
    if kind in {"graphql-yoga", "mercurius", "mercurius-jit"}:
        if shutil.which("node") is None:
            return "there is no Node.js"
        if not (PEERS / "node_modules").exists():
            return "make bench-peers has not installed it"
    return None


async def run_load_process(load: dict[str, Any]) -> dict[str, Any]:
    """Run `benchmarks.http_load` in a process of its own, and return what it prints."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(load, file)
        file.flush()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.http_load", file.name, stdout=asyncio.subprocess.PIPE
        )
        written, _ = await process.communicate()
    answer: dict[str, Any] = json.loads(written)
    return answer
