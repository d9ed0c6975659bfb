"""Manage webhook endpoints as an admin does, over HTTP, and deliver to them as a worker does."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson

from service.domain.change_feed.sequencing import sequence_channel
from service.domain.runtime import Runtime
from service.domain.webhooks.delivery.loop import Deliverer
from service.entities.ids import parse_channel_gid
from service.webhooks.client import WebhookClient
from tests.support.robot import Robot
from tests.support.web import GraphqlResponse, WebClient
from tests.support.worker import worker_runtime
from tests.webhooks.receiver import Receiver

# Public, and no name that would have to be resolved. Nothing is sent there: no worker runs.
URL: Final = "https://1.1.1.1/hooks"
ENDPOINT: Final = """
  id url description channels { id } events tags { id deletedAt } state reason secret publicKey formerSecretUntil
  createdAt lastSuccessAt lag positions { channel { id } cursor at lag missed }
"""
DELIVERY: Final = "id messageId kind channel { id } at attempts status error answer events nextAttemptAt deliveredAt"
CREATE: Final = f"""
mutation($input: CreateWebhookEndpointInput!) {{ createWebhookEndpoint(input: $input) {{ endpoint {{ {ENDPOINT} }} }} }}
"""
UPDATE: Final = f"""
mutation($input: UpdateWebhookEndpointInput!) {{ updateWebhookEndpoint(input: $input) {{ endpoint {{ {ENDPOINT} }} }} }}
"""
DELETE: Final = "mutation($id: ID!) { deleteWebhookEndpoint(id: $id) { deletedId } }"
ROTATE: Final = f"mutation($id: ID!) {{ rotateWebhookSecret(id: $id) {{ endpoint {{ {ENDPOINT} }} }} }}"
REPLAY: Final = f"""
mutation($id: ID!, $channelId: ID!, $since: DateTime, $cursor: String) {{
  replayWebhook(id: $id, channelId: $channelId, since: $since, cursor: $cursor) {{ endpoint {{ {ENDPOINT} }} }}
}}
"""
TEST: Final = f"mutation($id: ID!) {{ testWebhook(id: $id) {{ {DELIVERY} }} }}"
RESEND: Final = f"mutation($id: ID!) {{ resendWebhookDelivery(id: $id) {{ {DELIVERY} }} }}"
LIST: Final = f"{{ webhookEndpoints {{ {ENDPOINT} }} }}"
NODE: Final = f"query($id: ID!) {{ node(id: $id) {{ ... on WebhookEndpoint {{ {ENDPOINT} }} }} }}"
DELIVERIES: Final = f"""
query($id: ID!, $first: Int! = 20, $after: String) {{
  node(id: $id) {{
    ... on WebhookEndpoint {{
      deliveries(first: $first, after: $after) {{
        nodes {{ {DELIVERY} }} pageInfo {{ hasNextPage endCursor }}
      }}
    }}
  }}
}}
"""
Endpoint = dict[str, Any]


@dataclass(frozen=True)
class Webhooks:
    """Manage the endpoints of a robot."""

    robot: Robot

    async def try_create(self, /, role: str = "admin", **given: Any) -> GraphqlResponse:
        """Ask for an endpoint that is told when tags are made, unless other input is given."""
        return await self.robot.ask(CREATE, role, input={"url": URL, "events": ["TAG_CREATED"], **given})

    async def create(self, **given: Any) -> Endpoint:
        """Make an endpoint and return it."""
        return endpoint_in(await self.try_create(**given))

    async def try_update(self, endpoint_id: str, /, role: str = "admin", **given: Any) -> GraphqlResponse:
        """Ask for a change of an endpoint."""
        return await self.robot.ask(UPDATE, role, input={"id": endpoint_id, **given})

    async def update(self, endpoint_id: str, **given: Any) -> Endpoint:
        """Change an endpoint and return it."""
        return endpoint_in(await self.try_update(endpoint_id, **given))

    async def shown(self, endpoint_id: str) -> Endpoint:
        """Return an endpoint as it is."""
        found: Endpoint = (await self.robot.ask(NODE, id=endpoint_id))["node"]
        return found

    async def every(self) -> list[Endpoint]:
        """Return all endpoints."""
        found: list[Endpoint] = (await self.robot.ask(LIST))["webhookEndpoints"]
        return found

    async def test(self, endpoint_id: str) -> dict[str, Any]:
        """Ask for a trial and return the delivery."""
        delivery: dict[str, Any] = (await self.robot.ask(TEST, id=endpoint_id))["testWebhook"]
        return delivery

    async def deliveries(self, endpoint_id: str, **page: Any) -> dict[str, Any]:
        """Return a page of an endpoint's deliveries."""
        found: dict[str, Any] = (await self.robot.ask(DELIVERIES, id=endpoint_id, **page))["node"]["deliveries"]
        return found


def endpoint_in(answer: GraphqlResponse) -> Endpoint:
    """Return the endpoint that a mutation answers."""
    assert not answer.errors, answer.errors
    [payload] = answer.data.values()
    endpoint: Endpoint = payload["endpoint"]
    return endpoint


@dataclass(frozen=True)
class Postman:
    """Deliver what has happened when a test says so, beside a web process."""

    runtime: Runtime
    deliverer: Deliverer

    async def deliver(self, *channel_ids: str) -> None:
        """Number what happened in channels, and deliver whatever is due of any."""
        for channel_id in channel_ids:
            while await sequence_channel(self.runtime, parse_channel_gid(channel_id)):
                pass
        await self.deliverer.deliver_due()


@asynccontextmanager
async def postman(web: WebClient) -> AsyncGenerator[Postman]:
    """Open what a worker delivers with."""
    async with worker_runtime(web) as runtime:
        client = WebhookClient(runtime.settings.webhooks, runtime.clock)
        try:
            yield Postman(runtime, Deliverer(runtime, client))
        finally:
            await client.aclose()


def received_events(receiver: Receiver) -> list[dict[str, Any]]:
    """Return the events of all requests, in the order in which they came."""
    return [event for request in receiver.requests for event in orjson.loads(request.body)["events"]]
