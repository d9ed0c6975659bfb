"""Rename and delete tags of any kind but the default ones, and preview what deleting would do."""

from dataclasses import dataclass, replace

from service.domain.audit.recording import changes, record
from service.domain.audit.values import tag_ref, tag_values
from service.domain.channels.lookup import find_channel
from service.domain.combos.states import enqueue_clearing, lock_open_combos, publish_and_enqueue, update_combo_states
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, lock_open_catalogue, write_tag_edits
from service.domain.tags.naming import (
    UNCHANGED,
    DescriptionUpdate,
    check_not_merging,
    check_version,
    edited_name,
    name_taken_errors,
    naming_errors,
    require_living_tag,
)
from service.entities.blocks import ChangeCause
from service.entities.combos import ComboGraph
from service.entities.errors import ChannelNotBoundError, TagProtectedError, raise_field_errors
from service.entities.principal import Permission, Principal
from service.entities.tags import Catalogue, CataloguedTag, Tag, TagKind, TagState
from service.storage import combos


@dataclass(frozen=True, slots=True)
class Deletion:
    """Hold a tag that was or would be deleted, the combos that lapse with it, and the graph they are in."""

    graph: ComboGraph
    tag: Tag
    lapsed: tuple[Tag, ...]


async def rename_tag(
    runtime: Runtime,
    principal: Principal,
    channel_id: int,
    tag_id: int,
    name: str,
    *,
    description: DescriptionUpdate = UNCHANGED,
    expected_version: int | None = None,
) -> CataloguedTag:
    """Change the second-level name of a tag, and its description if one is given.

    Raises ForbiddenError, NotFoundError, ChannelNotBoundError, TagProtectedError, ConflictError when
    `expected_version` is old, and a RequestError that names every failing input.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        await find_channel(conn, principal, channel_id, Permission.MANAGE_TAGS, sought="tag")
        catalogue = await lock_open_catalogue(conn, channel_id)
        tag = _require_unprotected_tag(catalogue, tag_id)
        check_version(tag, expected_version)
        tidied = edited_name(name, tag.name)
        errors = naming_errors(category=None, name=None if tidied == tag.name else tidied, description=description)
        raise_field_errors([*errors, *name_taken_errors(catalogue, tag.category, tidied, "name", tag_id=tag_id)])
        after = replace(tag, name=tidied, description=tag.description if description is UNCHANGED else description)
        if after == tag:
            return CataloguedTag(tag, catalogue)
        now = runtime.clock()
        after = replace(after, version=tag.version + 1, updated_at=now)
        catalogue, notification = await write_tag_edits(
            conn,
            catalogue,
            [TagEdit(TagChangeKind.UPDATED, tag, after)],
            cause=ChangeCause.TAG_EDITED,
            now=now,
        )
        await record(
            conn,
            runtime,
            principal,
            "rename_tag",
            channel_id=channel_id,
            target=tag_ref(channel_id, tag_id),
            **changes(tag_values(tag), tag_values(after)),
        )
    runtime.publisher.publish([notification])
    return CataloguedTag(after, catalogue)


async def delete_tag(runtime: Runtime, principal: Principal, channel_id: int, tag_id: int) -> Deletion:
    """Delete a tag, leaving a tombstone, and lapse all combos made of it, in one transaction.

    Raises ForbiddenError, NotFoundError, ChannelNotBoundError, TagProtectedError for default tags, and ConflictError
    while the tag is being merged.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        await find_channel(conn, principal, channel_id, Permission.MANAGE_TAGS, sought="tag")
        graph = await lock_open_combos(conn, channel_id)
        tag = _require_unprotected_tag(graph.catalogue, tag_id)
        await check_not_merging(conn, channel_id, tag_id)
        now = runtime.clock()
        deleted = replace(tag, deleted_at=now, updated_at=now)
        catalogue, notification = await write_tag_edits(
            conn,
            graph.catalogue,
            [TagEdit(TagChangeKind.DELETED, tag, deleted)],
            cause=ChangeCause.TAG_DELETED,
            now=now,
        )
        update = await update_combo_states(
            conn, replace(graph, catalogue=catalogue), cause=ChangeCause.TAG_LAPSED, now=now
        )
        await record(
            conn,
            runtime,
            principal,
            "delete_tag",
            channel_id=channel_id,
            target=tag_ref(channel_id, tag_id),
            before=tag_values(tag),
            after={"lapsed": [tag_ref(channel_id, each) for each in update.lapsed]} if update.lapsed else None,
        )
    publish_and_enqueue(runtime, update.graph, [notification, *update.notifications])
    enqueue_clearing(runtime, update.graph)
    return Deletion(update.graph, deleted, tuple(update.graph.tags[each] for each in update.lapsed))


async def deletion_preview(runtime: Runtime, principal: Principal, channel_id: int, tag_id: int) -> Deletion:
    """Return what deleting a tag would do. Raises what `delete_tag` raises."""
    async with runtime.pool.acquire() as conn:
        await find_channel(conn, principal, channel_id, Permission.MANAGE_TAGS, sought="tag")
        graph = await combos.combo_graph(conn, channel_id)
    if not graph.catalogue.open:
        raise ChannelNotBoundError
    tag = _require_unprotected_tag(graph.catalogue, tag_id)
    above = [graph.tags[each] for each in sorted(graph.dependents(tag_id))]
    return Deletion(graph, tag, tuple(each for each in above if each.state is not TagState.LAPSED))


def _require_unprotected_tag(catalogue: Catalogue, tag_id: int) -> Tag:
    tag = require_living_tag(catalogue, tag_id)
    if tag.kind is TagKind.DEFAULT:
        raise TagProtectedError
    return tag
