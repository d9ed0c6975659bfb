"""Deliver to a real receiver from one process, whose feeds are numbered when a test says so."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from standardwebhooks.webhooks import Webhook

from service.domain.change_feed.sequencing import sequence_channel
from service.domain.runtime import Runtime
from service.domain.webhooks.delivery.loop import Deliverer
from service.domain.webhooks.endpoints.secrets import new_secrets
from service.entities.change_feed import FeedEventType, FeedPosition
from service.entities.channels import Channel
from service.entities.webhooks import WebhookDelivery, WebhookEndpoint, WebhookPosition
from service.foundation.settings import Settings, WebhookCalls
from service.storage import webhooks
from service.storage.webhooks import EndpointSettings
from service.webhooks.client import WebhookClient
from service.webhooks.names import NameResolver
from tests.support.clock import FrozenClock
from tests.support.runtime import open_runtime
from tests.webhooks.receiver import Receiver, Request, receiver

CALLS = WebhookCalls(allow_private=True, call_within=timedelta(seconds=2), connect_within=timedelta(seconds=1))


def http(status: int, *headers: str) -> bytes:
    """Return an answer with a status and without a body."""
    return "\r\n".join([f"HTTP/1.1 {status} Such", "Content-Length: 0", *headers, "", ""]).encode()


@dataclass
class Office:
    """Hold what delivers, and what it delivers to."""

    runtime: Runtime
    clock: FrozenClock
    deliverer: Deliverer
    receiving: Receiver
    endpoints: list[WebhookEndpoint] = field(default_factory=list)
    may_call: bool = True

    @property
    def url(self) -> str:
        """Return the address of the receiver."""
        return f"http://127.0.0.1:{self.receiving.port}/hooks"

    async def follow(
        self,
        *channels: Channel,
        url: str | None = None,
        events: Sequence[FeedEventType] = tuple(FeedEventType),
        robot_id: str = "robot-1",
    ) -> WebhookEndpoint:
        """Make an endpoint that is told of channels from now on."""
        now = self.clock()
        channel_ids = tuple(channel.channel_id for channel in channels)
        settings = EndpointSettings(url or self.url, None, channel_ids, tuple(events), None)
        async with self.runtime.pool.acquire() as conn, conn.transaction():
            endpoint = await webhooks.insert_endpoint(
                conn, robot_id, settings, *new_secrets(self.runtime.secret_box), now=now, created_by="tests"
            )
            for channel_id in channel_ids:
                await webhooks.follow_channel(conn, channel_id, endpoint.endpoint_id, now)
        self.endpoints.append(endpoint)
        return endpoint

    async def deliver(self, *channels: Channel) -> list[dict[str, Any]]:
        """Number what happened, deliver what is due, and return the events that arrived meanwhile."""
        before = len(self.receiving.requests)
        for channel in channels:
            await sequence_channel(self.runtime, channel.channel_id)
        await self.deliverer.deliver_due()
        return [event for request in self.receiving.requests[before:] for event in events_of(request)]

    async def position(self, channel: Channel, endpoint: WebhookEndpoint | None = None) -> WebhookPosition:
        """Return how far an endpoint, by default the first, has been told."""
        endpoint_id = (endpoint or self.endpoints[0]).endpoint_id
        async with self.runtime.pool.acquire() as conn:
            [found] = await webhooks.positions_of_channel(conn, channel.channel_id, [endpoint_id])
        return found

    async def deliveries(self, channel: Channel, endpoint: WebhookEndpoint | None = None) -> list[WebhookDelivery]:
        """Return what was sent, the newest first."""
        endpoint_id = (endpoint or self.endpoints[0]).endpoint_id
        async with self.runtime.pool.acquire() as conn:
            return await webhooks.deliveries_before(
                conn, channel.channel_id, endpoint_id, datetime(9999, 1, 1, tzinfo=UTC), 0, limit=1_000
            )

    async def next_attempt(self, channel: Channel, endpoint: WebhookEndpoint | None = None) -> timedelta:
        """Return in how long the newest delivery is tried again."""
        [newest, *_] = await self.deliveries(channel, endpoint)
        assert newest.next_attempt_at is not None
        return newest.next_attempt_at - self.clock()

    async def wait_for_next_attempt(self, channel: Channel, endpoint: WebhookEndpoint | None = None) -> None:
        """Let time pass until the newest delivery is tried again."""
        self.clock.advance(await self.next_attempt(channel, endpoint))

    async def move(self, channel: Channel, position: FeedPosition) -> None:
        """Let the first endpoint be told again from a position on."""
        async with self.runtime.pool.acquire() as conn:
            await webhooks.move_position(
                conn, channel.channel_id, self.endpoints[0].endpoint_id, position, at=self.clock(), missed=False
            )

    def secret(self, endpoint: WebhookEndpoint | None = None) -> str:
        """Return what an endpoint checks signatures with."""
        return self.runtime.secret_box.decrypt((endpoint or self.endpoints[0]).secrets.secret)


@asynccontextmanager
async def open_office(database_url: str, clock: FrozenClock, *, calls: WebhookCalls = CALLS) -> AsyncIterator[Office]:
    """Open what delivers, in a process of its own, to one receiver that says yes."""
    async with open_runtime(database_url, clock, settings=replace(Settings(), webhooks=calls)) as runtime:
        client = WebhookClient(calls, clock, resolver=NameResolver(["127.0.0.1"], port=1))
        try:
            async with receiver() as receiving:
                office = Office(runtime, clock, Deliverer(runtime, client, may_call=lambda: office.may_call), receiving)
                yield office
        finally:
            await runtime.shielded.drain(5)
            await client.aclose()


def events_of(request: Request) -> list[dict[str, Any]]:
    """Return the events of a request."""
    found: list[dict[str, Any]] = orjson.loads(request.body)["events"]
    return found


def is_signed(request: Request, secret: str) -> bool:
    """Tell whether the reference implementation makes one of the signatures of a request, whatever the time is."""
    at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    expected = Webhook(secret).sign(request.headers["webhook-id"], at, request.body.decode())
    return expected in request.headers["webhook-signature"].split()
