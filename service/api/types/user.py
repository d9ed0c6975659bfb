"""Show users: their tags, why they have them, and what happened to them."""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeAlias

import strawberry

from service.api.context import Info
from service.api.engine.selection import selected_field_names
from service.api.guards.list_sizes import MAX_CHANNELS, at_most, long_text
from service.api.types.absence import absence_of
from service.api.types.catalogue_presenter import CataloguePresenter
from service.api.types.channel import Channel
from service.api.types.connection import (
    Connection,
    CountedConnection,
    Edge,
    counted_page,
    encode_page_cursor,
    page,
    start_of_page,
)
from service.api.types.enums import CAUSE_DESCRIPTIONS
from service.api.types.evidence import reason_of
from service.api.types.primitives import After, First, Node, TagId
from service.api.types.tag import Tag
from service.api.types.user_tag import UserTag, UserTagChange
from service.domain.audiences.counting import members_page
from service.domain.audiences.looking_back import Past
from service.domain.broadcasts.audience.answering import Answers, answers
from service.domain.people.history import history_page
from service.domain.tags.catalogue import MAX_TAGS_PER_CHANNEL
from service.entities.expressions import Expression
from service.entities.ids import gid, parse_tag_gid, user_gid
from service.entities.users import MAX_ADS_PER_USER, ChannelUser

# These cost more to find than the tags themselves, so they are found only where they are selected.
REASON_FIELDS: Final = frozenset({"since", "why", "until", "evidence"})


UserTagChangeConnection: TypeAlias = Connection[UserTagChange]


@strawberry.type(
    description="One openid of one channel, which is one person there. For creators, admins and agents (VIEW_USERS)."
)
class User(Node):
    """Show a user; with `tag_ids` the tags are known already, otherwise they are read when they are selected."""

    entity: strawberry.Private[ChannelUser]
    tag_ids: strawberry.Private[frozenset[int] | None] = None
    openid: str = strawberry.field(description="WeChat's id of the person on this channel.")
    unionid: str | None = strawberry.field(
        description="WeChat's id of the person across the accounts of one owner; null until it is known."
    )
    following: bool = strawberry.field(
        description="Whether the person follows the channel, as far as the recorded events tell."
    )
    followed_at: datetime | None = strawberry.field(
        description="When the person last followed; null if that is not known."
    )
    unfollowed_at: datetime | None = strawberry.field(
        description="When the person last unfollowed; null if that is not known."
    )
    last_message_at: datetime | None = strawberry.field(
        description="When the person last sent a message; null if that is not known."
    )
    touchable_until: datetime | None = strawberry.field(
        description="Until when the person can be written to; null if nothing ever made them touchable."
    )
    first_seen_at: datetime = strawberry.field(description="When the channel first heard of the person.")
    subscribe_scene: str | None = strawberry.field(
        description=(
            "How the person came to follow, in WeChat's words, which may be others later, as told when followers "
            "were last imported; null if that is not known."
        )
    )

    @classmethod
    def of(cls, entity: ChannelUser, tag_ids: frozenset[int] | None = None) -> "User":
        """Return the object of a user; `tag_ids` is the set to show where an event already says it."""
        return cls(
            id=strawberry.ID(user_gid(entity.channel_id, entity.ordinal)),
            entity=entity,
            tag_ids=tag_ids,
            openid=entity.openid,
            unionid=entity.unionid,
            following=entity.following,
            followed_at=entity.facts.followed_at,
            unfollowed_at=entity.facts.unfollowed_at,
            last_message_at=entity.facts.messaged_at,
            touchable_until=entity.touchable_until,
            first_seen_at=entity.first_seen_at,
            subscribe_scene=entity.subscribe_scene,
        )

    @strawberry.field(description="The channel on which the person has this openid.")
    async def channel(self, info: Info) -> Channel:
        return await Channel.load(info, self.entity.channel_id)

    @strawberry.field(
        description=(
            "Users with this person's unionid on the robot's other channels that the token may see; "
            "empty while the unionid is not known."
        ),
        metadata=at_most(MAX_CHANNELS, usual=5),
    )
    async def same_person(self, info: Info) -> list["User"]:
        unionid = self.entity.unionid
        if unionid is None:
            return []
        loaders, principal = info.context.loaders, info.context.principal
        others = [
            (channel.channel_id, unionid)
            for channel in await loaders.visible_channels.load(principal)
            if channel.channel_id != self.entity.channel_id
        ]
        return [User.of(found) for found in await loaders.user_by_unionid.load_many(others) if found is not None]

    @strawberry.field(
        description="Ids of the ads through which the person came, at most 200, the latest.",
        metadata=at_most(MAX_ADS_PER_USER, usual=5),
    )
    async def ad_ids(self, info: Info) -> list[str]:
        ads = await info.context.loaders.ads_of_user.load((self.entity.channel_id, self.entity.ordinal))
        return [ad_id for ad_id, _ in ads]

    @strawberry.field(
        description="ACTIVE tags of the person, by category and name. Empty while the gate is closed.",
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=10),
    )
    async def tags(self, info: Info) -> list[UserTag]:
        loaders = info.context.loaders
        key = (self.entity.channel_id, self.entity.ordinal)
        # The bits first: they bring the catalogue that they were read with.
        tag_ids = await loaders.tags_of_user.load(key) if self.tag_ids is None else self.tag_ids
        catalogue = await loaders.catalogue_of_channel.load(self.entity.channel_id)
        selected = selected_field_names(info)
        if selected.isdisjoint(REASON_FIELDS):
            user_tags = _shared_user_tags(tag_ids, info.context.presenters.presenter(catalogue))
            return (
                user_tags
                if "id" not in selected
                else [replace(each, id=_user_tag_id(key, each.tag), serialized=None) for each in user_tags]
            )
        shown = catalogue.shown(tag_ids)
        if not shown:
            return []
        since = await loaders.tags_since.load(key)
        tags = info.context.presenters.tags(shown, catalogue)
        reasons = await asyncio.gather(*(reason_of(info, self.entity, tag, tag_ids) for tag in tags))
        return [
            UserTag(
                id=_user_tag_id(key, tag),
                tag=tag,
                since=since.get(tag.entity.tag_id),
                why=reason.why,
                until=reason.until,
                evidence=reason.evidence,
            )
            for tag, reason in zip(tags, reasons, strict=True)
        ]

    @strawberry.field(
        description=(
            "Why the person does not have a tag of the channel, for people: the fact, batch or operand that is "
            "missing; null if they have it. Answers NOT_FOUND for a tag that the channel never had."
        ),
        metadata=long_text(200),
    )
    async def why_not(self, info: Info, tag_id: TagId) -> str | None:
        return await absence_of(info, self.entity, parse_tag_gid(tag_id))

    @strawberry.field(
        description=(
            "Until when customer service may still write to the person by WeChat's rules, as far as facts and the "
            "messages of broadcasts tell; null where it may not: WeChat would refuse."
        )
    )
    async def reply_until(self, info: Info) -> datetime | None:
        return (await self._answers(info)).until

    @strawberry.field(
        description=(
            "How many messages customer service may still write to the person by WeChat's rules, until `replyUntil`, "
            "as far as the messages of broadcasts tell; null for any number, as after a payment."
        )
    )
    async def replies_left(self, info: Info) -> int | None:
        return (await self._answers(info)).left

    async def _answers(self, info: Info) -> Answers:
        own = await info.context.loaders.own_messages.load((self.entity.channel_id, self.entity.ordinal))
        channel = await info.context.loaders.channel.load((info.context.principal, self.entity.channel_id))
        return answers(channel.kind, self.entity, own, info.context.runtime.clock())

    @strawberry.field(
        description=(
            "Changes of the person's tags, newest first, as far back as the change log is kept, 7 days by default. "
            "Empty while the gate is closed."
        )
    )
    async def tag_history(self, info: Info, first: First = 50, after: After = None) -> UserTagChangeConnection:
        before = start_of_page("change", first, after)
        catalogue = await info.context.loaders.catalogue_of_channel.load(self.entity.channel_id)
        if not catalogue.open:
            return page([], after=after, has_next=False)
        found = await history_page(info.context.runtime, self.entity, first=first, before=before)
        edges = [
            Edge(
                cursor=encode_page_cursor("change", change.version),
                node=UserTagChange(
                    at=change.at,
                    added=info.context.presenters.tags(change.added, catalogue),
                    removed=info.context.presenters.tags(change.removed, catalogue),
                    cause=change.cause,
                    why=CAUSE_DESCRIPTIONS[change.cause],
                ),
            )
            for change in found.items
        ]
        return page(edges, after=after, has_next=found.has_more)


