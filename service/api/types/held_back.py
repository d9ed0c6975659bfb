"""Show who of an audience is not sent to, by reason, with the people."""

import strawberry

from service.api.context import Info
from service.api.types.connection import Edge, counted_page, encode_page_cursor, start_of_page
from service.api.types.enums import HELD_DESCRIPTIONS
from service.api.types.primitives import After, First
from service.api.types.user import User, UserConnection
from service.domain.audiences.paging import PeoplePage
from service.entities.broadcasts import HeldReason


@strawberry.type(
    description="People of an audience who are not sent to for one reason. For creators and admins (BROADCAST)."
)
class HeldBack:
    """Show how many people are not sent to for one reason, and who they are."""

    people: strawberry.Private[PeoplePage]
    named: strawberry.Private[int]
    reason: HeldReason = strawberry.field(description="Why these people are not sent to, for programs.")
    count: int = strawberry.field(description="How many people these are, those who were forgotten since included.")

    @strawberry.field(description="Why these people are not sent to, for people.")
    def text(self) -> str:
        return HELD_DESCRIPTIONS[self.reason]

    @strawberry.field(
        description="The people, in the order they became known to the channel; those who were forgotten are left out."
    )
    async def users(self, info: Info, first: First = 50, after: After = None) -> UserConnection:
        return await people_page(info, self.people, self.named, first=first, after=after)


async def people_page(info: Info, people: PeoplePage, total: int, *, first: int, after: str | None) -> UserConnection:
    """Return a page of `total` people whom `people` reads.

    Raises LimitExceededError unless `first` is 1 to 200, BadInputError for a cursor of another kind of list.
    """
    found = await people(info.context.runtime, first, start_of_page("person", first, after))
    edges = [Edge(cursor=encode_page_cursor("person", each.ordinal), node=User.of(each)) for each in found.items]
    return counted_page(edges, after=after, has_next=found.has_more, total=total)
