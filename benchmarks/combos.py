"""Measure combos: the time from createComboTag to ACTIVE, and refreshes by the share of changed blocks.

Refreshes are compared with that in which all blocks have changed.
"""

import json
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.harness import Table, speedup
from benchmarks.machine import BENCHMARK_SECRET, ROBOT, Machine
from benchmarks.programs import web_process
from service.auth.tokens import sign_token
from service.domain.combos.activation import rescue_combos
from service.domain.combos.editing import NewCombo, create_combo
from service.domain.combos.expressions import to_draft
from service.domain.combos.refresh import refresh_combos
from service.domain.verification.channel import verify_channel
from service.entities.expressions import Expression, all_of, any_of, difference, tag
from service.entities.ids import channel_gid, tag_gid
from service.entities.principal import Role
from service.entities.tags import DefaultTagRule
from service.foundation.settings import Settings

CREATIONS: Final = 15
COMBOS: Final = 50
SHARES: Final = (0.0, 0.001, 0.01, 0.1, 0.5, 1.0)
CREATE: Final = "mutation($input: CreateComboTagInput!) { createComboTag(input: $input) { tag { id state } } }"
PANEL: Final = "subscription($id: ID!) { tagEvents(channelId: $id) { kind tagId tag { state memberCount } } }"
# One user of each of these blocks gains or loses Opened, with the counts and versions that any writer leaves; the log
# of before counts as pruned.
CHANGE: Final = """
with changed as (
    update tag_members set members = set_bit(members, 7, 1 - get_bit(members, 7))
    where channel_id = $1 and tag_id = 3 and block = any($2::int[])
    returning block, get_bit(members, 7) as has
),
counted as (
    update tag_member_count c set members = c.members + 2 * n.has - 1
    from changed n where c.channel_id = $1 and c.tag_id = 3 and c.block = n.block
)
update block_head h set version = h.version + 1, base_version = h.version + 1
from changed n where h.channel_id = $1 and h.block = n.block
"""
BLOCKS: Final = "select array_agg(block order by block) from block_head where channel_id = $1"

NEW, OLD, OPENED, NOT_OPENED = map(tag, (DefaultTagRule.NEW_USER, DefaultTagRule.OLD_USER, DefaultTagRule.OPENED, 4))
TOUCHABLE = tag(DefaultTagRule.TOUCHABLE)


@dataclass(frozen=True, slots=True)
class PanelClient:
    """Hold an HTTP client, and a socket on which the feed of the tag panel is open."""

    http: httpx.AsyncClient
    url: str
    socket: ClientConnection


async def measure(machine: Machine) -> list[Table]:
    """Measure creations and refreshes."""
    return [await _creations(machine), await _refreshes(machine)]


async def _creations(machine: Machine) -> Table:
    expression = difference(all_of(OLD, OPENED), TOUCHABLE)
    async with web_process(machine) as web, _panel_client(machine, web.port) as client:
        taken = [await _create(machine, client, f"Measured {n}", expression) for n in range(CREATIONS)]
    table = Table(
        "From createComboTag to ACTIVE",
        "(Old user ∩ Opened) − Touchable, from sending the mutation until STATE_CHANGED arrives on an open "
        "`tagEvents`: every block is computed, logged and committed by then. One web process; the aim is 300 ms.",
    )
    count = taken[-1][1]
    table.add("median", statistics.median(each for each, _ in taken) * 1000, "ms", "", f"{count:,} members")
    table.add("slowest", max(each for each, _ in taken) * 1000, "ms", "", f"of {CREATIONS}")
    return table


