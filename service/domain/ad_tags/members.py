"""Make ad tags and keep their members: whoever came from one of a tag's ads has it (docs/specification.md §4.3).

An event or an ad-feed call gives the tags of its ads in its own transaction. Another list of ads is first made known,
then block after block is compared with it: whoever locks a block later than that reads the new list, and blocks that
were locked at that moment are compared in any case. `edition` and `written_edition` say what is left after a crash.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from service.domain.channels.lookup import find_channel
from service.domain.combos.states import publish_and_enqueue
from service.domain.input_rules import AD_ID_PATTERN, description_error, name_error, normalise_name
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
from service.domain.tags.naming import check_name_free, check_version, require_living_tag
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.errors import BadInputError, FieldError, LimitExceededError, NotFoundError, TagProtectedError
from service.entities.principal import Permission, Principal
from service.entities.tags import Catalogue, Tag, TagKind, TagState
from service.storage import ad_tags, channels, combos, tags
from service.storage.blocks import heads
from service.storage.database.pool import Connection

CATEGORY: Final = "Advertising"
MAX_ADS_PER_TAG: Final = 1_000
BLOCKS_PER_TRANSACTION: Final = 8

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AdTagDetails:
    """Hold what is given of a tag; None leaves what is there.

    With `sets_description` a description of None clears it.
    """

    name: str | None
    ad_ids: Sequence[str] | None
    description: str | None
    sets_description: bool = True


async def create_ad_tag(
    runtime: Runtime, principal: Principal, channel_id: int, details: AdTagDetails
) -> tuple[Tag, Catalogue]:
    """Make a tag with everybody whose ad is already known, ACTIVE if the ad return address is confirmed.

    Return it with its catalogue. Raises ForbiddenError, BadInputError, NameTakenError, LimitExceededError,
    NotFoundError, ChannelNotBoundError.
    """
    normalised, errors = _normalise_details(details)
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await find_channel(conn, principal, channel_id, Permission.MANAGE_TAGS)
        if channel.mini_program:
            errors.append(FieldError(("channel_id",), "MINI_PROGRAM", "Nobody follows a Mini Program, by ad or not."))
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
) -> tuple[Tag, Catalogue]:
    """Edit a tag, and return it with its catalogue and the members of its new ads; an ACTIVE one stays so meanwhile.

    Raises what `create_ad_tag` does, ConflictError when `expected_version` is old, TagProtectedError.
    """
    normalised, errors = _normalise_details(details)
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await find_channel(conn, principal, channel_id, Permission.MANAGE_TAGS, sought="tag")
        catalogue = await lock_open_catalogue(conn, channel.channel_id)
        before = _require_ad_tag(catalogue, tag_id)
        if errors:
            raise BadInputError(*errors)
        check_version(before, expected_version)
        name = before.name if normalised.name is None else normalised.name
        check_name_free(catalogue, CATEGORY, name, "name", tag_id=tag_id)
        now = runtime.clock()
        after = replace(
            before,
            name=name,
            description=normalised.description if normalised.sets_description else before.description,
            version=before.version + 1,
            updated_at=now,
        )
        ads = (await ad_tags.ads_of_tags(conn, channel.channel_id, [tag_id]))[tag_id]
        new_ads = normalised.ad_ids is not None and list(normalised.ad_ids) != ads
        if new_ads:
            await ad_tags.replace_ads(conn, channel.channel_id, tag_id, normalised.ad_ids or ())
        edit = TagEdit(TagChangeKind.UPDATED, before, after)
        catalogue, notification = await write_tag_edits(conn, catalogue, [edit], cause=ChangeCause.TAG_EDITED, now=now)
    runtime.publisher.publish([notification])
    return await _update_members_and_reload(runtime, channel.channel_id, tag_id) if new_ads else (after, catalogue)


async def resume_ad_tag_updates(runtime: Runtime, channel_id: int) -> int:
    """Compare what a crash left uncompared, and return how many tags that were; calling it again does no harm."""
    async with runtime.pool.acquire() as conn:
        left = [each for each in (await ad_tags.ad_list_editions(conn, channel_id)).values() if not each.up_to_date]
    for each in left:
        await update_ad_tag_members(runtime, channel_id, each.tag_id)
    return len(left)


async def activate_pending_ad_tags(
    conn: Connection, catalogue: Catalogue, *, cause: ChangeCause, runtime: Runtime
) -> tuple[Catalogue, list[Tag], list[ChangeNotification]]:
    """Make the PENDING ad tags whose members are complete ACTIVE; the caller holds the channel's state."""
    up_to_date_ids = {
        each.tag_id for each in (await ad_tags.ad_list_editions(conn, catalogue.channel_id)).values() if each.up_to_date
    }
    edits = [
        TagEdit(TagChangeKind.STATE_CHANGED, tag, replace(tag, state=TagState.ACTIVE))
        for tag in catalogue.tags.values()
        if tag.tag_id in up_to_date_ids and tag.deleted_at is None and tag.state is TagState.PENDING
    ]
    if not edits:
        return catalogue, [], []
    catalogue, notification = await write_tag_edits(conn, catalogue, edits, cause=cause, now=runtime.clock())
    return catalogue, [edit.after for edit in edits], [notification]


