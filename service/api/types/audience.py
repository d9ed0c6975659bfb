"""Show audiences, how many of one can still be reached, and how tags overlap."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most, long_text, takes_as_long_as
from service.api.types.primitives import After, First
from service.api.types.tag import Tag
from service.api.types.user import UserConnection, user_page
from service.domain.audiences import counting as use_cases
from service.domain.audiences.forecast import MAX_FORECAST_HOURS, touchable_forecast
from service.domain.combos.expressions import format_expression
from service.entities.ids import gid
from service.entities.tags import Catalogue

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
# Values: whoever is touchable now is looked at one by one.
LOOKING_AT_THE_TOUCHABLE: Final = 5_000


@strawberry.type(
    description=(
        "How many people of an audience can be reached at one hour. For creators, admins and agents (VIEW_USERS)."
    )
)
class TouchableAt:
    """Show how many people can be reached at an instant ahead."""

    at: datetime = strawberry.field(description="A full hour of the clock.")
    count: int = strawberry.field(
        description="How many people of the audience are touchable at that instant if nobody does anything until then."
    )


@strawberry.type(
    description=(
        "The people whom an expression describes, counted at one moment; nothing is saved. For "
        "creators, admins and agents (VIEW_USERS)."
    )
)
class Audience:
    """Show a set of people that was counted; its members are read page by page."""

    entity: strawberry.Private[use_cases.Audience]
    id: strawberry.ID = strawberry.field(
        description="Opaque id; two audiences of one channel with equal expressions, and of one instant, share it."
    )
    count: int = strawberry.field(
        description="How many people are in the audience, or were at the instant looked back to, exactly."
    )
    followers: int = strawberry.field(
        description="How many people of the audience follow the channel, or did at the instant looked back to."
    )
    touchable: int = strawberry.field(
        description=(
            "How many people of the audience have the default tag Touchable, so that they can be written to now; or "
            "had it at the instant looked back to."
        )
    )
    as_of: datetime = strawberry.field(
        description=(
            "The oldest `asOf` of the tags in the expression: every change committed before it is counted. Looking "
            "back it is the instant itself."
        )
    )
    text: str = strawberry.field(
        description=(
            "The expression as people read it, for example (New user ∩ Opened) − Ordered, with the names of today."
        ),
        metadata=long_text(200),
    )

    @strawberry.field(
        description=(
            "Members of the audience, in the order they became known to the channel. Looking back they are those who "
            "were in it then, each as they are now."
        )
    )
    async def users(self, info: Info, first: First = 50, after: After = None) -> UserConnection:
        audience = self.entity
        return await user_page(
            info,
            audience.channel.channel_id,
            audience.expression,
            audience.size.members,
            first=first,
            after=after,
            past=audience.past,
        )

    @strawberry.field(
        description=(
            "How many people who are in the audience now can still be reached at each full hour ahead, if nobody does "
            "anything: whoever writes, clicks, scans, pays or follows meanwhile can be reached for longer. Exact, as "
            "of the moment it is asked. BAD_USER_INPUT for other than 1 to 168 hours, and for an audience of an "
            "earlier instant."
        ),
        metadata={**at_most(MAX_FORECAST_HOURS, usual=48), **takes_as_long_as(LOOKING_AT_THE_TOUCHABLE)},
    )
    async def touchable_forecast(
        self,
        info: Info,
        hours: Annotated[int, strawberry.argument(description="How many hours ahead are told, 1 to 168.")] = 48,
    ) -> list[TouchableAt]:
        audience = self.entity
        audience.require_present()
        found = await touchable_forecast(info.context.runtime, audience.channel, audience.expression, hours)
        return [TouchableAt(at=each.at, count=each.count) for each in found]


@strawberry.type(description="How many people two tags have in common. For creators, admins and agents (VIEW_USERS).")
class TagPairOverlap:
    """Show how many people two tags have in common."""

    a: Tag = strawberry.field(description="The tag that comes first in `tagIds`.")
    b: Tag = strawberry.field(description="The tag that comes later in `tagIds`.")
    both: int = strawberry.field(description="How many people have both tags.")
    only_a: int = strawberry.field(description="How many people have the tag `a` and not the tag `b`.")
    only_b: int = strawberry.field(description="How many people have the tag `b` and not the tag `a`.")


def audience_to_graphql(audience: use_cases.Audience, catalogue: Catalogue) -> Audience:
    """Return an audience with its size and the expression as people read it, its tags named as in `catalogue`."""
    instant = () if audience.past is None else ((audience.past.at - EPOCH) // MICROSECOND,)
    return Audience(
        entity=audience,
        id=strawberry.ID(gid("Audience", audience.channel.channel_id, audience.expression.digest(), *instant)),
        count=audience.size.members,
        followers=audience.size.followers,
        touchable=audience.size.touchable,
        as_of=audience.as_of,
        text=format_expression(catalogue, audience.expression, audience.broadcasts),
    )
