"""Measure how fast an endpoint is told what waits for it, and how late it learns of what happens all the time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from benchmarks.harness import Table
from benchmarks.machine import ROBOT, Machine
from benchmarks.spent_time import spent_time
from benchmarks.webhook_receiver import ReceivingProgram, receiving_program
from service.domain.change_feed.keeper import FeedKeeper
from service.domain.change_feed.sequencing import sequence_channel
from service.domain.channels.binding import ChannelDetails, Credentials, bind_channel
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.webhooks.delivery.loop import Deliverer
from service.domain.webhooks.endpoints.secrets import new_secrets
from service.entities.change_feed import FeedEventType
from service.entities.channels import Channel, ChannelKind
from service.entities.users import EventKind, UserEvent
from service.foundation.clock import system_clock
from service.foundation.settings import WebhookCalls
from service.storage import webhooks
from service.storage.webhooks import EndpointSettings
from service.valkey.connection import open_valkey
from service.valkey.notifications import ValkeyPublisher
from service.webhooks.client import WebhookClient
from service.worker.resident_loops import loops_running

BACKLOG: Final = 50_000
BATCH: Final = 100
CHANGES_PER_SECOND: Final = 1_000
SECONDS: Final = 20
# Seconds.
WARM_UP: Final = 5
CLOSING_TIME: Final = 5.0


async def measure(machine: Machine) -> list[Table]:
    """Measure a backlog, then changes that happen all the time."""
    table = Table(
        "Webhooks to one endpoint",
        "People who follow, each of whom is an event; bodies of at most 20 kB, signed twice, one delivery at a time. "
        "The receiver is a process beside. Own time is what this process and PostgreSQL spent on the processors. The "
        "aim is 10,000 changes a second at less than 50 µs of own time in Python each, and at "
        f"{CHANGES_PER_SECOND:,} a second 99 % told within 2 s.",
    )
    async with _runtime(machine) as runtime, receiving_program() as receiver:
        channel = await _followed_channel(runtime, machine, receiver.url)
        await _backlog(machine, runtime, channel, receiver, table)
        await _steady(runtime, channel, receiver, table)
    return [table]


@asynccontextmanager
async def _runtime(machine: Machine) -> AsyncIterator[Runtime]:
    """Yield a runtime by the clock of the system, which notifies the worker of changes."""
    valkey = open_valkey(machine.redis_url, answer_timeout=2)
    publisher = ValkeyPublisher(valkey)
    calls = WebhookCalls(allow_private=True)
    settings = replace(machine.runtime.settings, redis_url=machine.redis_url, webhooks=calls)
    try:
        yield replace(machine.runtime, clock=system_clock, publisher=publisher, settings=settings)
    finally:
        await publisher.close()
        await valkey.aclose()


async def _followed_channel(runtime: Runtime, machine: Machine, url: str) -> Channel:
    """Bind a channel of its own, since in the loaded one days have passed by this clock, and let it be followed."""
    details = ChannelDetails(ChannelKind.SERVICE_ACCOUNT, "wxbenchmark0000003", "Followed", True, Credentials())
    channel = await bind_channel(runtime, machine.principal, details)
    channel_id, now = channel.channel_id, runtime.clock()
    settings = EndpointSettings(url, None, (channel_id,), tuple(FeedEventType), None)
    async with runtime.pool.acquire() as conn, conn.transaction():
        made = new_secrets(runtime.secret_box)
        endpoint = await webhooks.insert_endpoint(conn, ROBOT, settings, *made, now=now, created_by="bench")
        await webhooks.follow_channel(conn, channel_id, endpoint.endpoint_id, now)
    return channel


async def _backlog(
    machine: Machine, runtime: Runtime, channel: Channel, receiver: ReceivingProgram, table: Table
) -> None:
    for number in range(0, BACKLOG, BATCH):
        await _change(runtime, channel, f"backlog-{number}")
    await sequence_channel(runtime, channel.channel_id)
    client = WebhookClient(runtime.settings.webhooks, runtime.clock)
    try:
        async with spent_time(machine, receiver.pid) as spent:
            await Deliverer(runtime, client).deliver_due()
    finally:
        await client.aclose()
    arrived = await receiver.arrived(1)
    if arrived.events != BACKLOG:
        raise RuntimeError(f"of {BACKLOG:,} events {arrived.events:,} arrived")
    python, database = spent.own / BACKLOG * 1e6, spent.database / BACKLOG * 1e6
    each = f"{python:.1f} µs of own time a change in Python, {database:.1f} µs in PostgreSQL"
    table.add("a backlog is told", BACKLOG / spent.wall, "changes/s", "", each)
    events = f"{arrived.events / arrived.deliveries:.0f} events each"
    table.add("a delivery", spent.wall / arrived.deliveries * 1e3, "ms", "", events)


async def _steady(runtime: Runtime, channel: Channel, receiver: ReceivingProgram, table: Table) -> None:
    client = WebhookClient(runtime.settings.webhooks, runtime.clock)
    valkey = open_valkey(runtime.settings.redis_url or "", answer_timeout=2)
    deliverer = Deliverer(runtime, client)
    keeper = FeedKeeper(runtime, valkey, on_appended=deliverer.wake)
    async with loops_running({"feeds": keeper.run, "webhooks": deliverer.run}):
        before = (await receiver.arrived(1)).events
        for name, seconds in (("warm", WARM_UP), ("steady", SECONDS)):
            await _change_steadily(runtime, channel, name, seconds)
            before += seconds * CHANGES_PER_SECOND
            arrived = await receiver.arrived(1)
            while arrived.events < before:
                await asyncio.sleep(0.1)
                arrived = await receiver.arrived(SECONDS * CHANGES_PER_SECOND)
    await runtime.shielded.drain(CLOSING_TIME)
    await client.aclose()
    await valkey.aclose()
    table.add(f"{CHANGES_PER_SECOND:,} changes a second, half told within", arrived.median * 1e3, "ms")
    table.add("99 % told within", arrived.p99 * 1e3, "ms")


async def _change_steadily(runtime: Runtime, channel: Channel, name: str, seconds: int) -> None:
    started = time.perf_counter()
    for number in range(seconds * CHANGES_PER_SECOND // BATCH):
        await _change(runtime, channel, f"{name}-{number}")
        ahead = started + (number + 1) * BATCH / CHANGES_PER_SECOND - time.perf_counter()
        await asyncio.sleep(max(ahead, 0))


async def _change(runtime: Runtime, channel: Channel, name: str) -> None:
    now = runtime.clock()
    people = [UserEvent(f"o-{name}-{number}", EventKind.FOLLOW, now) for number in range(BATCH)]
    await record_events(runtime, channel, people)
