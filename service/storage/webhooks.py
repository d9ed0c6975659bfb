"""Store webhook endpoints, and how far each has been told of each channel."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import asyncpg

from service.entities.change_feed import WHOLE_ENTRY, FeedEventType, FeedPosition
from service.entities.tags import TagKey
from service.entities.webhooks import (
    DeliveryKey,
    DeliveryKind,
    SigningSecrets,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookError,
    WebhookPosition,
    WebhookSwitch,
)
from service.storage import change_feed
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class EndpointSettings(NamedTuple):
    """Hold what the owner of an endpoint decides; None are all channels, or all tags."""

    url: str
    description: str | None
    channel_ids: tuple[int, ...] | None
    events: tuple[FeedEventType, ...]
    tag_keys: tuple[TagKey, ...] | None

    @property
    def row(self) -> tuple[object, ...]:
        """Return the values of its columns, in their order."""
        tags = self.tag_keys
        tag_columns = (
            (None, None) if tags is None else ([each.channel_id for each in tags], [each.tag_id for each in tags])
        )
        return (self.url, self.description, self.channel_ids, [each.value for each in self.events], *tag_columns)


async def insert_endpoint(
    conn: Connection,
    robot_id: str,
    settings: EndpointSettings,
    secrets: SigningSecrets,
    public_key: str,
    *,
    now: datetime,
    created_by: str,
) -> WebhookEndpoint:
    """Make an endpoint of a robot, which the caller has locked, and return it."""
    signing = (secrets.secret, secrets.signing_key, public_key)
    row = await conn.fetchrow(STATEMENTS["insert_webhook_endpoint"], robot_id, *settings.row, *signing, now, created_by)
    return endpoint_of(_require_row(row))


async def endpoints_of_robot(conn: Connection, robot_id: str) -> list[WebhookEndpoint]:
    """Return the endpoints of a robot, the oldest first."""
    return [endpoint_of(row) for row in await conn.fetch(STATEMENTS["webhook_endpoints_of_robot"], robot_id)]


async def endpoint_of_robot(conn: Connection, robot_id: str, endpoint_id: int) -> WebhookEndpoint | None:
    """Return an endpoint, or None if it is not the robot's."""
    row = await conn.fetchrow(STATEMENTS["webhook_endpoint_of_robot"], robot_id, endpoint_id)
    return None if row is None else endpoint_of(row)


async def update_endpoint(
    conn: Connection, known: WebhookEndpoint, settings: EndpointSettings, switch: WebhookSwitch, reason: str | None
) -> WebhookEndpoint | None:
    """Change an endpoint and return it; None, and nothing changed, if it is no longer as it was known."""
    row = await conn.fetchrow(
        STATEMENTS["update_webhook_endpoint"], known.endpoint_id, known.version, *settings.row, switch, reason
    )
    return None if row is None else endpoint_of(row)


async def rotate_secrets(
    conn: Connection, endpoint_id: int, secrets: SigningSecrets, public_key: str, former_until: datetime
) -> WebhookEndpoint:
    """Replace the secrets of an endpoint; the present ones sign beside the new until `former_until`."""
    row = await conn.fetchrow(
        STATEMENTS["rotate_webhook_secrets"], endpoint_id, secrets.secret, secrets.signing_key, public_key, former_until
    )
    return endpoint_of(_require_row(row))


async def delete_endpoint(conn: Connection, endpoint_id: int) -> None:
    """Delete an endpoint, whose robot the caller has locked; its positions are deleted apart from it."""
    await conn.execute(STATEMENTS["delete_webhook_endpoint"], endpoint_id)


async def follow_channel(conn: Connection, channel_id: int, endpoint_id: int, now: datetime) -> None:
    """Let an endpoint be told of what happens in a channel from now on; where it was told before, it goes on.

    The feed of the channel begins if it has none. Raises LookupError if there is no such channel.
    """
    await change_feed.open_feed(conn, channel_id, now)
    state = await change_feed.feed_state(conn, channel_id)
    if state is None:
        raise LookupError("a feed that was just opened is missing")
    position = FeedPosition(state.last_seq, WHOLE_ENTRY)
    await conn.execute(STATEMENTS["insert_webhook_position"], channel_id, endpoint_id, *position, now)


async def follow_new_channel(conn: Connection, robot_id: str, channel_id: int, now: datetime) -> None:
    """Let the endpoints of a robot that are told of all channels be told of one that is bound for the first time."""
    for endpoint in await endpoints_of_robot(conn, robot_id):
        if endpoint.channel_ids is None:
            await follow_channel(conn, channel_id, endpoint.endpoint_id, now)


async def delete_position(conn: Connection, channel_id: int, endpoint_id: int) -> None:
    """Let an endpoint follow a channel no longer."""
    await conn.execute(STATEMENTS["delete_webhook_position"], channel_id, endpoint_id)


async def retry_position(conn: Connection, channel_id: int, endpoint_id: int, now: datetime) -> None:
    """Let what an endpoint was not told of a channel be tried at once."""
    await conn.execute(STATEMENTS["retry_webhook_position"], channel_id, endpoint_id, now)


