"""Resolve `webhookEndpoints`, and make, change and delete webhook endpoints.

These are `createWebhookEndpoint`, `updateWebhookEndpoint`, `rotateWebhookSecret` and `deleteWebhookEndpoint`.
"""

from collections.abc import Iterable
from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.guards.permissions import needs
from service.api.operations.inputs import reject_nulls
from service.api.types.primitives import Input
from service.api.types.webhook import WebhookEndpoint, endpoint_number
from service.domain.webhooks.endpoints import creating, editing
from service.domain.webhooks.endpoints.checking import EndpointDetails
from service.domain.webhooks.endpoints.lookup import endpoints_of
from service.entities.change_feed import FeedEventType
from service.entities.ids import parse_gid
from service.entities.principal import Permission
from service.entities.tags import TagKey

WebhookEndpointId = Annotated[strawberry.ID, strawberry.argument(description="Id of the webhook endpoint.")]

# No channel and no tag has this number: what is no id is answered like one of nothing.
NOTHING = 0


@strawberry.input(description="An address that is to be told of changes, and of which.")
class CreateWebhookEndpointInput:
    url: str = strawberry.field(
        description=(
            "Where to POST: https, on port 443 or 8443, without user or password, at a public address; BAD_USER_INPUT "
            "otherwise."
        )
    )
    description: str | None = strawberry.field(
        default=None, description="What the endpoint is for, in words, at most 1,000 characters."
    )
    channel_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description=(
            "Ids of the channels to be told of, 1 to 100, LIMIT_EXCEEDED beyond; null for all of the robot, also those "
            "that are bound later, which is FORBIDDEN for a token narrowed to some channels."
        ),
    )
    events: list[FeedEventType] = strawberry.field(description="Which events to tell, at least one.")
    tag_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description=(
            "Ids of the tags, 1 to 200, LIMIT_EXCEEDED beyond, of those channels, that events of people and of tags "
            "are told about; null for all tags."
        ),
    )


@strawberry.input(description="Changes of a webhook endpoint; an absent field stays as it is.")
class UpdateWebhookEndpointInput:
    id: strawberry.ID = strawberry.field(description="Id of the webhook endpoint.")
    url: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="New address, as for `createWebhookEndpoint`, tried at once; null is BAD_USER_INPUT.",
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="What the endpoint is for, in words, at most 1,000 characters; null clears it.",
    )
    channel_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "The whole new list of channels; new ones are told of from now on, and what left is told of no more. Null "
            "for all of the robot, also those that are bound later."
        ),
    )
    events: list[FeedEventType] | None = strawberry.field(
        default=strawberry.UNSET, description="The whole new list of events, at least one; null is BAD_USER_INPUT."
    )
    tag_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="The whole new list of tags; null for all tags."
    )
    enabled: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "False switches the endpoint OFF. True switches it on, also when it is GONE, and tries at once what it was "
            "not told; null is BAD_USER_INPUT."
        ),
    )


@strawberry.type(description="The answer to the mutations that make or change a webhook endpoint.")
class WebhookEndpointPayload:
    endpoint: WebhookEndpoint = strawberry.field(description="The endpoint after the change.")


@strawberry.type(description="The answer to `deleteWebhookEndpoint`.")
class DeleteWebhookEndpointPayload:
    deleted_id: strawberry.ID = strawberry.field(description="Id that the endpoint had.")


@strawberry.type
class WebhookEndpointQueries:
    @strawberry.field(
        description=(
            "Webhook endpoints of the robot, oldest first, at most 20; of a token narrowed to some channels those "
            "whose channels are all its own. For creators and admins (MANAGE_WEBHOOKS). Answers no code of its own."
        ),
        metadata=at_most(creating.MAX_ENDPOINTS_PER_ROBOT, usual=5),
        extensions=[needs(Permission.MANAGE_WEBHOOKS)],
    )
    async def webhook_endpoints(self, info: Info) -> list[WebhookEndpoint] | None:
        found = await endpoints_of(info.context.runtime, info.context.principal)
        return [WebhookEndpoint.of(each) for each in found]


