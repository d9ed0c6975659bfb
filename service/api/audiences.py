"""Audiences: any set of ACTIVE tags, without saving it; overlaps; what the mass-posting page may offer."""

from datetime import datetime
from typing import Annotated

import strawberry

from service.api.arguments import After, ChannelId, First
from service.api.context import Info
from service.api.expressions import TagExpressionInput, draft_of
from service.api.permissions import needs
from service.api.tags import Tag, shown_tag, shown_tags
from service.api.user_pages import UserConnection, user_page
from service.domain import audiences as use_cases
from service.domain.access import find_channel
from service.domain.expressions import names_of
from service.entities.enums import Permission
from service.entities.ids import gid

Expression = Annotated[TagExpressionInput, strawberry.argument(description="Over ACTIVE tags of that channel.")]


@strawberry.type(description="The people of an expression, counted in one moment. Nothing is saved.")
class Audience:
    entity: strawberry.Private[use_cases.Audience]
    id: strawberry.ID = strawberry.field(description="The same for the same expression.")
    count: int = strawberry.field(description="How many are in it, exactly.")
    followers: int = strawberry.field(description="How many of them follow.")
    touchable: int = strawberry.field(description="How many of them have the tag Touchable: can be written to now.")
    as_of: datetime = strawberry.field(description="The oldest `asOf` of its tags.")
    text: str = strawberry.field(description="The expression for people: (New user ∩ Opened) − Ordered.")

    @strawberry.field(description="Its members, in the order they became known.")
    async def users(self, info: Info, first: First = 50, after: After = None) -> UserConnection:
        audience = self.entity
        return await user_page(
            info, audience.channel.channel_id, audience.expression, audience.size.members, first=first, after=after
        )


@strawberry.type(description="How two tags overlap.")
class TagPairOverlap:
    a: Tag = strawberry.field(description="The one, in the order asked.")
    b: Tag = strawberry.field(description="The other.")
    both: int = strawberry.field(description="How many people have both.")
    only_a: int = strawberry.field(description="How many have `a` and not `b`.")
    only_b: int = strawberry.field(description="How many have `b` and not `a`.")


@strawberry.type
class AudienceQueries:
    @strawberry.field(
        description="Any expression over ACTIVE tags, counted without being saved.",
        extensions=[needs(Permission.VIEW_USERS)],
    )
    async def audience(self, info: Info, channel_id: ChannelId, expression: Expression) -> Audience | None:
        context = info.context
        return shown_audience(
            await use_cases.size_up(context.runtime, context.principal, channel_id, draft_of(expression), "expression")
        )

    @strawberry.field(
        description="2 to 20 ACTIVE tags of one channel, every two of them.",
        extensions=[needs(Permission.VIEW_USERS)],
    )
    async def tag_overlap(
        self,
        info: Info,
        tag_ids: Annotated[list[strawberry.ID], strawberry.argument(description="2 to 20 different tags.")],
    ) -> list[TagPairOverlap] | None:
        overlap = await use_cases.tag_overlap(info.context.runtime, info.context.principal, tag_ids)
        return [
            TagPairOverlap(
                a=shown_tag(pair.a, overlap.catalogue),
                b=shown_tag(pair.b, overlap.catalogue),
                both=pair.both,
                only_a=pair.only_a,
                only_b=pair.only_b,
            )
            for pair in overlap.pairs
        ]

    @strawberry.field(
        description="Only ACTIVE tags: what the mass-posting page may offer. Empty while the gate is closed.",
        extensions=[needs(Permission.VIEW_TAGS)],
    )
    async def mass_posting_tags(self, info: Info, channel_id: ChannelId) -> list[Tag] | None:
        channel = await find_channel(info.context.runtime, info.context.principal, channel_id)
        catalogue = await info.context.loaders.catalogue_of_channel.load(channel.channel_id)
        return shown_tags(catalogue.shown(catalogue.tags), catalogue)


def shown_audience(audience: use_cases.Audience) -> Audience:
    return Audience(
        entity=audience,
        id=strawberry.ID(gid("Audience", audience.channel.channel_id, audience.expression.digest())),
        count=audience.size.members,
        followers=audience.size.followers,
        touchable=audience.size.touchable,
        as_of=audience.as_of,
        text=names_of(audience.catalogue, audience.expression),
    )
