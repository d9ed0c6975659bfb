"""Resolve `broadcastPreview`: whom a broadcast would be sent to, before anything is made."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.guards.permissions import needs
from service.api.types.expression import TagExpressionInput, draft_from_input
from service.api.types.held_back import HeldBack
from service.domain.broadcasts.audience import preview as use_cases
from service.entities.bitmaps import count_people
from service.entities.broadcasts import HeldReason, MessageKind
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission

MAX_REASONS: Final = len(HeldReason)
MAX_WARNINGS: Final = 8


@strawberry.input(description="A broadcast to preview; nothing of it is stored.")
class BroadcastPreviewInput:
    channel_id: strawberry.ID = strawberry.field(description="Id of the channel that would send.")
    audience: TagExpressionInput = strawberry.field(description="Whom it would be for, over ACTIVE tags.")
    kind: MessageKind = strawberry.field(
        description="Which kind of message it would be; BAD_USER_INPUT for one that the account cannot send."
    )
    template_id: str | None = strawberry.field(
        default=None,
        description="WeChat's id of the template; needed for subscription messages, which people allow per template.",
    )
    start_at: datetime | None = strawberry.field(
        default=None, description="When sending would begin, at most 366 days ahead; null for at once."
    )
    hold_out_percent: int = strawberry.field(
        default=0, description="How many percent of the audience would be held out, 0 to 50."
    )
    once_only: str | None = strawberry.field(
        default=None, description="Value of broadcasts of which a person gets one; null for no such rule."
    )
    ignore_caps: bool = strawberry.field(
        default=False, description="Whether it would be sent to those, too, who have had enough by the policy."
    )
    temporary_tag: bool = strawberry.field(
        default=False,
        description="Whether a subscription account would send it through a temporary tag at WeChat.",
    )


@strawberry.type(
    description=(
        "Whom a broadcast would be sent to, and what it takes: matched = the sum of unsendable, of held, and of those "
        "who would be sent to. The audience is the present one; who of it can be sent to is told as of `earliestStart` "
        "if nobody does anything until then. For creators and admins (BROADCAST)."
    )
)
class BroadcastPreview:
    """Show what a broadcast would come to."""

    entity: strawberry.Private[use_cases.BroadcastPreview]
    matched: int = strawberry.field(description="How many people the audience has.")
    following: int = strawberry.field(
        description="How many people of the audience follow the channel, or have used the Mini Program."
    )
    sendable: int = strawberry.field(
        description=(
            "How many people of the audience can be sent to at `earliestStart` by WeChat's rules, those who are held "
            "included."
        )
    )
    quota_left: int | None = strawberry.field(
        description="How many calls of this kind WeChat takes today still; null while it has not told."
    )
    seconds_needed: int | None = strawberry.field(
        description=(
            "How many seconds it takes at the account's rates, as far as WeChat has told them, and at its slowest "
            "speed for mass messages; whole days are added where the quota of one does not suffice; null means that "
            "WeChat takes no calls of this kind, or next to none."
        )
    )
    earliest_start: datetime = strawberry.field(
        description="When sending would begin: at the start, or at the end of quiet hours and holidays."
    )
    approval_needed: bool = strawberry.field(description="Whether a second admin would have to approve it.")
    warnings: list[str] = strawberry.field(
        description="What to think of, in sentences: an audience of one, a message of this kind lately, quiet hours.",
        metadata=at_most(MAX_WARNINGS, usual=2),
    )
    as_of: datetime = strawberry.field(description="The oldest `asOf` of the tags in the audience.")

    @strawberry.field(
        description="People who can be sent to and would not be, by reason.",
        metadata=at_most(MAX_REASONS, usual=3),
    )
    def held(self) -> list[HeldBack]:
        return [self._held_back(reason, people) for reason, people in self.entity.assessment.held.items()]

    @strawberry.field(
        description="People who cannot be sent to at `earliestStart` by WeChat's rules, by reason.",
        metadata=at_most(MAX_REASONS, usual=3),
    )
    def unsendable(self) -> list[HeldBack]:
        return [self._held_back(reason, people) for reason, people in self.entity.assessment.unsendable.items()]

    def _held_back(self, reason: HeldReason, people: dict[int, int]) -> HeldBack:
        count = count_people(people)
        page = use_cases.people_in(self.entity.channel.channel_id, people)
        return HeldBack(people=page, named=count, reason=reason, count=count)

    @classmethod
    def of(cls, found: use_cases.BroadcastPreview) -> "BroadcastPreview":
        """Return the object of a preview."""
        return cls(
            entity=found,
            matched=found.assessment.matched,
            following=found.assessment.following,
            sendable=found.assessment.sendable,
            quota_left=found.estimate.calls_left,
            seconds_needed=found.estimate.seconds,
            earliest_start=found.earliest_start,
            approval_needed=found.approval_needed,
            warnings=list(found.warnings),
            as_of=found.as_of,
        )


@strawberry.type
class BroadcastPreviewQueries:
    @strawberry.field(
        description=(
            "Counts whom a broadcast would be sent to, with everybody who would not be, and what it takes, without "
            "making it. For creators and admins (BROADCAST). Answers BAD_USER_INPUT naming all that is wrong, "
            "LIMIT_EXCEEDED, NOT_FOUND, TAG_NOT_USABLE or CHANNEL_NOT_BOUND."
        ),
        extensions=[needs(Permission.BROADCAST)],
    )
    async def broadcast_preview(
        self,
        info: Info,
        input: Annotated[
            BroadcastPreviewInput, strawberry.argument(description="What the broadcast would be, in one object.")
        ],
    ) -> BroadcastPreview | None:
        request = use_cases.PreviewRequest(
            audience=draft_from_input(input.audience),
            kind=input.kind,
            template_id=input.template_id,
            start_at=input.start_at,
            hold_out_percent=input.hold_out_percent,
            once_only=input.once_only,
            ignore_caps=input.ignore_caps,
            temporary_tag=input.temporary_tag,
        )
        channel_id, context = parse_channel_gid(input.channel_id), info.context
        found = await use_cases.preview_broadcast(context.runtime, context.principal, channel_id, request)
        return BroadcastPreview.of(found)