@strawberry.type
class WebhookEndpointMutations:
    @strawberry.mutation(
        description=(
            "Makes an endpoint that is told of what happens from now on, at least once and in the order of each "
            "channel, signed by Standard Webhooks 1.0. For creators and admins (MANAGE_WEBHOOKS). Answers "
            "BAD_USER_INPUT, LIMIT_EXCEEDED for more than 20 endpoints, or NOT_FOUND for channels and tags that are "
            "not there."
        ),
        extensions=[needs(Permission.MANAGE_WEBHOOKS)],
    )
    async def create_webhook_endpoint(
        self, info: Info, input: Input[CreateWebhookEndpointInput]
    ) -> WebhookEndpointPayload | None:
        details = EndpointDetails(
            url=input.url,
            description=input.description,
            channel_ids=channel_numbers(input.channel_ids),
            events=input.events,
            tag_keys=tag_numbers(input.tag_ids),
        )
        told = await creating.create_endpoint(info.context.runtime, info.context.actor, details)
        return WebhookEndpointPayload(endpoint=WebhookEndpoint.of(told))

    @strawberry.mutation(
        description=(
            "Changes where an endpoint is, or what it is told; deliveries under way are made again by the new "
            "settings. For creators and admins (MANAGE_WEBHOOKS). Answers BAD_USER_INPUT, LIMIT_EXCEEDED, or "
            "NOT_FOUND, also for channels and tags that are not there."
        ),
        extensions=[needs(Permission.MANAGE_WEBHOOKS)],
    )
    async def update_webhook_endpoint(
        self, info: Info, input: Input[UpdateWebhookEndpointInput]
    ) -> WebhookEndpointPayload | None:
        reject_nulls(input, "url", "events", "enabled")
        told = await editing.update_endpoint(
            info.context.runtime, info.context.actor, endpoint_number(input.id), _change(input)
        )
        return WebhookEndpointPayload(endpoint=WebhookEndpoint.of(told))

    @strawberry.mutation(
        description=(
            "Deletes an endpoint, which is told nothing more. For creators and admins (MANAGE_WEBHOOKS). Answers "
            "NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_WEBHOOKS)],
    )
    async def delete_webhook_endpoint(self, info: Info, id: WebhookEndpointId) -> DeleteWebhookEndpointPayload | None:
        await editing.delete_endpoint(info.context.runtime, info.context.actor, endpoint_number(id))
        return DeleteWebhookEndpointPayload(deleted_id=id)

    @strawberry.mutation(
        description=(
            "Gives an endpoint a new secret and a new pair of keys. For 24 hours the present ones sign beside them; "
            "those before these no longer, so that rotating twice ends a secret at once. For creators and admins "
            "(MANAGE_WEBHOOKS). Answers NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_WEBHOOKS)],
    )
    async def rotate_webhook_secret(self, info: Info, id: WebhookEndpointId) -> WebhookEndpointPayload | None:
        told = await editing.rotate_secret(info.context.runtime, info.context.actor, endpoint_number(id))
        return WebhookEndpointPayload(endpoint=WebhookEndpoint.of(told))


def channel_numbers(ids: Iterable[str] | None) -> list[int] | None:
    """Return the numbers of channels; of a text that is no id of one, a number that no channel has."""
    return None if ids is None else [(parse_gid(each, "Channel", 1) or (NOTHING,))[0] for each in ids]


def tag_numbers(ids: Iterable[str] | None) -> list[TagKey] | None:
    """Return the keys of tags; of a text that is no id of one, a key that no tag has."""
    return None if ids is None else [TagKey(*(parse_gid(each, "Tag", 2) or (NOTHING, NOTHING))) for each in ids]


def _change(given: UpdateWebhookEndpointInput) -> editing.EndpointChange:
    """Return what is to be changed; what is absent in the input is absent there, too."""
    change = editing.EndpointChange()
    if given.url is not strawberry.UNSET and given.url is not None:
        change["url"] = given.url
    if given.description is not strawberry.UNSET:
        change["description"] = given.description
    if given.channel_ids is not strawberry.UNSET:
        change["channel_ids"] = channel_numbers(given.channel_ids)
    if given.events is not strawberry.UNSET and given.events is not None:
        change["events"] = given.events
    if given.tag_ids is not strawberry.UNSET:
        change["tag_keys"] = tag_numbers(given.tag_ids)
    if given.enabled is not strawberry.UNSET and given.enabled is not None:
        change["enabled"] = given.enabled
    return change
