"""Measure what good clients notice while the worst requests arrive that we know, from three connections."""

import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import httpx

from benchmarks.attacks import (
    Answers,
    Tenant,
    bind_tenant,
    largest_requests,
    oversized_requests,
    requests_of_strangers,
    sending,
)
from benchmarks.harness import Table, multiple
from benchmarks.machine import BENCHMARK_SECRET, ROBOT, Machine
from benchmarks.programs import Web, web_process
from benchmarks.queries import QUERY, people, run_load_process
from service.auth.tokens import sign_token
from service.entities.ids import channel_gid
from service.entities.principal import Role
from service.foundation.settings import Settings

GOOD_CONNECTIONS: Final = 8
WARM_UP: Final = 3.0
SECONDS: Final = 4.0
ROUNDS: Final = 3
PATIENCE: Final = 120.0
ATTACKS: Final[dict[str, Callable[[Tenant], Iterator[bytes]]]] = {
    "strangers": requests_of_strangers,
    "a tenant beyond the limits": oversized_requests,
    "a tenant at the limits": largest_requests,
}


@dataclass(slots=True)
class Rounds:
    """Hold the good clients' requests per second and their p99 in seconds, undisturbed and disturbed in turns."""

    calm: list[float] = field(default_factory=list)
    calm_p99: list[float] = field(default_factory=list)
    disturbed: list[float] = field(default_factory=list)
    disturbed_p99: list[float] = field(default_factory=list)
    answers: Answers = field(default_factory=Answers)


async def measure(machine: Machine) -> list[Table]:
    """Measure each kind of attack in turns with undisturbed rounds, on one web process."""
    table = Table(
        "Good clients while the worst requests arrive",
        f"`user {{ tags }}` over {GOOD_CONNECTIONS} connections, one web process, while another robot's clients send "
        "the worst requests we know over three connections, each its next one when the last was answered and at most "
        "five a second: up to 3 MB each, without a token or with a forged one; with a valid token, texts and lists far "
        "beyond the limits and documents that are dear to validate, never the same twice; and what may be as large: "
        f"10,000 events, 10,000 malformed openids. Medians of {ROUNDS} rounds in turns. The aim is 0.8.",
    )
    # The rate limit of the good clients is for people, not for a load generator.
    async with web_process(machine, extra_environment={"USER_TAGS_OPERATIONS_PER_SECOND": "100000"}) as web:
        load = await _good_load(machine, web)
        tenant = await bind_tenant(web.port, _token("hostile", Role.ADMIN))
        await run_load_process({**load, "seconds": WARM_UP})
        for name, attack in ATTACKS.items():
            rounds = await _rounds(web, load, attack(tenant))
            calm, disturbed = statistics.median(rounds.calm), statistics.median(rounds.disturbed)
            p99, p99_calm = statistics.median(rounds.disturbed_p99), statistics.median(rounds.calm_p99)
            note = f"p99 {p99 * 1000:.1f} ms against {p99_calm * 1000:.1f} ms; answered {rounds.answers.text()}"
            table.add(f"undisturbed, beside {name}", calm, "requests/s", "1 ×", "the limit")
            table.add(name, disturbed, "requests/s", multiple(disturbed, calm), note)
    return [table]


async def _rounds(web: Web, load: dict[str, object], requests: Iterator[bytes]) -> Rounds:
    rounds = Rounds()
    for _ in range(ROUNDS):
        calm = await run_load_process(load)
        rounds.calm.append(calm["count"] / calm["seconds"])
        rounds.calm_p99.append(calm["p99"])
        async with AsyncExitStack() as stack:
            rounds.answers = await stack.enter_async_context(sending(web.port, requests))
            disturbed = await run_load_process(load)
        rounds.disturbed.append(disturbed["count"] / disturbed["seconds"])
        rounds.disturbed_p99.append(disturbed["p99"])
        await _wait_until_calm(web)
    return rounds


async def _wait_until_calm(web: Web) -> None:
    """Return when the server is through with what the attack has left behind."""
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        for _ in range(3):
            (await client.get(f"http://127.0.0.1:{web.port}/healthz")).raise_for_status()


async def _good_load(machine: Machine, web: Web) -> dict[str, object]:
    channel = channel_gid(machine.channel.channel_id)
    bodies = [
        json.dumps({"query": QUERY, "variables": {"channelId": channel, "openid": openid}})
        for openid in await people(machine)
    ]
    head = {
        "Authorization": f"Bearer {_token(ROBOT, Role.AGENT)}",
        "Content-Type": "application/json",
        "Accept": "application/json",
    }
    return {
        "port": web.port,
        "path": "/graphql",
        "head": head,
        "bodies": bodies,
        "connections": GOOD_CONNECTIONS,
        "seconds": SECONDS,
    }


def _token(robot: str, role: Role) -> str:
    return sign_token(
        Settings(jwt_secret=BENCHMARK_SECRET), robot=robot, role=role, subject="bench", ttl=timedelta(hours=1)
    )
