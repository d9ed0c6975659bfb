"""Pages of people."""

import strawberry

from service.api.context import Info
from service.api.paging import Page, PageInfo, check_first, read_place, write_place
from service.api.users import User
from service.domain.audiences import members_page
from service.entities.expressions import Expression


@strawberry.type(description="One person of a list.")
class UserEdge:
    cursor: str = strawberry.field(description="Pass it as `after`.")
    node: User = strawberry.field(description="The person.")


@strawberry.type(description="A page of people, in the order they became known, which never changes.")
class UserConnection:
    edges: list[UserEdge] = strawberry.field(description="People with their cursors.")
    nodes: list[User] = strawberry.field(description="The same people without cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")
    total_count: int = strawberry.field(description="How many there are, on all pages.")


async def user_page(
    info: Info, channel_id: int, expression: Expression, total: int, *, first: int, after: str | None
) -> UserConnection:
    """A page of the members of a set of `total` people."""
    check_first(first)
    place = None if after is None else read_place("person", after)
    found, has_next = await members_page(info.context.runtime, channel_id, expression, first=first, after=place)
    page = Page(
        [(write_place("person", each.ordinal), User.of(each)) for each in found],
        has_next=has_next,
        has_previous=after is not None,
    )
    return UserConnection(
        edges=[UserEdge(cursor=cursor, node=user) for cursor, user in page.entries],
        nodes=[user for _, user in page.entries],
        page_info=page.info,
        total_count=total,
    )
