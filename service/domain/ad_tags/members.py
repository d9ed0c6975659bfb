"""Make ad tags and keep their members: the users who came from one of a tag's ads (docs/specification.md §4.3).

An event or an ad-feed call gives the tags of its ads in its own transaction. A new list of ads is committed first, then
compared with block after block. A transaction that locks a block after that commit reads the new list; blocks that were
locked at that moment are compared in any case. `edition` and `written_edition` tell what a crash left uncompared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from service.domain.ad_tags.given_ads import parse_ad_ids
from service.domain.audit.recording import changes, record
from service.domain.audit.values import tag_ref, tag_values
from service.domain.channels.lookup import find_channel
from service.domain.combos.states import publish_and_enqueue
from service.domain.input_rules import description_error, name_error, normalise_name
from service.domain.membership import write_transitions
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import (
    TagChangeKind,
    TagEdit,
    lock_catalogue,
    lock_open_catalogue,
    new_tag,
    write_tag_edits,
)
from service.domain.tags.naming import (
    check_name_free,
    check_not_merging,
    check_version,
    edited_name,
    require_living_tag,
)
from service.entities.audit import AuditValue
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.errors import BadInputError, FieldError, NotFoundError, TagProtectedError
from service.entities.principal import Permission, Principal
from service.entities.tags import Catalogue, CataloguedTag, Tag, TagKind, TagState
from service.storage import ad_tags, channels, combos, tags
from service.storage.blocks import heads
from service.storage.database.pool import Connection

CATEGORY: Final = "Advertising"
BLOCKS_PER_TRANSACTION: Final = 8


@dataclass(frozen=True, slots=True)
class AdTagDetails:
    """Hold the values given for a tag; None keeps the old one.

    With `sets_description` a description of None clears the old one.
    """

    name: str | None
    ad_ids: Sequence[str] | None
    description: str | None
    sets_description: bool = True


class ActivatedTags(NamedTuple):
    """Hold the tags that a change made ACTIVE, the catalogue after it, and the notifications to publish."""

    catalogue: Catalogue
    tags: Sequence[Tag] = ()
    notifications: Sequence[ChangeNotification] = ()


class _NormalisedDetails(NamedTuple):
    """Hold the normalised values given for a tag, and their errors."""

    details: AdTagDetails
    errors: list[FieldError]


async def create_ad_tag(
    runtime: Runtime, principal: Principal, channel_id: int, details: AdTagDetails
) -> CataloguedTag:
    """Make a tag with all users whose ad is already known, ACTIVE if the ad return address is confirmed.

    Raises ForbiddenError, BadInputError, NameTakenError, LimitExceededError, NotFoundError, ChannelNotBoundError.
    """
    normalised, errors = _normalise_details(details, present_name=None)
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await find_channel(conn, principal, channel_id, Permission.MANAGE_TAGS)
        if channel.mini_program:
            errors.append(
                FieldError(("channel_id",), "MINI_PROGRAM", "A Mini Program cannot be followed, so it has no ad tags.")
            )
        if errors:
            raise BadInputError(*errors)
        catalogue = await lock_open_catalogue(conn, channel.channel_id)
        name = normalised.name or ""
        check_name_free(catalogue, CATEGORY, name, "name")
        now = runtime.clock()
        tag = await new_tag(
            conn,
            catalogue,
            kind=TagKind.AD,
            category=CATEGORY,
            name=name,
            description=normalised.description,
            state=TagState.PENDING,
            now=now,
        )
        await ad_tags.insert_ad_tag(conn, channel.channel_id, tag.tag_id, normalised.ad_ids or ())
        edit = TagEdit(TagChangeKind.CREATED, None, tag)
        _, notification = await write_tag_edits(conn, catalogue, [edit], cause=None, now=now)
        await record(
            conn,
            runtime,
            principal,
            "create_ad_tag",
            channel_id=channel_id,
            target=tag_ref(channel_id, tag.tag_id),
            after=_values(tag, normalised.ad_ids or ()),
        )
    runtime.publisher.publish([notification])
    return await _update_members_and_reload(runtime, channel.channel_id, tag.tag_id)


async def update_ad_tag(
    runtime: Runtime,
    principal: Principal,
    channel_id: int,
    tag_id: int,
    details: AdTagDetails,
    *,
    expected_version: int | None,
) -> CataloguedTag:
    """Edit a tag, and give it the members of its new ads; an ACTIVE tag stays ACTIVE meanwhile.

    Raises what `create_ad_tag` raises, ConflictError when `expected_version` is old, and TagProtectedError.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await find_channel(conn, principal, channel_id, Permission.MANAGE_TAGS, sought="tag")
        catalogue = await lock_open_catalogue(conn, channel.channel_id)
        before = _require_ad_tag(catalogue, tag_id)
        normalised, errors = _normalise_details(details, present_name=before.name)
        if errors:
            raise BadInputError(*errors)
        check_version(before, expected_version)
        await check_not_merging(conn, channel.channel_id, tag_id)
        now = runtime.clock()
        after = _apply_details(before, normalised, now)
        check_name_free(catalogue, CATEGORY, after.name, "name", tag_id=tag_id)
        ads = (await ad_tags.ads_of_tags(conn, channel.channel_id, [tag_id]))[tag_id]
        new_ads = normalised.ad_ids is not None and list(normalised.ad_ids) != ads
        said = changes(_values(before, ads), _values(after, (normalised.ad_ids or ()) if new_ads else ads))
        if not (new_ads or said["before"]):
            return CataloguedTag(before, catalogue)
        if new_ads:
            await ad_tags.replace_ads(conn, channel.channel_id, tag_id, normalised.ad_ids or ())
        edit = TagEdit(TagChangeKind.UPDATED, before, after)
        catalogue, notification = await write_tag_edits(conn, catalogue, [edit], cause=ChangeCause.TAG_EDITED, now=now)
        await record(
            conn,
            runtime,
            principal,
            "update_ad_tag",
            channel_id=channel_id,
            target=tag_ref(channel_id, tag_id),
            **said,
        )
    runtime.publisher.publish([notification])
    if new_ads:
        return await _update_members_and_reload(runtime, channel.channel_id, tag_id)
    return CataloguedTag(after, catalogue)


