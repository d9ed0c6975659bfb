"""Show whom a broadcast did not reach and why, and what people did after it."""

from typing import Final

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import takes_as_long_as
from service.api.types.held_back import people_page
from service.api.types.primitives import After, First
from service.api.types.user import UserConnection
from service.domain.broadcasts.reports import count_in_states, people_in_states
from service.entities.broadcast_reports import FailureCount, Response
from service.entities.broadcasts import Broadcast, SendState

REFUSED: Final = (SendState.REFUSED,)
# Values: who is in a state is counted anew, people by people.
COUNTING: Final = 100
OPEN: Final = (SendState.CLAIMED, SendState.UNKNOWN)


@strawberry.type(
    description="People whom WeChat refused to send to, for one reason. For creators and admins (BROADCAST)."
)
class BroadcastFailure:
    """Show how many people were refused with one code, and who they are."""

    broadcast: strawberry.Private[Broadcast]
    code: strawberry.Private[int]
    errcode: int | None = strawberry.field(description="WeChat's code; null where it gave none.")
    reason: str = strawberry.field(description="Why WeChat refused, in its own words.")
    retryable: bool = strawberry.field(description="Whether the reason may pass, so that `retryBroadcast` may help.")
    count: int = strawberry.field(description="How many people these are, those who were forgotten since included.")

    @classmethod
    def of(cls, broadcast: Broadcast, failure: FailureCount) -> "BroadcastFailure":
        """Return the object of the people who were refused with a code."""
        return cls(
            broadcast=broadcast,
            code=failure.errcode,
            errcode=failure.errcode or None,
            reason=failure.reason,
            retryable=failure.retryable,
            count=failure.people,
        )

    @strawberry.field(
        description="The people, in the order they became known to the channel; those who were forgotten are left out.",
        metadata=takes_as_long_as(COUNTING),
    )
    async def users(self, info: Info, first: First = 50, after: After = None) -> UserConnection:
        total = await count_in_states(info.context.runtime, self.broadcast, REFUSED, self.code)
        people = people_in_states(self.broadcast, REFUSED, self.code)
        return await people_page(info, people, total, first=first, after=after)


@strawberry.type(
    description=(
        "What people did after their message, beside those held out at the same time. Only the last message and the "
        "last unfollowing of each person are known; who was forgotten since is left out. For creators and admins "
        "(BROADCAST)."
    )
)
class BroadcastResponse:
    """Show what people did who were sent to, and who were held out."""

    sent: int = strawberry.field(description="How many people were sent to.")
    sent_messaged: int = strawberry.field(description="How many people of those who were sent to wrote last then.")
    sent_unfollowed: int = strawberry.field(description="How many people of those who were sent to unfollowed then.")
    held_out: int = strawberry.field(description="How many people were held out.")
    held_out_messaged: int = strawberry.field(description="How many people of those held out wrote last then.")
    held_out_unfollowed: int = strawberry.field(description="How many people of those held out unfollowed then.")

    @classmethod
    def of(cls, response: Response) -> "BroadcastResponse":
        """Return the object of what was counted."""
        return cls(
            sent=response.sent,
            sent_messaged=response.sent_messaged,
            sent_unfollowed=response.sent_unfollowed,
            held_out=response.held_out,
            held_out_messaged=response.held_out_messaged,
            held_out_unfollowed=response.held_out_unfollowed,
        )


async def uncertain_page(info: Info, broadcast: Broadcast, *, first: int, after: str | None) -> UserConnection:
    """Return a page of the people who are claimed or without a known outcome."""
    total = await count_in_states(info.context.runtime, broadcast, OPEN)
    return await people_page(info, people_in_states(broadcast, OPEN), total, first=first, after=after)
