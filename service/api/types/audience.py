"""Audiences and overlaps as GraphQL shows them."""

from datetime import datetime

import strawberry

from service.api.context import Info
from service.api.types.primitives import After, First
from service.api.types.tag import Tag
from service.api.types.user import UserConnection, user_page
from service.domain.audiences import counting as use_cases
from service.domain.combos.expressions import format_expression
from service.entities.ids import gid


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


def audience_to_graphql(audience: use_cases.Audience) -> Audience:
    return Audience(
        entity=audience,
        id=strawberry.ID(gid("Audience", audience.channel.channel_id, audience.expression.digest())),
        count=audience.size.members,
        followers=audience.size.followers,
        touchable=audience.size.touchable,
        as_of=audience.as_of,
        text=format_expression(audience.catalogue, audience.expression),
    )