async def resume_ad_tag_updates(runtime: Runtime, channel_id: int) -> int:
    """Update the members of tags whose update a crash interrupted, and return how many tags there were."""
    async with runtime.pool.acquire() as conn:
        left = [each for each in (await ad_tags.ad_list_editions(conn, channel_id)).values() if not each.up_to_date]
    for each in left:
        await update_ad_tag_members(runtime, channel_id, each.tag_id)
    return len(left)


async def activate_pending_ad_tags(
    conn: Connection, catalogue: Catalogue, *, cause: ChangeCause, runtime: Runtime
) -> ActivatedTags:
    """Make the PENDING ad tags ACTIVE whose members are complete; the caller has locked the channel's state."""
    up_to_date_ids = {
        each.tag_id for each in (await ad_tags.ad_list_editions(conn, catalogue.channel_id)).values() if each.up_to_date
    }
    edits = [
        TagEdit(TagChangeKind.STATE_CHANGED, tag, replace(tag, state=TagState.ACTIVE))
        for tag in catalogue.tags.values()
        if tag.tag_id in up_to_date_ids and tag.deleted_at is None and tag.state is TagState.PENDING
    ]
    if not edits:
        return ActivatedTags(catalogue)
    catalogue, notification = await write_tag_edits(conn, catalogue, edits, cause=cause, now=runtime.clock())
    return ActivatedTags(catalogue, [edit.after for edit in edits], [notification])


