"""Resolve `sendTestMessage`: a message to a few people, to see how it looks."""

from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import as_the_input, given_by
from service.api.guards.permissions import needs
from service.api.types.broadcast_message import BroadcastMessageInput, message_from_input
from service.api.types.primitives import ChannelId
from service.domain.broadcasts.trial_messages import MAX_TEST_OPENIDS, TrialResult, send_test_message
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission

TestOpenids = Annotated[
    list[str],
    strawberry.argument(description="WeChat's ids of 1 to 5 people of the channel; a repeated one counts once."),
]
Message = Annotated[BroadcastMessageInput, strawberry.argument(description="What is sent.")]


@strawberry.type(description="What became of a test message to one person.")
class TestMessageResult:
    """Show what became of a test message."""

    openid: str = strawberry.field(description="WeChat's id of the person.")
    sent: bool = strawberry.field(description="Whether WeChat took the message.")
    errcode: int | None = strawberry.field(description="WeChat's code where it refused; null without one.")
    reason: str | None = strawberry.field(
        description=(
            "Why the message was not sent, for people, or that it is not known whether it was; null where it was sent."
        )
    )

    @classmethod
    def of(cls, result: TrialResult) -> "TestMessageResult":
        """Return the object of a result."""
        return cls(openid=result.openid, sent=result.sent, errcode=result.errcode, reason=result.reason)


@strawberry.type(description="The answer to `sendTestMessage`.")
class SendTestMessagePayload:
    results: list[TestMessageResult] = strawberry.field(
        description="What became of it for each person, in the order in which they were given.",
        metadata=as_the_input(most=MAX_TEST_OPENIDS),
    )


@strawberry.type
class SendTestMessageMutations:
    @strawberry.mutation(
        description=(
            "Sends a message to at most 5 people at once, placeholders filled in, to see how it looks: mass messages "
            "by WeChat's preview, others as they are. No cap holds it back, no report counts it, and nobody has "
            "received a broadcast by it; a subscription message uses up the person's consent all the same. For "
            "creators and admins (BROADCAST). Answers NOT_FOUND, BAD_USER_INPUT naming all that is wrong with the "
            "message and the openids, or for a channel without an app secret, LIMIT_EXCEEDED for more than 5 openids, "
            "CHANNEL_NOT_BOUND, or UPSTREAM where acting is off; what WeChat says is in the results."
        ),
        metadata=given_by("openids", most=MAX_TEST_OPENIDS),
        extensions=[needs(Permission.BROADCAST)],
    )
    async def send_test_message(
        self, info: Info, channel_id: ChannelId, message: Message, openids: TestOpenids
    ) -> SendTestMessagePayload | None:
        results = await send_test_message(
            info.context.runtime,
            info.context.actor,
            parse_channel_gid(channel_id),
            message_from_input(message),
            openids,
        )
        return SendTestMessagePayload(results=[TestMessageResult.of(each) for each in results])
