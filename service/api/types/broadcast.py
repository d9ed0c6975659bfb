"""Show broadcasts: what they send, to whom, how far they are, and who was not sent to."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Final, Optional, TypeAlias

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most, long_text, takes_as_long_as
from service.api.types.broadcast_message import BroadcastMessage, message_summary
from service.api.types.broadcast_report import COUNTING, BroadcastFailure, BroadcastResponse, uncertain_page
from service.api.types.connection import (
    Connection,
    Edge,
    check_page_size,
    counted_page,
    encode_page_cursor,
    page,
    start_of_page,
)
from service.api.types.expression import TagExpression, expression_to_graphql
from service.api.types.held_back import HeldBack
from service.api.types.job import Job, job_fields
from service.api.types.primitives import After, First, Node
from service.api.types.repeat import Repeat
from service.api.types.user import UserConnection
from service.domain.audiences.received import broadcast_name
from service.domain.broadcasts.reports import broadcast_ids, people_of, response_within
from service.entities.broadcast_messages import message_from_json
from service.entities.broadcast_reports import BroadcastReport, NotSentTo
from service.entities.broadcasts import HeldReason, MessageKind, WaitReason
from service.entities.errors import NotFoundError
from service.entities.expressions import from_json
from service.entities.repeats import repeat_from_json

MAX_REASONS: Final = len(HeldReason)
# WeChat has far fewer codes for messages.
MAX_CODES: Final = 200
# Values: one operation may ask it of a page of 20, whatever their audiences.
LOOKING_AT_EVERYBODY: Final = 2_000


@strawberry.type(
    description=(
        "A message to the people of an audience, each of whom gets it once. All numbers are of one instant, 0 before "
        "the audience is frozen at the start and while the gate is closed, and always matched = unsendable + planned + "
        "sent + failed + uncertain + held. For creators and admins (BROADCAST)."
    )
)
class Broadcast(Job, Node):
    """Show a broadcast with its report."""

    report: strawberry.Private[BroadcastReport]
    is_open: strawberry.Private[bool]
    name: str | None = strawberry.field(description="What the team calls the broadcast; null if it has no name.")
    kind: MessageKind = strawberry.field(description="Which kind of message is sent.")
    start_at: datetime = strawberry.field(description="When sending begins at the earliest.")
    created_by: str = strawberry.field(description="Subject of the token with which the broadcast was made.")
    approved_by: str | None = strawberry.field(
        description="Subject of the admin who approved the broadcast; null until one did."
    )
    approved_at: datetime | None = strawberry.field(description="When the broadcast was approved; null until then.")
    approved_for: int | None = strawberry.field(
        description=(
            "How many people were approved; if the audience has more at the start, approval is asked for again. Null "
            "until the broadcast was approved, and while the gate is closed."
        )
    )
    waiting_for: WaitReason | None = strawberry.field(
        description="What the broadcast waits for; null unless it is WAITING, WAITING_FOR_APPROVAL or PAUSED."
    )
    hold_out_percent: int = strawberry.field(
        description="How many percent of the audience are held out, the same people each time, to compare with."
    )
    matched: int = strawberry.field(description="How many people the audience has.")
    following: int = strawberry.field(description="How many people of the audience followed the channel at the start.")
    sendable: int = strawberry.field(
        description="How many people of the audience can be sent to by WeChat's rules, those who are held included."
    )
    planned: int = strawberry.field(description="How many people are still to be sent to.")
    sent: int = strawberry.field(description="How many messages WeChat has accepted.")
    failed: int = strawberry.field(description="How many people WeChat refused to send to.")
    uncertain: int = strawberry.field(
        description=(
            "How many people are being sent to, or no answer says whether they were; nobody of them is sent to again "
            "by itself."
        )
    )
    delivered: int | None = strawberry.field(
        description="How many people got the message, as WeChat told afterwards; null where it did not, or not yet."
    )
    next_run_at: datetime | None = strawberry.field(
        description="When the series goes on; null for what is no series, and when it has ended."
    )

    @classmethod
    async def load(cls, info: Info, channel_id: int, job_id: int) -> "Broadcast":
        """Return a broadcast that the principal may see. Raises NotFoundError."""
        found = await cls.find(info, channel_id, job_id)
        if found is None:
            raise NotFoundError("broadcast")
        return found

    @classmethod
    async def find(cls, info: Info, channel_id: int, job_id: int) -> "Broadcast | None":
        """Return a broadcast that the principal may see, None if it is no longer there."""
        return next(iter(await cls.load_many(info, [(channel_id, job_id)])), None)

    @classmethod
    async def load_many(cls, info: Info, keys: Sequence[tuple[int, int]]) -> "list[Broadcast]":
        """Return broadcasts by channel and number, in this order; what is not there is left out."""
        loaders = info.context.loaders
        reports = await loaders.broadcast_report.load_many(keys)
        states = await loaders.state_of_channel.load_many([channel_id for channel_id, _ in keys])
        return [
            cls.of(report, is_open=state.open)
            for report, state in zip(reports, states, strict=True)
            if report is not None
        ]

    @classmethod
    def of(cls, report: BroadcastReport, *, is_open: bool) -> "Broadcast":
        """Return the object of a report; behind a closed gate nobody is counted."""
        entity = report.broadcast
        fields = job_fields(report.job, is_open=is_open)
        if entity.frozen_at is not None and is_open:
            fields |= {"done": report.claimed, "total": report.total}
            if not report.job.state.finished:
                fields["progress"] = report.claimed / report.total if report.total else 0.0

        def shown(count: int) -> int:
            return count if is_open else 0

        return cls(
            **fields,
            report=report,
            is_open=is_open,
            name=entity.name,
            kind=entity.kind,
            start_at=entity.start_at,
            created_by=report.job.created_by,
            approved_by=entity.approved_by,
            approved_at=entity.approved_at,
            approved_for=entity.approved_for if is_open else None,
            # Of what goes on again, it is what it waited for last.
            waiting_for=entity.waiting_for if report.job.state.waits else None,
            hold_out_percent=entity.hold_out_percent,
            matched=shown(entity.matched),
            following=shown(entity.following),
            sendable=shown(report.sendable),
            planned=shown(entity.planned),
            sent=shown(entity.sent),
            failed=shown(entity.failed),
            uncertain=shown(entity.uncertain),
            delivered=entity.delivered if is_open else None,
            next_run_at=entity.next_run_at,
        )

    @strawberry.field(description="The audience, as an expression over tags of the channel.")
    async def audience(self, info: Info) -> TagExpression:
        channel_id, expression = self.entity.channel_id, from_json(self.report.broadcast.audience)
        catalogue = await info.context.loaders.catalogue_of_channel.load(channel_id)
        reports = {
            job_id: await info.context.loaders.broadcast_report.load((channel_id, job_id))
            for job_id in expression.broadcast_ids()
        }
        names = {
            job_id: broadcast_name(report.broadcast.name, report.broadcast.start_at)
            for job_id, report in reports.items()
            if report is not None
        }
        return expression_to_graphql(expression, catalogue, names)

    @strawberry.field(description="What is sent.")
    def content(self) -> BroadcastMessage:
        return BroadcastMessage.of(message_from_json(self.report.broadcast.message))

    @strawberry.field(
        description="What is sent, as a text for lists: of templates all fields.", metadata=long_text(200)
    )
    def message(self) -> str:
        return message_summary(message_from_json(self.report.broadcast.message))

    @strawberry.field(
        description="People who can be sent to and are not, by reason; empty while the gate is closed.",
        metadata=at_most(MAX_REASONS, usual=3),
    )
    def held(self) -> list[HeldBack]:
        return self._not_sent_to(self.report.held)

    @strawberry.field(
        description="People who cannot be sent to by WeChat's rules, by reason; empty while the gate is closed.",
        metadata=at_most(MAX_REASONS, usual=3),
    )
    def unsendable(self) -> list[HeldBack]:
        return self._not_sent_to(self.report.unsendable)

    @strawberry.field(description="When the broadcast is repeated; null if it is not, and for the runs of a series.")
    def repeat(self) -> Repeat | None:
        stored = self.report.broadcast.repeat
        return None if stored is None else Repeat.of(repeat_from_json(stored))

    @strawberry.field(
        description="The series that this is a run of, the broadcast that is repeated; null for what is no run."
    )
    async def repeat_of(self, info: Info) -> Optional["Broadcast"]:
        series = self.report.broadcast.repeat_of
        return None if series is None else await Broadcast.find(info, self.entity.channel_id, series)

    @strawberry.field(
        description=(
            "The runs of a series after the broadcast itself, newest first; those that were skipped are CANCELLED, and "
            "`error` says why. Empty for what is no series."
        )
    )
    async def runs(
        self, info: Info, first: First = 20, after: After = None
    ) -> Connection[Annotated["Broadcast", strawberry.lazy("service.api.types.broadcast")]]:
        return await broadcast_page(info, self.entity.channel_id, first=first, after=after, series=self.entity.job_id)

    @strawberry.field(
        description="People whom WeChat refused to send to, by its code; empty while the gate is closed.",
        metadata=at_most(MAX_CODES, usual=3),
    )
    def failures(self) -> list[BroadcastFailure]:
        shown = self.report.failures[:MAX_CODES] if self.is_open else ()
        return [BroadcastFailure.of(self.report.broadcast, each) for each in shown]

    @strawberry.field(
        description="People of whom no answer says whether they were sent to; nobody while the gate is closed.",
        metadata=takes_as_long_as(COUNTING),
    )
    async def uncertain_users(self, info: Info, first: First = 50, after: After = None) -> UserConnection:
        if not self.is_open:
            check_page_size(first)
            return counted_page([], after=after, has_next=False, total=0)
        return await uncertain_page(info, self.report.broadcast, first=first, after=after)

    @strawberry.field(
        description=(
            "What people did within some hours of their message, beside those held out at the same time; null before "
            "the start and while the gate is closed."
        ),
        metadata=takes_as_long_as(LOOKING_AT_EVERYBODY),
    )
    async def response(
        self,
        info: Info,
        hours: Annotated[
            int, strawberry.argument(description="How many hours count, 1 to 720; BAD_USER_INPUT outside.")
        ] = 48,
    ) -> BroadcastResponse | None:
        counted = await response_within(info.context.runtime, self.report.broadcast, hours)
        return None if counted is None or not self.is_open else BroadcastResponse.of(counted)

    def _not_sent_to(self, counts: Iterable[NotSentTo]) -> list[HeldBack]:
        return [
            HeldBack(
                people=people_of(self.entity.channel_id, self.entity.job_id, each.role),
                named=each.named,
                reason=each.reason,
                count=each.count,
            )
            for each in counts
            if self.is_open and each.count
        ]


BroadcastConnection: TypeAlias = Connection[Broadcast]


async def broadcast_page(
    info: Info, channel_id: int, *, first: int, after: str | None, series: int | None = None
) -> BroadcastConnection:
    """Return a page of a channel's broadcasts, or of the runs of a series, newest first."""
    before = start_of_page("broadcast", first, after)
    found = await broadcast_ids(info.context.runtime, channel_id, first=first, before=before, series=series)
    shown = await Broadcast.load_many(info, [(channel_id, each) for each in found.items])
    edges = [Edge(cursor=encode_page_cursor("broadcast", each.entity.job_id), node=each) for each in shown]
    return page(edges, after=after, has_next=found.has_more)
