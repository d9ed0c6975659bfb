"""Resolve `userTags`, the feed of one person's tags."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.guards.permissions import needs
from service.api.types.presenters import tags_to_graphql
from service.api.types.primitives import AfterEvent, ChannelId, Openid
from service.api.types.tag import Tag
from service.api.types.user import User
from service.domain.feed.cursors import encode_cursor
from service.domain.input_rules import check_openid
from service.domain.tags.catalogue import MAX_TAGS_PER_CHANNEL
from service.entities.blocks import ChangeCause
from service.entities.feed import UserTagsUpdate
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission
from service.entities.tags import Catalogue


@strawberry.type(description="One event of a person's feed.")
class UserTagsEvent:
    update: strawberry.Private[UserTagsUpdate]
    cursor: str = strawberry.field(description="Opaque position of the event; pass it as `after` to get what follows.")
    reset: bool = strawberry.field(
        description=(
            "Whether to forget what was received before: true on the first event without `after`, and "
            "when `after` is too old."
        )
    )
    tags: list[Tag] = strawberry.field(
        description="The whole set after this event, by category and name: a page can show it and keep no state.",
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=10),
    )
    added: list[Tag] = strawberry.field(
        description="Tags that the set of the event before did not have; on a reset the whole set.",
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=10),
    )
    removed: list[Tag] = strawberry.field(
        description="Tags that only the set of the event before had; on a reset none.",
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=10),
    )
    updated: list[Tag] = strawberry.field(
        description="Tags of the set before and after that were renamed or described anew.",
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=10),
    )
    cause: ChangeCause | None = strawberry.field(description="Why the set changed; null on a reset.")
    at: datetime = strawberry.field(description="When the change was written.")

    @strawberry.field(
        description=(
            "The person as of this event; null until the channel knows them. Selecting `user { id tags { "
            "id … } }` keeps a normalising cache up to date by itself."
        )
    )
    async def user(self, info: Info) -> User | None:
        cursor = self.update.cursor
        if cursor.ordinal is None:
            return None
        found = await info.context.loaders.user_by_ordinal.load((cursor.channel_id, cursor.ordinal))
        return None if found is None else User.of(found, self.update.tags)


@strawberry.type
class UserTagsSubscriptions:
    @strawberry.subscription(
        description=(
            "Sends a person's whole set of tags, then each change in order, exactly once; with `after`, "
            "only what was missed. A person not known so far has an empty set. For creators, admins and "
            "agents (VIEW_USERS). Answers BAD_USER_INPUT for a malformed openid, NOT_FOUND, or "
            "LIMIT_EXCEEDED for too many open subscriptions."
        ),
        extensions=[needs(Permission.VIEW_USERS)],
    )
    async def user_tags(
        self, info: Info, channel_id: ChannelId, openid: Openid, after: AfterEvent = None
    ) -> AsyncGenerator[UserTagsEvent, None]:
        check_openid(openid)
        principal, hub = info.context.principal, info.context.resources.hub
        with info.context.resources.subscriptions.reserve(principal):
            channel = await info.context.resources.channels.find(
                principal, parse_channel_gid(channel_id), Permission.VIEW_USERS
            )
            async with aclosing(
                hub.user_tags(channel.channel_id, openid, info.context.resume_after or after)
            ) as updates:
                async for update in updates:
                    info.context.reset_loaders()
                    yield user_tags_event_to_graphql(update, info.context.named(update.catalogue))


def user_tags_event_to_graphql(update: UserTagsUpdate, catalogue: Catalogue) -> UserTagsEvent:
    """Return an update of a person's feed as clients see it, with its tags by category and name.

    `catalogue` is that of the update, in the language of who asks.
    """

    def tags(tag_ids: frozenset[int]) -> list[Tag]:
        return tags_to_graphql(tag_ids, catalogue)

    return UserTagsEvent(
        update=update,
        cursor=encode_cursor(update.cursor),
        reset=update.reset,
        tags=tags(update.tags),
        added=tags(update.added),
        removed=tags(update.removed),
        updated=tags(update.updated),
        cause=update.cause,
        at=update.at,
    )