@asynccontextmanager
async def _panel_client(machine: Machine, port: int) -> "AsyncIterator[PanelClient]":
    settings = Settings(jwt_secret=BENCHMARK_SECRET)
    token = sign_token(settings, robot=ROBOT, role=Role.ADMIN, subject="bench", ttl=timedelta(hours=1))
    bearer = {"Authorization": f"Bearer {token}"}
    url = f"127.0.0.1:{port}/graphql"
    async with (
        httpx.AsyncClient(headers=bearer, trust_env=False, timeout=60) as http,
        connect(f"ws://{url}", subprotocols=["graphql-transport-ws"], proxy=None) as socket,  # type: ignore[list-item]
    ):
        await socket.send(json.dumps({"type": "connection_init", "payload": bearer}))
        await socket.recv()
        variables = {"id": channel_gid(machine.channel.channel_id)}
        await socket.send(
            json.dumps({"id": "1", "type": "subscribe", "payload": {"query": PANEL, "variables": variables}})
        )
        yield PanelClient(http, f"http://{url}", socket)


async def _create(machine: Machine, client: "PanelClient", name: str, expression: Expression) -> tuple[float, int]:
    """Create a combo; returns the seconds until it was ACTIVE, and its members."""
    channel_id = machine.channel.channel_id
    given = {
        "channelId": channel_gid(channel_id),
        "name": name,
        "expression": _expression_input(channel_id, expression),
    }
    started = time.perf_counter()
    answer = (await client.http.post(client.url, json={"query": CREATE, "variables": {"input": given}})).json()
    wanted = answer["data"]["createComboTag"]["tag"]["id"]
    while True:
        event = json.loads(await client.socket.recv())["payload"]["data"]["tagEvents"]
        if (event["kind"], event["tagId"]) == ("STATE_CHANGED", wanted) and event["tag"]["state"] == "ACTIVE":
            return time.perf_counter() - started, event["tag"]["memberCount"]


def _expression_input(channel_id: int, expression: Expression) -> dict[str, Any]:
    """Return the expression as clients write it."""
    match expression.operator:
        case "TAG":
            return {"tag": tag_gid(channel_id, expression.tag_id)}
        case "EXCEPT":
            keep, remove = (_expression_input(channel_id, each) for each in expression.operands)
            return {"except": {"from": keep, "remove": remove}}
        case operator:
            return {operator.lower(): [_expression_input(channel_id, each) for each in expression.operands]}


async def _refreshes(machine: Machine) -> Table:
    channel_id = machine.channel.channel_id
    previous = OPENED
    for number in range(COMBOS):
        expression = (all_of, any_of, difference)[number % 3](previous, (NEW, OLD, TOUCHABLE, NOT_OPENED)[number % 4])
        new = NewCombo("Measured", f"Refreshed {number}", None, to_draft(channel_id, expression))
        _, made = await create_combo(machine.runtime, machine.principal, channel_id, new)
        previous = tag(made.tag_id) if number % 5 else OPENED
    await rescue_combos(machine.runtime, channel_id)
    blocks: Sequence[int] = await machine.admin.fetchval(BLOCKS, channel_id)
    await refresh_combos(machine.runtime, channel_id)
    taken = {}
    for share in SHARES:
        changing = blocks[: round(len(blocks) * share)]
        rounds = []
        for _ in range(3):
            await machine.admin.execute(CHANGE, channel_id, changing)
            started = time.perf_counter()
            await refresh_combos(machine.runtime, channel_id)
            rounds.append(time.perf_counter() - started)
        taken[share] = (statistics.median(rounds), len(changing))
    table = Table(
        f"What a refresh of {COMBOS} combos costs by the share of changed blocks",
        "Combos of tags and of combos. In each changed block one user gained or lost a tag since the last refresh.",
    )
    for share, (seconds, changed) in taken.items():
        each = f"{changed:,} blocks" + (f", {seconds / changed * 1000:.1f} ms each" if changed else "")
        table.add(f"{share:.1%}", seconds * 1000, "ms", speedup(seconds, taken[1.0][0]), each)
    report = await verify_channel(machine.runtime, machine.channel, repair=False)
    if report.wrong_combos or report.wrong_counts:
        raise RuntimeError(f"the refreshes left differences: {report}")
    return table
