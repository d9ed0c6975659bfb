"""Renaming and deleting tags of any kind but the default ones, and what either would do."""

from dataclasses import dataclass, replace

from service.domain.channels.lookup import require
from service.domain.combos.expressions import Failure, refuse
from service.domain.combos.states import enqueue_clearing, hand_over, lock_open_combos, settle_combos
from service.domain.input_rules import tidy_name
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, lock_open_catalogue, write_tag_edits
from service.domain.tags.naming import (
    KEPT,
    Description,
    channel_of_tag,
    check_version,
    living_tag,
    naming_failures,
    taken_failures,
)
from service.entities.combos import ComboCatalogue
from service.entities.enums import ChangeCause, Permission, TagKind, TagState
from service.entities.errors import ChannelNotBoundError, TagProtectedError
from service.entities.principal import Principal
from service.entities.tags import Catalogue, Tag
from service.storage import combos


@dataclass(frozen=True, slots=True)
class Deletion:
    """A tag that is gone, or would be, and the combos that lapse with it."""

    book: ComboCatalogue
    tag: Tag
    lapsed: tuple[Tag, ...]


async def rename_tag(
    runtime: Runtime,
    principal: Principal,
    gid: str,
    name: str,
    *,
    description: Description = KEPT,
    expected_version: int | None = None,
) -> tuple[Catalogue, Tag]:
    """Another second-level name, and description if it is given; raises as editing a combo does."""
    require(principal, Permission.MANAGE_TAGS)
    tidied = tidy_name(name)
    failures: list[Failure] = naming_failures("", category=None, name=tidied, description=description)
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel, tag_id = await channel_of_tag(conn, principal, gid)
        catalogue = await lock_open_catalogue(conn, channel.channel_id)
        tag = _unprotected(catalogue, tag_id)
        check_version(tag, expected_version)
        refuse([*failures, *taken_failures(catalogue, tag.category, tidied, "name", tag_id=tag_id)])
        after = replace(tag, name=tidied, description=tag.description if description is KEPT else description)
        if after == tag:
            return catalogue, tag
        clock = runtime.clock()
        after = replace(after, version=tag.version + 1, updated_at=clock)
        catalogue, wake_up = await write_tag_edits(
            conn,
            catalogue,
            [TagEdit(TagChangeKind.UPDATED, tag, after)],
            cause=ChangeCause.TAG_EDITED,
            clock=clock,
        )
    runtime.publisher.publish([wake_up])
    return catalogue, after


async def delete_tag(runtime: Runtime, principal: Principal, gid: str) -> Deletion:
    """Leaves a tombstone, and lapses everything that is made of the tag, in one transaction.

    Raises TagProtectedError for default tags, NotFoundError, ChannelNotBoundError.
    """
    require(principal, Permission.MANAGE_TAGS)
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel, tag_id = await channel_of_tag(conn, principal, gid)
        book = await lock_open_combos(conn, channel.channel_id)
        tag = _unprotected(book.catalogue, tag_id)
        clock = runtime.clock()
        deleted = replace(tag, deleted_at=clock, updated_at=clock)
        catalogue, wake_up = await write_tag_edits(
            conn,
            book.catalogue,
            [TagEdit(TagChangeKind.DELETED, tag, deleted)],
            cause=ChangeCause.TAG_DELETED,
            clock=clock,
        )
        settled = await settle_combos(
            conn, replace(book, catalogue=catalogue), cause=ChangeCause.TAG_LAPSED, clock=clock
        )
    hand_over(runtime, settled.book, [wake_up, *settled.wake_ups])
    enqueue_clearing(runtime, settled.book)
    return Deletion(settled.book, deleted, tuple(settled.book.tags[each] for each in settled.lapsed))


async def deletion_preview(runtime: Runtime, principal: Principal, gid: str) -> Deletion:
    """What deleting a tag would do; raises as `delete_tag` does."""
    require(principal, Permission.MANAGE_TAGS)
    async with runtime.pool.acquire() as conn:
        channel, tag_id = await channel_of_tag(conn, principal, gid)
        book = await combos.combo_catalogue(conn, channel.channel_id)
    if not book.catalogue.open:
        raise ChannelNotBoundError
    tag = _unprotected(book.catalogue, tag_id)
    above = [book.tags[each] for each in sorted(book.above(tag_id))]
    return Deletion(book, tag, tuple(each for each in above if each.state is not TagState.LAPSED))


def _unprotected(catalogue: Catalogue, tag_id: int) -> Tag:
    tag = living_tag(catalogue, tag_id)
    if tag.kind is TagKind.DEFAULT:
        raise TagProtectedError
    return tag
