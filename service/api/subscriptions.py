"""The live feed: one person's tags, and the tag panel."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

import strawberry

from service.api.arguments import AfterEvent, ChannelId, Openid
from service.api.context import Info
from service.api.enums import TagEventKind
from service.api.jobs import JobSubscriptions
from service.api.permissions import needs
from service.api.tags import Tag, shown_tag, shown_tags
from service.api.users import User
from service.domain.access import find_channel
from service.domain.feed.cursors import write_cursor
from service.domain.feed.tag_panel import panel_updates
from service.domain.reading import check_openids
from service.entities.enums import ChangeCause, Permission
from service.entities.feed import PanelUpdate, UserTagsUpdate
from service.entities.ids import tag_gid


@strawberry.type(description="One event of a person's feed.")
class UserTagsEvent:
    update: strawberry.Private[UserTagsUpdate]
    cursor: str = strawberry.field(description="Pass it as `after` when you come back.")
    reset: bool = strawberry.field(
        description="True on the first event without `after`, and when `after` was too old: forget what you had."
    )
    tags: list[Tag] = strawberry.field(
        description="Always the whole set after this event: a page can show it and keep no state."
    )
    added: list[Tag] = strawberry.field(description="What is new against the event before; on a reset the whole set.")
    removed: list[Tag] = strawberry.field(description="What is gone against the event before; on a reset nothing.")
    updated: list[Tag] = strawberry.field(description="In the set before and after, but renamed or described anew.")
    cause: ChangeCause | None = strawberry.field(description="Null on a reset.")
    at: datetime = strawberry.field(description="When it was written.")

    @strawberry.field(
        description="The person at `cursor`. Selecting `user { id tags { id … } }` keeps a normalising cache up to "
        "date by itself. Null until first seen."
    )
    async def user(self, info: Info) -> User | None:
        cursor = self.update.cursor
        if cursor.ordinal is None:
            return None
        found = await info.context.loaders.user_by_ordinal.load((cursor.channel_id, cursor.ordinal))
        return None if found is None else User.of(found, self.update.tags)


@strawberry.type(description="One event of the tag panel.")
class TagEvent:
    cursor: str = strawberry.field(description="Pass it as `after` when you come back.")
    kind: TagEventKind = strawberry.field(description="What happened.")
    tag_id: strawberry.ID | None = strawberry.field(description="Null only on RESET, like `tag`.")
    tag: Tag | None = strawberry.field(
        description="On DELETED its last state, with `deletedAt`, so that a cache can identify and evict it."
    )
    at: datetime = strawberry.field(description="When it was written.")


@strawberry.type(description="What can be watched, over graphql-transport-ws.")
class Subscription(JobSubscriptions):
    @strawberry.subscription(
        description="First the whole set, then each change in order, exactly once. With `after`, only what was missed. "
        "A person not seen so far has an empty set.",
        extensions=[needs(Permission.VIEW_USERS)],
    )
    async def user_tags(
        self, info: Info, channel_id: ChannelId, openid: Openid, after: AfterEvent = None
    ) -> AsyncGenerator[UserTagsEvent, None]:
        check_openids([openid], "openid")
        runtime, principal = info.context.runtime, info.context.principal
        hub = info.context.services.hub
        with info.context.services.subscriptions.one_more(principal):
            channel = await find_channel(runtime, principal, channel_id)
            async with aclosing(
                hub.user_tags(channel.channel_id, openid, info.context.resume_after or after)
            ) as updates:
                async for update in updates:
                    info.context.begin()
                    yield user_tags_event(update)

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
        with info.context.services.subscriptions.one_more(principal):
            async with aclosing(
                panel_updates(runtime, hub, principal, channel_id, info.context.resume_after or after)
            ) as updates:
                async for cursor, update in updates:
                    info.context.begin()
                    yield tag_event(cursor, update)


def tag_event(cursor: str, update: PanelUpdate) -> TagEvent:
    tag = None if update.tag_id is None else update.catalogue.tags.get(update.tag_id)
    return TagEvent(
        cursor=cursor,
        kind=TagEventKind(update.kind),
        tag_id=None if tag is None else strawberry.ID(tag_gid(tag.channel_id, tag.tag_id)),
        tag=None if tag is None else shown_tag(tag, update.catalogue),
        at=update.at,
    )


def user_tags_event(update: UserTagsUpdate) -> UserTagsEvent:
    def tags(tag_ids: frozenset[int]) -> list[Tag]:
        return shown_tags(tag_ids, update.catalogue)

    return UserTagsEvent(
        update=update,
        cursor=write_cursor(update.cursor),
        reset=update.reset,
        tags=tags(update.tags),
        added=tags(update.added),
        removed=tags(update.removed),
        updated=tags(update.updated),
        cause=update.cause,
        at=update.at,
    )
