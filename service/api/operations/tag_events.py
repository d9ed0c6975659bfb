"""Resolve `tagEvents`, the tag panel's feed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.enums import TagEventKind
from service.api.types.presenters import tag_to_graphql
from service.api.types.primitives import AfterEvent
from service.api.types.tag import Tag
from service.domain.feed.tag_panel import panel_updates
from service.entities.feed import PanelUpdate
from service.entities.ids import parse_channel_gid, tag_gid
from service.entities.principal import Permission
from service.entities.tags import Catalogue


@strawberry.type(description="One event of the tag panel's feed.")
class TagEvent:
    cursor: str = strawberry.field(description="Opaque position of the event; pass it as `after` to get what follows.")
    kind: TagEventKind = strawberry.field(description="What happened to the tag.")
    tag_id: strawberry.ID | None = strawberry.field(description="Id of the tag; null on RESET only.")
    tag: Tag | None = strawberry.field(
        description=(
            "The tag after the event, with `deletedAt` on DELETED, so that a cache can find and evict "
            "it; null on RESET only."
        )
    )
    at: datetime = strawberry.field(description="When the change was written.")


@strawberry.type
class TagEventsSubscriptions:
    @strawberry.subscription(
        description=(
            "Sends what happens to tags, of one channel or all that the token may see; with `after`, "
            "first what was missed, as the newest state of each tag. For every role (VIEW_TAGS). Answers "
            "NOT_FOUND, or LIMIT_EXCEEDED for too many open subscriptions."
        ),
        extensions=[needs(Permission.VIEW_TAGS)],
    )
    async def tag_events(
        self,
        info: Info,
        channel_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Id of the channel; null for all channels that the token may see."),
        ] = None,
        after: AfterEvent = None,
    ) -> AsyncGenerator[TagEvent, None]:
        runtime, principal = info.context.runtime, info.context.principal
        hub = info.context.resources.hub
        with info.context.resources.subscriptions.reserve(principal):
            number = None if channel_id is None else parse_channel_gid(channel_id)
            async with aclosing(
                panel_updates(runtime, hub, principal, number, info.context.resume_after or after)
            ) as updates:
                async for cursor, update in updates:
                    info.context.reset_loaders()
                    yield tag_event_to_graphql(cursor, update, info.context.named(update.catalogue))


def tag_event_to_graphql(cursor: str, update: PanelUpdate, catalogue: Catalogue) -> TagEvent:
    """Return an update of the tag panel as clients see it; `cursor` is the position after it.

    `catalogue` is that of the update, in the language of who asks.
    """
    tag = None if update.tag_id is None else catalogue.tags.get(update.tag_id)
    return TagEvent(
        cursor=cursor,
        kind=TagEventKind(update.kind),
        tag_id=None if tag is None else strawberry.ID(tag_gid(tag.channel_id, tag.tag_id)),
        tag=None if tag is None else tag_to_graphql(tag, catalogue),
        at=update.at,
    )
