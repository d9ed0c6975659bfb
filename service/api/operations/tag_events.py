"""The tag panel's feed."""

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
from service.entities.enums import Permission
from service.entities.feed import PanelUpdate
from service.entities.ids import parse_channel_gid, tag_gid


@strawberry.type(description="One event of the tag panel.")
class TagEvent:
    cursor: str = strawberry.field(description="Pass it as `after` when you come back.")
    kind: TagEventKind = strawberry.field(description="What happened.")
    tag_id: strawberry.ID | None = strawberry.field(description="Null only on RESET, like `tag`.")
    tag: Tag | None = strawberry.field(
        description="On DELETED its last state, with `deletedAt`, so that a cache can identify and evict it."
    )
    at: datetime = strawberry.field(description="When it was written.")


def tag_event_to_graphql(cursor: str, update: PanelUpdate) -> TagEvent:
    tag = None if update.tag_id is None else update.catalogue.tags.get(update.tag_id)
    return TagEvent(
        cursor=cursor,
        kind=TagEventKind(update.kind),
        tag_id=None if tag is None else strawberry.ID(tag_gid(tag.channel_id, tag.tag_id)),
        tag=None if tag is None else tag_to_graphql(tag, update.catalogue),
        at=update.at,
    )


@strawberry.type
class TagEventsSubscriptions:
    @strawberry.subscription(
        description="The tag panel's feed. Without `channelId`: of all channels. With `after`, first what was missed, "
        "as the newest state per tag.",
        extensions=[needs(Permission.VIEW_TAGS)],
    )
    async def tag_events(
        self,
        info: Info,
        channel_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Which channel; without it all of them.")
        ] = None,
        after: AfterEvent = None,
    ) -> AsyncGenerator[TagEvent, None]:
        runtime, principal = info.context.runtime, info.context.principal
        hub = info.context.services.hub
        with info.context.services.subscriptions.reserve(principal):
            number = None if channel_id is None else parse_channel_gid(channel_id)
            async with aclosing(
                panel_updates(runtime, hub, principal, number, info.context.resume_after or after)
            ) as updates:
                async for cursor, update in updates:
                    info.context.reset_loaders()
                    yield tag_event_to_graphql(cursor, update)
