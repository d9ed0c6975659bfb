"""Say before anything is made whom a broadcast would be sent to, what it takes, and what to think of.

Source: docs/specification.md §6.6.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.domain.audiences.counting import oldest_as_of
from service.domain.audiences.paging import PeoplePage, users_page
from service.domain.audiences.received import receivable
from service.domain.broadcasts.audience.assessment import Assessment, Terms, assess_audience
from service.domain.broadcasts.audience.estimates import Estimate, estimate
from service.domain.broadcasts.audience.once_only import reached_before
from service.domain.broadcasts.audience.request_checks import (
    AUDIENCE_PATH,
    hold_out_errors,
    once_only_errors,
    start_errors,
    temporary_tag_errors,
)
from service.domain.broadcasts.audience.sendable import Sending
from service.domain.broadcasts.messages.checking import template_id_errors
from service.domain.broadcasts.messages.kinds import kind_error
from service.domain.broadcasts.policy.holidays import holidays_warning
from service.domain.broadcasts.policy.sending_times import EarliestStart, earliest_start
from service.domain.broadcasts.policy.stored import lacks_key, policy_of, shown_policy
from service.domain.channels.lookup import find_channel
from service.domain.combos.expressions import AllowedStates, try_parse_expression
from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps, both, count_people
from service.entities.blocks import BLOCK_BYTES
from service.entities.broadcasts import BroadcastPolicy, HeldReason, MessageKind, WaitReason
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import ChannelNotBoundError, FieldError, raise_field_errors
from service.entities.expressions import Draft
from service.entities.paging import Page
from service.entities.principal import Permission, Principal
from service.entities.users import ChannelUser
from service.foundation.clock import format_time
from service.storage import tags
from service.storage.audiences import BlockMembers
from service.storage.broadcasts import broadcast_audiences
from service.storage.database.pool import Connection


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """Hold a broadcast to preview, as a client wrote it."""

    audience: Draft
    kind: MessageKind
    template_id: str | None = None
    start_at: datetime | None = None
    hold_out_percent: int = 0
    once_only: str | None = None
    ignore_caps: bool = False
    temporary_tag: bool = False


@dataclass(frozen=True, slots=True)
class BroadcastPreview:
    """Hold what a broadcast would come to with the present audience, and what to think of, in sentences.

    Who can be sent to is told as of the earliest start, if nobody does anything until then.
    """

    channel: Channel
    assessment: Assessment
    estimate: Estimate
    earliest_start: datetime
    approval_needed: bool
    warnings: tuple[str, ...]
    as_of: datetime


async def preview_broadcast(
    runtime: Runtime, principal: Principal, channel_id: int, request: PreviewRequest
) -> BroadcastPreview:
    """Return what a broadcast would come to; nothing is stored but, once, the key by which people are held out.

    Raises ForbiddenError, NotFoundError, ChannelNotBoundError, and a RequestError that names every failing input.
    """
    async with runtime.pool.acquire() as conn:
        channel = await find_channel(conn, principal, channel_id, Permission.BROADCAST)
        policy = await shown_policy(conn, channel_id)
    excluded: dict[HeldReason, Bitmaps] = {}
    if request.once_only is not None and not list(once_only_errors(request.once_only)):
        excluded[HeldReason.ONCE_ONLY] = await reached_before(runtime, channel, request.once_only.strip())
    found = await _preview(runtime, principal, channel, policy, request, excluded)
    if lacks_key(policy, request.hold_out_percent):
        async with runtime.pool.acquire() as conn:
            policy = await policy_of(conn, channel_id)
        return await _preview(runtime, principal, channel, policy, request, excluded)
    return found


async def _preview(
    runtime: Runtime,
    principal: Principal,
    channel: Channel,
    policy: BroadcastPolicy,
    request: PreviewRequest,
    excluded: Mapping[HeldReason, Bitmaps],
) -> BroadcastPreview:
    now, channel_id = runtime.clock(), channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        catalogue = await tags.catalogue(conn, channel_id)
        if not catalogue.open:
            raise ChannelNotBoundError
        names = await receivable(conn, runtime, principal, channel_id, request.audience)
        expression, errors = try_parse_expression(
            catalogue, request.audience, AllowedStates.ACTIVE_ONLY, names, path=AUDIENCE_PATH
        )
        raise_field_errors([*errors, *_errors(channel, request, now)])
        as_of = await oldest_as_of(conn, catalogue, expression)
        template_id = _template_id(request)
        start = earliest_start(policy, max(request.start_at or now, now))
        terms = Terms(
            Sending(channel, request.kind, template_id if request.kind.subscription else None, start.at),
            policy,
            request.hold_out_percent,
            request.ignore_caps,
            excluded,
        )
        assessment = await assess_audience(conn, terms, expression)
        people = count_people(assessment.planned)
        needed = await estimate(conn, runtime, channel, request.kind, people)
        again = await _sent_lately(conn, policy, channel, request.kind, template_id, assessment.planned, start.at)
    return BroadcastPreview(
        channel=channel,
        assessment=assessment,
        estimate=needed,
        earliest_start=start.at,
        approval_needed=policy.approval_above is not None and people > policy.approval_above,
        warnings=tuple(_warnings(channel, policy, request, assessment, needed, start, again)),
        as_of=as_of,
    )


def people_in(channel_id: int, people: Bitmaps) -> PeoplePage:
    """Return a function that returns the next of these people, when given how many and after which ordinal."""
    blocks = sorted(people)

    async def read_blocks(conn: Connection, start: int, limit: int) -> Sequence[BlockMembers]:
        del conn
        wanted = [block for block in blocks if block >= start][:limit]
        return [BlockMembers(block, people[block].to_bytes(BLOCK_BYTES)) for block in wanted]

    async def read_page(runtime: Runtime, first: int, after: int | None) -> Page[ChannelUser]:
        return await users_page(runtime, channel_id, read_blocks, first=first, after=after)

    return read_page


def _template_id(request: PreviewRequest) -> str | None:
    """Return the template of the message, as broadcasts store it; None for kinds without."""
    templated = request.kind.subscription or request.kind is MessageKind.TEMPLATE
    return request.template_id.strip() if templated and request.template_id else None


def _errors(channel: Channel, request: PreviewRequest, now: datetime) -> Iterator[FieldError]:
    wrong_kind = kind_error(channel, request.kind, ("kind",))
    if wrong_kind is not None:
        yield wrong_kind
    if request.template_id:
        yield from template_id_errors(request.template_id.strip())
    elif request.kind.subscription:
        yield FieldError(("template_id",), "REQUIRED", "People allow messages of a template, so it is needed.")
    yield from start_errors(request.start_at, now)
    yield from hold_out_errors(request.hold_out_percent)
    yield from once_only_errors(request.once_only)
    yield from temporary_tag_errors(channel, mass=request.kind.mass, wanted=request.temporary_tag)


async def _sent_lately(
    conn: Connection,
    policy: BroadcastPolicy,
    channel: Channel,
    kind: MessageKind,
    template_id: str | None,
    people: Bitmaps,
    start: datetime,
) -> int:
    """Count who of some people got, or will get, a message of the same kind and template shortly before a start."""
    since = start - policy.duplicate_within
    same = await broadcast_audiences.broadcasts_of_kind(conn, channel.channel_id, kind, template_id, since)
    return count_people(both(people, await broadcast_audiences.received_by(conn, channel.channel_id, same)))


def _warnings(
    channel: Channel,
    policy: BroadcastPolicy,
    request: PreviewRequest,
    assessment: Assessment,
    needed: Estimate,
    start: EarliestStart,
    again: int,
) -> Iterator[str]:
    people = count_people(assessment.planned)
    if HeldReason.AUDIENCE_TOO_SMALL in assessment.held:
        yield "Only one person would be sent to, and WeChat takes mass messages to two people at least."
    elif not people:
        yield "Nobody would be sent to."
    if again:
        days = policy.duplicate_within / timedelta(days=1)
        yield f"{again:,} of these people were, or will be, sent a message of this kind within {days:g} days."
    if start.waiting_for is WaitReason.QUIET_HOURS:
        yield f"The start is in quiet hours: sending begins {format_time(start.at)}."
    elif start.waiting_for is WaitReason.HOLIDAY:
        yield f"The start is on a holiday: sending begins {format_time(start.at)}."
    unknown = holidays_warning(start.at) if policy.respect_holidays else None
    if unknown is not None:
        yield unknown
    if needed.calls_left is not None and needed.calls_needed > needed.calls_left:
        yield f"{needed.calls_needed:,} calls are needed, and {needed.calls_left:,} are left today: the rest waits."
    by_tag = channel.kind is ChannelKind.SUBSCRIPTION_ACCOUNT and request.kind.mass
    if by_tag and not request.temporary_tag and assessment.held:
        yield "Subscription accounts send to whole tags, so nobody can be held back without a temporary tag."
