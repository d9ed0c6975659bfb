"""Show webhook endpoints, how far each has been told, and what was delivered."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import MAX_CHANNELS, at_most, long_text
from service.api.types.channel import Channel
from service.api.types.connection import (
    Connection,
    Edge,
    bad_cursor_error,
    check_page_size,
    cursor_of_text,
    page,
    text_of_cursor,
)
from service.api.types.primitives import After, First, Node
from service.api.types.tag import Tag
from service.domain.change_feed.cursors import encode_cursor
from service.domain.webhooks.endpoints.checking import MAX_TAGS_PER_ENDPOINT
from service.domain.webhooks.endpoints.deliveries import (
    DELIVERY,
    FIRST_PLACE,
    DeliveryPlace,
    deliveries_page,
    find_delivery,
)
from service.domain.webhooks.endpoints.lookup import ENDPOINT, ToldEndpoint, find_told_endpoint, lag_of
from service.domain.webhooks.endpoints.secrets import decrypt_secret
from service.entities.change_feed import FeedEventType
from service.entities.errors import NotFoundError
from service.entities.ids import gid, parse_gid
from service.entities.webhooks import DeliveryKey, DeliveryKind, WebhookError, WebhookState
from service.entities.webhooks import WebhookDelivery as DeliveryEntity
from service.entities.webhooks import WebhookPosition as PositionEntity

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
CURSOR_PREFIX: Final = b"delivery:"
# Sixteen digits of microseconds reach into the year 2286.
CURSOR: Final = re.compile(CURSOR_PREFIX + rb"(\d{1,16}):(\d{1,18}):(\d{1,18})")
ENDPOINT_TYPE: Final = "WebhookEndpoint"
DELIVERY_TYPE: Final = "WebhookDelivery"


@strawberry.type(
    description="How far an endpoint has been told of one channel. For creators and admins (MANAGE_WEBHOOKS)."
)
class WebhookPosition:
    """Show how far an endpoint has been told of one channel, as of the instant at which it was read."""

    entity: strawberry.Private[PositionEntity]
    cursor: str = strawberry.field(
        description=(
            "Cursor of the last event that was acknowledged; `/feed/changes` and `replayWebhook` go on after it."
        )
    )
    at: datetime = strawberry.field(description="When that event happened; before the first, when following began.")
    lag: int = strawberry.field(
        description="For how many seconds the oldest event after the cursor has waited; 0 where none does."
    )
    missed: bool = strawberry.field(
        description=(
            "Whether the log no longer reaches back to the cursor: a `feed.reset` comes first, and then what follows "
            "it."
        )
    )

    @classmethod
    def of(cls, entity: PositionEntity, now: datetime) -> "WebhookPosition":
        """Return the object of a position as it was at an instant."""
        return cls(
            entity=entity,
            cursor=encode_cursor(entity.channel_id, entity.position),
            at=entity.at,
            lag=int(lag_of(entity, now).total_seconds()),
            missed=entity.missed,
        )

    @strawberry.field(description="The channel whose changes are told.")
    async def channel(self, info: Info) -> Channel:
        return await Channel.load(info, self.entity.channel_id)


@strawberry.type(
    description=(
        "Something that was sent to an endpoint, or is to be. Of people nothing is kept with it: its body is made "
        "again from the log for each attempt. For creators and admins (MANAGE_WEBHOOKS)."
    )
)
class WebhookDelivery(Node):
    """Show a delivery and what became of its last attempt."""

    entity: strawberry.Private[DeliveryEntity]
    message_id: str = strawberry.field(description="The header `webhook-id`, the same for each attempt.")
    kind: DeliveryKind = strawberry.field(description="What the delivery holds.")
    at: datetime = strawberry.field(description="When the delivery was made up, before its first attempt.")
    events: int = strawberry.field(description="How many events the delivery holds.")
    attempts: int = strawberry.field(description="How many attempts were made so far.")
    status: int | None = strawberry.field(description="HTTP status of the last answer; null where there was none.")
    error: WebhookError | None = strawberry.field(
        description="Why the last attempt failed; null if it succeeded, and before the first."
    )
    answer: str | None = strawberry.field(
        description="Body of the last answer: the first 1 kB, printable characters only; null where there was none.",
        metadata=long_text(256),
    )
    next_attempt_at: datetime | None = strawberry.field(
        description="When the next attempt is made; null if none is: it was acknowledged, or given up for another."
    )
    delivered_at: datetime | None = strawberry.field(
        description="When the endpoint acknowledged it, or nothing of it was left to tell; null before that."
    )

    @classmethod
    def of(cls, entity: DeliveryEntity) -> "WebhookDelivery":
        """Return the object of a delivery."""
        return cls(
            id=strawberry.ID(gid(DELIVERY_TYPE, entity.channel_id, entity.endpoint_id, entity.delivery_id)),
            entity=entity,
            message_id=entity.message_id,
            kind=entity.kind,
            at=entity.created_at,
            events=entity.events,
            attempts=entity.attempts,
            status=entity.status,
            error=entity.error,
            answer=entity.answer,
            next_attempt_at=entity.next_attempt_at,
            delivered_at=entity.delivered_at,
        )

    @strawberry.field(description="The channel whose changes it tells; of a trial one of the endpoint's.")
    async def channel(self, info: Info) -> Channel:
        return await Channel.load(info, self.entity.channel_id)


WebhookDeliveryConnection: TypeAlias = Connection[WebhookDelivery]


@strawberry.type(
    description=(
        "An address that is told of changes, signed by Standard Webhooks 1.0. For creators and admins "
        "(MANAGE_WEBHOOKS); a token narrowed to some channels sees those endpoints whose channels are all its own."
    )
)
class WebhookEndpoint(Node):
    """Show an endpoint with its positions; its secret is decrypted when it is selected."""

    told: strawberry.Private[ToldEndpoint]
    url: str = strawberry.field(description="Where deliveries are sent by POST.")
    description: str | None = strawberry.field(description="What the endpoint is for, in words; null without one.")
    events: list[FeedEventType] = strawberry.field(
        description="Which events are told.", metadata=at_most(len(FeedEventType))
    )
    state: WebhookState = strawberry.field(
        description="How the endpoint fares: as in the channel where it fares worst."
    )
    reason: str | None = strawberry.field(
        description="Why it is RETRYING, FAILING or GONE, for people; null in the other states."
    )
    public_key: str = strawberry.field(
        description="Public key of the ed25519 signatures (`v1a`): `whpk_` and 32 bytes in base64."
    )
    former_secret_until: datetime | None = strawberry.field(
        description=(
            "Until when deliveries are also signed with the secret and key before the last rotation; null if they "
            "were not rotated in the last 24 hours."
        )
    )
    created_at: datetime = strawberry.field(description="When the endpoint was made.")
    last_success_at: datetime | None = strawberry.field(
        description="When the endpoint last acknowledged a delivery of changes; null before the first."
    )
    lag: int = strawberry.field(
        description="For how many seconds the oldest event has waited, of the channel furthest behind; 0 for none."
    )
    positions: list[WebhookPosition] = strawberry.field(
        description="How far the endpoint has been told of each of its channels.",
        metadata=at_most(MAX_CHANNELS, usual=10),
    )

    @classmethod
    def of(cls, told: ToldEndpoint) -> "WebhookEndpoint":
        """Return the object of an endpoint as it was at an instant."""
        entity, now = told.endpoint, told.now
        former_until = entity.former_until
        return cls(
            id=strawberry.ID(gid(ENDPOINT_TYPE, entity.endpoint_id)),
            told=told,
            url=entity.url,
            description=entity.description,
            events=list(entity.events),
            state=told.state,
            reason=told.reason,
            public_key=entity.public_key,
            former_secret_until=former_until if former_until is not None and former_until > now else None,
            created_at=entity.created_at,
            last_success_at=told.last_success_at,
            lag=int(told.lag.total_seconds()),
            positions=[WebhookPosition.of(each, now) for each in told.positions],
        )

    @strawberry.field(
        description="Channels whose changes are told; null for all of the robot, also those that are bound later.",
        metadata=at_most(MAX_CHANNELS, usual=10),
    )
    async def channels(self, info: Info) -> list[Channel] | None:
        channel_ids = self.told.endpoint.channel_ids
        return None if channel_ids is None else [await Channel.load(info, each) for each in channel_ids]

    @strawberry.field(
        description=(
            "Tags that events of people and of tags are told about, deleted ones too; null for all. Of channels "
            "without a tag in the list only other events are told."
        ),
        metadata=at_most(MAX_TAGS_PER_ENDPOINT, usual=20),
    )
    async def tags(self, info: Info) -> list[Tag] | None:
        keys = self.told.endpoint.tag_keys
        return None if keys is None else [await _tag(info, *each) for each in keys]

    @strawberry.field(
        description="Secret of the HMAC signatures (`v1`): `whsec_` and 32 bytes in base64. Keep it out of sight."
    )
    def secret(self, info: Info) -> str:
        return decrypt_secret(info.context.runtime.secret_box, self.told.endpoint)

    @strawberry.field(
        description=(
            "What was sent to the endpoint, newest first; kept as long as the change log, and of each channel the last "
            "thousand."
        )
    )
    async def deliveries(self, info: Info, first: First = 20, after: After = None) -> WebhookDeliveryConnection:
        check_page_size(first)
        start = FIRST_PLACE if after is None else _place_of_cursor(after)
        channel_ids = [each.channel_id for each in self.told.positions]
        found = await deliveries_page(
            info.context.runtime, self.told.endpoint.endpoint_id, channel_ids, first=first, after=start
        )
        edges = [Edge(cursor=_cursor_of(each), node=WebhookDelivery.of(each)) for each in found.items]
        return page(edges, after=after, has_next=found.has_more)


async def _tag(info: Info, channel_id: int, tag_id: int) -> Tag:
    catalogue = await info.context.loaders.catalogue_of_channel.load(channel_id)
    return info.context.presenters.tag(catalogue.tags[tag_id], catalogue)


def _cursor_of(delivery: DeliveryEntity) -> str:
    """Return the cursor of a delivery: when it was made, in microseconds, its channel, and its number there."""
    numbers = ((delivery.created_at - EPOCH) // timedelta(microseconds=1), delivery.channel_id, delivery.delivery_id)
    return cursor_of_text(CURSOR_PREFIX + b":".join(b"%d" % each for each in numbers))


def _place_of_cursor(cursor: str) -> DeliveryPlace:
    """Return the place that a cursor names. Raises BadInputError for a cursor of another list."""
    found = CURSOR.fullmatch(text_of_cursor(cursor))
    if found is None:
        raise bad_cursor_error()
    at, channel_id, delivery_id = map(int, found.groups())
    return DeliveryPlace(EPOCH + timedelta(microseconds=at), channel_id, delivery_id)


def endpoint_number(text: str) -> int:
    """Return the number of an endpoint by its global id. Raises NotFoundError for any other text."""
    numbers = parse_gid(text, ENDPOINT_TYPE, 1)
    if numbers is None:
        raise NotFoundError(ENDPOINT)
    return numbers[0]


def parse_delivery_gid(text: str) -> DeliveryKey:
    """Return the key of a delivery by its global id. Raises NotFoundError for any other text."""
    numbers = parse_gid(text, DELIVERY_TYPE, len(DeliveryKey._fields))
    if numbers is None:
        raise NotFoundError(DELIVERY)
    return DeliveryKey(*numbers)


async def webhook_endpoint_node(info: Info, text: str) -> WebhookEndpoint:
    """Return an endpoint by its id. Raises ForbiddenError, NotFoundError."""
    return WebhookEndpoint.of(
        await find_told_endpoint(info.context.runtime, info.context.principal, endpoint_number(text))
    )


async def webhook_delivery_node(info: Info, text: str) -> WebhookDelivery:
    """Return a delivery by its id. Raises ForbiddenError, NotFoundError."""
    return WebhookDelivery.of(
        await find_delivery(info.context.runtime, info.context.principal, parse_delivery_gid(text))
    )