async def update_ad_tag_members(
    runtime: Runtime, channel_id: int, tag_id: int, *, cause: ChangeCause = ChangeCause.TAG_EDITED
) -> None:
    """Compare every block that may differ with the tag's ads, then make the tag ACTIVE if the address is confirmed.

    `cause` is why people gain or lose it.
    """
    async with runtime.pool.acquire() as conn:
        edition = (await ad_tags.ad_list_editions(conn, channel_id)).get(tag_id)
        if edition is None:
            return
        # In this order: a transaction with the old ads holds its blocks at the first read, or is seen by the second.
        unlocked = await heads.unlocked_blocks(conn, channel_id)
        touched = await ad_tags.blocks_touched_by_ad_tag(conn, channel_id, tag_id)
        blocks = sorted(touched | (set(await heads.blocks_of(conn, channel_id)) - unlocked))
    for first in range(0, len(blocks), BLOCKS_PER_TRANSACTION):
        async with runtime.pool.acquire() as conn, conn.transaction():
            locked = await heads.lock_heads(conn, channel_id, blocks[first : first + BLOCKS_PER_TRANSACTION])
            found = [
                difference
                for block in locked
                for difference in await ad_tags.ad_tag_differences(conn, channel_id, block, tag_id)
            ]
            notifications = await write_transitions(conn, channel_id, locked, found, cause=cause, now=runtime.clock())
        runtime.publisher.publish(notifications)
    async with runtime.pool.acquire() as conn, conn.transaction():
        activated = ActivatedTags(await lock_catalogue(conn, channel_id))
        await ad_tags.set_written_edition(conn, channel_id, tag_id, edition.edition)
        state = await channels.channel_state(conn, channel_id)
        if state.ad_return_confirmed_at is not None:
            activated = await activate_pending_ad_tags(
                conn, activated.catalogue, cause=ChangeCause.TAG_EDITED, runtime=runtime
            )
    await publish_activated_tags(runtime, activated)


async def publish_activated_tags(runtime: Runtime, activated: ActivatedTags) -> None:
    """Publish that tags became ACTIVE, and enqueue the combos that waited for them; call it after the commit."""
    if not activated.tags:
        return
    async with runtime.pool.acquire() as conn:
        graph = await combos.combo_graph(conn, activated.catalogue.channel_id)
    publish_and_enqueue(runtime, graph, activated.notifications)


async def _update_members_and_reload(runtime: Runtime, channel_id: int, tag_id: int) -> CataloguedTag:
    await update_ad_tag_members(runtime, channel_id, tag_id)
    async with runtime.pool.acquire() as conn:
        catalogue = await tags.catalogue(conn, channel_id)
    return CataloguedTag(catalogue.tags[tag_id], catalogue)


def _require_ad_tag(catalogue: Catalogue, tag_id: int) -> Tag:
    tag = require_living_tag(catalogue, tag_id)
    if tag.kind is TagKind.DEFAULT:
        raise TagProtectedError
    if tag.kind is not TagKind.AD:
        raise NotFoundError("ad tag")
    return tag


def _values(tag: Tag, ad_ids: Sequence[str]) -> dict[str, AuditValue]:
    return {**tag_values(tag), "ad_ids": list(ad_ids)}


def _apply_details(before: Tag, details: AdTagDetails, now: datetime) -> Tag:
    return replace(
        before,
        name=before.name if details.name is None else details.name,
        description=details.description if details.sets_description else before.description,
        version=before.version + 1,
        updated_at=now,
    )


def _normalise_details(given: AdTagDetails, *, present_name: str | None) -> _NormalisedDetails:
    """Tidy the name, which may stay `present_name`, and split the ads by lines. Raises LimitExceededError."""
    if present_name is not None:
        name: str | None = edited_name(given.name, present_name)
    else:
        name = None if given.name is None else normalise_name(given.name)
    errors = []
    if name is not None and name != present_name and (error := name_error("name", name)):
        errors.append(error)
    if error := description_error("description", given.description):
        errors.append(error)
    if given.ad_ids is None:
        return _NormalisedDetails(replace(given, name=name), errors)
    ads = parse_ad_ids(given.ad_ids)
    return _NormalisedDetails(replace(given, name=name, ad_ids=ads.ad_ids), [*errors, *ads.errors])
