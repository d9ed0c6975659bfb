"""Count, compare and page through audiences, which are expressions of ACTIVE tags; nothing is saved."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Final

from service.domain.audiences.looking_back import INSTANT, Past, past_blocks_of_audience, past_of, past_size
from service.domain.audiences.paging import users_page
from service.domain.audiences.received import receivable
from service.domain.channels.lookup import find_channel
from service.domain.combos.expressions import (
    NO_BROADCASTS,
    AllowedStates,
    BroadcastNames,
    not_usable_reason,
    parse_expression,
)
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import (
    BadInputError,
    ChannelNotBoundError,
    FieldError,
    LimitExceededError,
    NotFoundError,
    TagNotUsableError,
)
from service.entities.expressions import Draft, Expression, broadcast_drafts
from service.entities.paging import Page
from service.entities.principal import Permission, Principal
from service.entities.tags import Catalogue, Tag, TagKey, TagKind
from service.entities.users import ChannelUser
from service.storage import audiences, combos, tags
from service.storage.database.pool import Connection

MIN_COMPARED_TAGS: Final = 2
MAX_COMPARED_TAGS: Final = 20


@dataclass(frozen=True, slots=True)
class Audience:
    """Describe a counted set of users, with the catalogue and the broadcasts that name what it is made of.

    With `past` it is the set of an earlier instant.
    """

    channel: Channel
    catalogue: Catalogue
    expression: Expression
    as_of: datetime
    size: audiences.AudienceSize
    broadcasts: BroadcastNames
    past: Past | None = None

    def require_present(self) -> None:
        """Raise BadInputError if the set is that of an earlier instant, from which nothing is foreseen."""
        if self.past is not None:
            message = "What is ahead is told of those who are in the audience now: leave out the instant."
            raise BadInputError(FieldError((INSTANT,), "ONLY_OF_NOW", message))


@dataclass(frozen=True, slots=True)
class PairOverlap:
    """Count the users who have both of two tags, and those who have only one of them."""

    a: Tag
    b: Tag
    both: int
    only_a: int
    only_b: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """Hold the overlap of every pair of some tags, and their catalogue."""

    catalogue: Catalogue
    pairs: tuple[PairOverlap, ...]


async def count_audience(runtime: Runtime, principal: Principal, channel_id: int, draft: Draft) -> Audience:
    """Count the users of an expression.

    Raises ForbiddenError, NotFoundError, ChannelNotBoundError, and what `parse_expression` raises.
    """
    async with runtime.pool.acquire() as conn:
        channel = await find_channel(conn, principal, channel_id, Permission.VIEW_USERS)
        catalogue = await _open_catalogue(conn, channel.channel_id)
        broadcasts = await receivable(conn, runtime, principal, channel.channel_id, draft)
        expression = parse_expression(catalogue, draft, AllowedStates.ACTIVE_ONLY, broadcasts)
        as_of = await oldest_as_of(conn, catalogue, expression)
        size = await audiences.audience_size(conn, channel.channel_id, expression)
    return Audience(channel, catalogue, expression, as_of, size, broadcasts)


async def count_audience_as_of(
    runtime: Runtime, principal: Principal, channel_id: int, draft: Draft, at: datetime
) -> Audience:
    """Count who was in the set of an expression at an earlier instant; its tags must be ACTIVE now.

    Raises what `count_audience` raises, and BadInputError for an instant that the change log does not reach, one that
    is still to come, and an expression that names broadcasts.
    """
    async with runtime.pool.acquire() as conn:
        channel = await find_channel(conn, principal, channel_id, Permission.VIEW_USERS)
        catalogue = await _open_catalogue(conn, channel.channel_id)
        if next(broadcast_drafts(draft), None) is not None:
            message = "Who had received a broadcast by then is not kept: leave out `received`, or the instant."
            raise BadInputError(FieldError((INSTANT,), "NOT_WITH_RECEIVED", message))
        expression = parse_expression(catalogue, draft, AllowedStates.ACTIVE_ONLY, NO_BROADCASTS)
        past = await past_of(conn, runtime, channel.channel_id, expression, at)
    size = await past_size(runtime, channel.channel_id, expression, past)
    return Audience(channel, catalogue, expression, at, size, NO_BROADCASTS, past)


async def members_page(
    runtime: Runtime,
    channel_id: int,
    expression: Expression,
    *,
    first: int,
    after: int | None,
    past: Past | None = None,
) -> Page[ChannelUser]:
    """Return the next `first` users of an expression after ordinal `after`, as `users_page` does.

    With `past` return those who were in it then, as they are now.
    """

    async def read_blocks(conn: Connection, start: int, limit: int) -> Sequence[audiences.BlockMembers]:
        if past is not None:
            return await past_blocks_of_audience(conn, channel_id, expression, past, start=start, limit=limit)
        return await audiences.blocks_of_audience(conn, channel_id, expression, start=start, limit=limit)

    async with nullcontext() if past is None else runtime.long_reads:
        return await users_page(runtime, channel_id, read_blocks, first=first, after=after)


async def tag_overlap(runtime: Runtime, principal: Principal, tag_ids: Sequence[TagKey]) -> Overlap:
    """Compare every pair of 2 to 20 ACTIVE tags, all of one channel.

    Raises ForbiddenError, LimitExceededError, BadInputError, NotFoundError, ChannelNotBoundError, TagNotUsableError.
    """
    channel_id = _check_compared(tag_ids)
    compared_ids = [key.tag_id for key in tag_ids]
    async with runtime.pool.acquire() as conn:
        await find_channel(conn, principal, channel_id, Permission.VIEW_USERS, sought="tag")
        catalogue = await tags.catalogue(conn, channel_id)
        compared = _usable_tags(catalogue, compared_ids)
        shared = await audiences.tag_overlaps(conn, channel_id, compared_ids)
    return Overlap(catalogue, tuple(_pair_overlap(shared, a, b) for a, b in combinations(compared, 2)))


async def _open_catalogue(conn: Connection, channel_id: int) -> Catalogue:
    catalogue = await tags.catalogue(conn, channel_id)
    if not catalogue.open:
        raise ChannelNotBoundError
    return catalogue


async def oldest_as_of(conn: Connection, catalogue: Catalogue, expression: Expression) -> datetime:
    """Return the oldest instant of the tags of an expression; read before the members, so that these are not older."""
    kinds = {tag_id: catalogue.tags[tag_id].kind for tag_id in expression.tag_ids()}
    only_combos = set(kinds.values()) == {TagKind.COMBO} and not expression.has_followers()
    instants = [] if only_combos else [catalogue.default_tags_as_of]
    if TagKind.COMBO in kinds.values():
        known = await combos.combos_of(conn, catalogue.channel_id)
        found = (known[tag_id].as_of for tag_id, kind in kinds.items() if kind is TagKind.COMBO)
        instants += (each for each in found if each is not None)
    return min(instants, default=catalogue.default_tags_as_of)


def _check_compared(tag_ids: Sequence[TagKey]) -> int:
    """Return the channel of the tags. Raises LimitExceededError, BadInputError, NotFoundError for two channels."""
    if len(tag_ids) > MAX_COMPARED_TAGS:
        raise LimitExceededError(f"At most {MAX_COMPARED_TAGS} tags are compared at once.")
    if len(tag_ids) < MIN_COMPARED_TAGS:
        raise BadInputError(FieldError(("tag_ids",), "TOO_FEW", f"At least {MIN_COMPARED_TAGS} tags are compared."))
    errors = [
        FieldError(("tag_ids", index), "REPEATED", "This tag is in the list already.")
        for index, key in enumerate(tag_ids)
        if key in tag_ids[:index]
    ]
    if errors:
        raise BadInputError(*errors)
    channel_id = tag_ids[0].channel_id
    if any(key.channel_id != channel_id for key in tag_ids):
        # A tag of another channel is answered like one that does not exist.
        raise NotFoundError("tag")
    return channel_id


def _usable_tags(catalogue: Catalogue, tag_ids: Sequence[int]) -> list[Tag]:
    if any(tag_id not in catalogue.tags for tag_id in tag_ids):
        raise NotFoundError("tag")
    if not catalogue.open:
        raise ChannelNotBoundError
    found = [catalogue.tags[tag_id] for tag_id in tag_ids]
    errors = [
        FieldError(("tag_ids", index), "TAG_NOT_USABLE", error)
        for index, tag in enumerate(found)
        if (error := not_usable_reason(tag, AllowedStates.ACTIVE_ONLY)) is not None
    ]
    if errors:
        raise TagNotUsableError(errors[0].message, *errors)
    return found


def _pair_overlap(shared: dict[tuple[int, int], int], a: Tag, b: Tag) -> PairOverlap:
    both = shared.get((min(a.tag_id, b.tag_id), max(a.tag_id, b.tag_id)), 0)
    return PairOverlap(
        a,
        b,
        both,
        shared.get((a.tag_id, a.tag_id), 0) - both,
        shared.get((b.tag_id, b.tag_id), 0) - both,
    )