async def move_position(
    conn: Connection, channel_id: int, endpoint_id: int, position: FeedPosition, *, at: datetime, missed: bool
) -> None:
    """Let an endpoint be told of a channel from another position on; a delivery that is under way is given up."""
    await conn.execute(STATEMENTS["give_up_webhook_delivery"], channel_id, endpoint_id)
    await conn.execute(STATEMENTS["move_webhook_position"], channel_id, endpoint_id, *position, at, missed)


async def positions_of_channel(
    conn: Connection, channel_id: int, endpoint_ids: Collection[int]
) -> list[WebhookPosition]:
    """Return how far endpoints have been told of a channel, by the order of their ids."""
    return [_position(row) for row in await conn.fetch(STATEMENTS["webhook_positions"], channel_id, endpoint_ids)]


async def deliveries_before(
    conn: Connection, channel_id: int, endpoint_id: int, at: datetime, delivery_id: int, *, limit: int
) -> list[WebhookDelivery]:
    """Return at most `limit` deliveries from before an instant, or of that instant and below a number, newest first."""
    rows = await conn.fetch(STATEMENTS["webhook_deliveries"], channel_id, endpoint_id, at, delivery_id, limit)
    return [delivery_of(row) for row in rows]


async def delivery(conn: Connection, key: DeliveryKey) -> WebhookDelivery | None:
    """Return a delivery, or None if there is no such."""
    row = await conn.fetchrow(STATEMENTS["webhook_delivery"], *key)
    return None if row is None else delivery_of(row)


async def count_waiting_singles(conn: Connection, channel_id: int, endpoint_id: int) -> int:
    """Return how many deliveries of a channel wait to be sent to an endpoint by themselves."""
    return int(await conn.fetchval(STATEMENTS["count_waiting_single_deliveries"], channel_id, endpoint_id))


async def insert_trial(
    conn: Connection, channel_id: int, endpoint_id: int, message_id: str, now: datetime
) -> WebhookDelivery:
    """Store a trial for an endpoint that has a position in the channel, to be sent at once, and return it."""
    row = await conn.fetchrow(STATEMENTS["insert_webhook_trial"], channel_id, endpoint_id, message_id, now)
    return delivery_of(_require_row(row))


async def resend_delivery(conn: Connection, key: DeliveryKey, now: datetime) -> WebhookDelivery:
    """Let a delivery be sent again at once, and return it."""
    return delivery_of(_require_row(await conn.fetchrow(STATEMENTS["resend_webhook_delivery"], *key, now)))


def _require_row(row: asyncpg.Record | None) -> asyncpg.Record:
    if row is None:
        raise LookupError("a row that must be there is missing")
    return row


def endpoint_of(row: asyncpg.Record) -> WebhookEndpoint:
    """Return the endpoint of a row."""
    tags = None
    if row["tag_ids"] is not None:
        tags = tuple(map(TagKey, row["tag_channel_ids"], row["tag_ids"]))
    former = None
    if row["former_secret"] is not None:
        former = SigningSecrets(row["former_secret"], row["former_signing_key"])
    return WebhookEndpoint(
        endpoint_id=row["endpoint_id"],
        robot_id=row["robot_id"],
        url=row["url"],
        description=row["description"],
        channel_ids=None if row["channel_ids"] is None else tuple(row["channel_ids"]),
        events=tuple(map(FeedEventType, row["events"])),
        tag_keys=tags,
        switch=WebhookSwitch(row["state"]),
        reason=row["reason"],
        secrets=SigningSecrets(row["secret"], row["signing_key"]),
        public_key=row["public_key"],
        former=former,
        former_until=row["former_until"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        version=row["version"],
    )


def _position(row: asyncpg.Record) -> WebhookPosition:
    return WebhookPosition(
        channel_id=row["channel_id"],
        endpoint_id=row["endpoint_id"],
        position=FeedPosition(row["seq"], row["version"], row["user_offset"]),
        at=row["at"],
        missed=row["missed"],
        delivery_id=row["delivery_id"],
        failing_since=row["failing_since"],
        reason=row["reason"],
        last_success_at=row["last_success_at"],
        waiting_since=None if row["waiting_seq"] is None else change_feed.instant_of(row["waiting_seq"]),
    )


def delivery_of(row: asyncpg.Record) -> WebhookDelivery:
    """Return the delivery of a row."""
    return WebhookDelivery(
        channel_id=row["channel_id"],
        endpoint_id=row["endpoint_id"],
        delivery_id=row["delivery_id"],
        message_id=row["message_id"],
        kind=DeliveryKind(row["kind"]),
        events=row["events"],
        created_at=row["created_at"],
        attempts=row["attempts"],
        status=row["status"],
        error=None if row["error"] is None else WebhookError(row["error"]),
        answer=row["answer"],
        next_attempt_at=row["next_attempt_at"],
        delivered_at=row["delivered_at"],
    )