async def users_by_openids(info: Info, channel_id: int, openids: Sequence[str]) -> list[User | None]:
    """Return the users of openids, in their order, None for an unknown openid. Raises NotFoundError for the channel.

    Their tags are read with them if the selection shows them.
    """
    context = info.context
    user_reader, principal, loaders = context.resources.user_reader, context.principal, context.loaders
    if "tags" not in selected_field_names(info):
        return [
            None if each is None else User.of(each)
            for each in await user_reader.find_users(principal, channel_id, openids)
        ]
    found = await user_reader.find_users_with_tags(principal, channel_id, openids)
    for each in found:
        if each is not None:
            loaders.tags_of_user.prime((each.user.channel_id, each.user.ordinal), each.tag_set.tag_ids)
            loaders.prime_catalogue(each.tag_set.catalogue)
    return [None if each is None else User.of(each.user) for each in found]


def _shared_user_tags(tag_ids: AbstractSet[int], presenter: CataloguePresenter) -> list[UserTag]:
    """Return tags as any user has them, without id and reasons; users share these objects."""
    shared = presenter.shared_user_tags
    user_tags = []
    for tag_id in presenter.in_order(presenter.visible & tag_ids):
        found = shared.get(tag_id)
        if found is None:
            tag = presenter.tag(presenter.catalogue.tags[tag_id])
            found = shared[tag_id] = UserTag(
                serialized={}, id=strawberry.ID(""), tag=tag, since=None, why="", until=None, evidence=None
            )
        user_tags.append(found)
    return user_tags


def _user_tag_id(key: tuple[int, int], tag: Tag) -> strawberry.ID:
    return strawberry.ID(gid("UserTag", *key, tag.entity.tag_id))


UserConnection: TypeAlias = CountedConnection[User]


async def user_page(
    info: Info,
    channel_id: int,
    expression: Expression | None,
    total: int,
    *,
    first: int,
    after: str | None,
    past: Past | None = None,
) -> UserConnection:
    """Return a page of the members of a set of `total` people, in the order they became known; None is the empty set.

    With `past` it is the set of then.

    Raises LimitExceededError unless `first` is 1 to 200, BadInputError for a cursor of another kind of list.
    """
    after_ordinal = start_of_page("person", first, after)
    if expression is None:
        return counted_page([], after=after, has_next=False, total=total)
    found = await members_page(
        info.context.runtime, channel_id, expression, first=first, after=after_ordinal, past=past
    )
    edges = [Edge(cursor=encode_page_cursor("person", each.ordinal), node=User.of(each)) for each in found.items]
    return counted_page(edges, after=after, has_next=found.has_more, total=total)