async def update_ad_tag_members(runtime: Runtime, channel_id: int, tag_id: int) -> None:
    """Compare every block that may differ with the tag's ads, then let it become ACTIVE if nothing is missing."""
    async with runtime.pool.acquire() as conn:
        edition = (await ad_tags.ad_list_editions(conn, channel_id)).get(tag_id)
        if edition is None:
            return
        # In this order: what is being written at the first look may have read the old ads; the second shows the rest.
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
            notifications = await write_transitions(
                conn, channel_id, locked, found, cause=ChangeCause.TAG_EDITED, now=runtime.clock()
            )
        runtime.publisher.publish(notifications)
    activated: list[Tag] = []
    async with runtime.pool.acquire() as conn, conn.transaction():
        catalogue = await lock_catalogue(conn, channel_id)
        await ad_tags.set_written_edition(conn, channel_id, tag_id, edition.edition)
        state = await channels.channel_state(conn, channel_id)
        notifications = []
        if state.ad_return_confirmed_at is not None:
            _, activated, notifications = await activate_pending_ad_tags(
                conn, catalogue, cause=ChangeCause.TAG_EDITED, runtime=runtime
            )
    await publish_activated_tags(runtime, channel_id, activated, notifications)


async def publish_activated_tags(
    runtime: Runtime, channel_id: int, activated: Sequence[Tag], notifications: Sequence[ChangeNotification]
) -> None:
    """Tell pages, panels and combos that may have waited that tags are ACTIVE; call it after the commit."""
    if not activated:
        return
    async with runtime.pool.acquire() as conn:
        graph = await combos.combo_graph(conn, channel_id)
    publish_and_enqueue(runtime, graph, notifications)


async def _update_members_and_reload(runtime: Runtime, channel_id: int, tag_id: int) -> tuple[Tag, Catalogue]:
    await update_ad_tag_members(runtime, channel_id, tag_id)
    async with runtime.pool.acquire() as conn:
        catalogue = await tags.catalogue(conn, channel_id)
    return catalogue.tags[tag_id], catalogue


def _require_ad_tag(catalogue: Catalogue, tag_id: int) -> Tag:
    tag = require_living_tag(catalogue, tag_id)
    if tag.kind is TagKind.DEFAULT:
        raise TagProtectedError
    if tag.kind is not TagKind.AD:
        raise NotFoundError("ad tag")
    return tag


def _normalise_details(given: AdTagDetails) -> tuple[AdTagDetails, list[FieldError]]:
    """Names trimmed, ads one a line; and everything that is wrong. Raises LimitExceededError over 1,000 ads."""
    errors = []
    name = None if given.name is None else normalise_name(given.name)
    if name is not None and (error := name_error("name", name)):
        errors.append(error)
    if error := description_error("description", given.description):
        errors.append(error)
    if given.ad_ids is None:
        return replace(given, name=name), errors
    lines = [(index, line.strip()) for index, entry in enumerate(given.ad_ids) for line in entry.splitlines()]
    malformed = dict.fromkeys(index for index, line in lines if line and AD_ID_PATTERN.fullmatch(line) is None)
    message = "An ad id is 1 to 64 printable characters."
    errors += [FieldError(("ad_ids", index), "BAD_FORMAT", message) for index in malformed]
    ads = list(dict.fromkeys(line for _, line in lines if line))
    if not ads:
        errors.append(FieldError(("ad_ids",), "EMPTY", "At least one ad id, one a line."))
    if len(ads) > MAX_ADS_PER_TAG:
        raise LimitExceededError(f"At most {MAX_ADS_PER_TAG:,} ad ids a tag.")
    return replace(given, name=name, ad_ids=ads), errors
