"""Check everything of a broadcast before anything of it is stored, and count whom it would be sent to now.

Source: docs/specification.md §6.6.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service.domain.audiences.received import receivable
from service.domain.broadcasts.audience.assessment import Assessment, Terms, assess_audience
from service.domain.broadcasts.audience.request_checks import (
    AUDIENCE_PATH,
    hold_out_errors,
    once_only_errors,
    start_errors,
    temporary_tag_errors,
)
from service.domain.broadcasts.audience.sendable import Sending
from service.domain.broadcasts.messages.categories import category_errors
from service.domain.broadcasts.messages.checking import examine_message
from service.domain.broadcasts.messages.content_hash import content_hash
from service.domain.broadcasts.messages.kinds import route_errors
from service.domain.broadcasts.policy.repeats import parse_repeat
from service.domain.broadcasts.series import first_run
from service.domain.combos.expressions import AllowedStates, format_expression, try_parse_expression
from service.domain.input_rules import name_error, normalise_name
from service.domain.official_account.refusals import require_account
from service.domain.runtime import Runtime
from service.entities.broadcast_messages import BroadcastMessage
from service.entities.broadcasts import BroadcastPolicy
from service.entities.channels import Channel
from service.entities.errors import (
    BadInputError,
    ChannelNotBoundError,
    FieldError,
    RequestError,
    raise_field_errors,
)
from service.entities.expressions import Draft, Expression
from service.entities.principal import Principal
from service.entities.repeats import Repeat, RepeatEvery
from service.storage import tags
from service.storage.database.pool import Connection

MIN_MASS_PEOPLE: Final = 2


@dataclass(frozen=True, slots=True)
class RepeatRequest:
    """Hold how a broadcast is to be repeated, as a client wrote it."""

    every: RepeatEvery
    at: str
    weekday: int | None = None
    day_of_month: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BroadcastRequest:
    """Hold what a broadcast is to be, as a client wrote it; without `start_at` it starts at once."""

    audience: Draft
    message: BroadcastMessage
    name: str | None = None
    start_at: datetime | None = None
    hold_out_percent: int = 0
    once_only: str | None = None
    ignore_caps: bool = False
    temporary_tag: bool = False
    repeat: RepeatRequest | None = None


@dataclass(frozen=True, slots=True)
class PlannedBroadcast:
    """Hold a broadcast that was found to be right, and whom it would be sent to now."""

    expression: Expression
    audience_text: str
    message: BroadcastMessage
    message_hash: bytes
    name: str | None
    start_at: datetime
    once_only: str | None
    repeat: Repeat | None
    first_run_at: datetime | None
    assessment: Assessment


async def plan_broadcast(
    conn: Connection,
    runtime: Runtime,
    principal: Principal,
    channel: Channel,
    policy: BroadcastPolicy,
    request: BroadcastRequest,
    *,
    kept_start: datetime | None = None,
) -> PlannedBroadcast:
    """Return a broadcast that may be stored; the transaction must be REPEATABLE READ to count it exactly.

    `kept_start` is when it starts if the request does not say; it is not checked.
    Raises a RequestError that names every failing input: BAD_USER_INPUT, LIMIT_EXCEEDED, NOT_FOUND, TAG_NOT_USABLE;
    then what `require_account` raises. ChannelNotBoundError; ForbiddenError for an audience by other broadcasts.
    """
    now = runtime.clock()
    catalogue = await tags.catalogue(conn, channel.channel_id)
    if not catalogue.open:
        raise ChannelNotBoundError
    names = await receivable(conn, runtime, principal, channel.channel_id, request.audience)
    expression, errors = try_parse_expression(
        catalogue, request.audience, AllowedStates.ACTIVE_ONLY, names, path=AUDIENCE_PATH
    )
    if not errors:
        kind, temporary_tag = request.message.kind, request.temporary_tag
        errors += route_errors(channel, kind, expression, temporary_tag=temporary_tag, path=("temporary_tag",))
    examined = examine_message(channel, request.message)
    errors += examined.errors or category_errors(catalogue, examined.message)
    errors += [*_name_errors(request), *start_errors(request.start_at, now)]
    errors += hold_out_errors(request.hold_out_percent)
    errors += temporary_tag_errors(channel, mass=request.message.kind.mass, wanted=request.temporary_tag)
    start_at = max(request.start_at or kept_start or now, now)
    repeat, first_run_at, repeat_errors = _repeat(policy, request, start_at)
    raise_field_errors([*errors, *repeat_errors])
    require_account(runtime, channel)
    sending = Sending.of_message(channel, examined.message, now)
    terms = Terms(sending, policy, request.hold_out_percent, request.ignore_caps)
    assessment = await assess_audience(conn, terms, expression)
    if request.message.kind.mass and assessment.sendable < MIN_MASS_PEOPLE:
        text = f"A mass message needs {MIN_MASS_PEOPLE} people who can be sent to; there are {assessment.sendable} now."
        raise BadInputError(FieldError(AUDIENCE_PATH, "TOO_FEW", text))
    return PlannedBroadcast(
        expression=expression,
        audience_text=format_expression(catalogue, expression, names),
        message=examined.message,
        message_hash=content_hash(examined.message),
        name=None if request.name is None else normalise_name(request.name),
        start_at=start_at,
        once_only=None if request.once_only is None else request.once_only.strip(),
        repeat=repeat,
        first_run_at=first_run_at,
        assessment=assessment,
    )


def _name_errors(request: BroadcastRequest) -> Iterator[FieldError]:
    if request.name is not None:
        found = name_error("name", normalise_name(request.name))
        if found is not None:
            yield found
    yield from once_only_errors(request.once_only)


def _repeat(
    policy: BroadcastPolicy, request: BroadcastRequest, start_at: datetime
) -> tuple[Repeat | None, datetime | None, tuple[FieldError, ...]]:
    given = request.repeat
    if given is None:
        return None, None, ()
    try:
        repeat = parse_repeat(given.every, given.at, given.weekday, given.day_of_month, given.until)
        return repeat, first_run(policy, request.message.kind, repeat, start_at), ()
    except RequestError as error:
        return None, None, error.fields
