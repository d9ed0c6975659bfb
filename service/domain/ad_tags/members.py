"""Ad tags: whoever came from one of a tag's ads has it, following or not (specification §4.3).

An event or an ad-feed call gives the tags of its ads in its own transaction. Another list of ads is first made known,
then block after block is compared with it: whoever locks a block later than that reads the new list, and blocks that
were locked at that moment are compared in any case. `edition` and `written_edition` say what is left after a crash.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from service.domain.channels.lookup import channel_named, require
from service.domain.combos.states import hand_over
from service.domain.input_rules import AD_ID, description_failure, name_failure, tidy_name
from service.domain.membership import write_transitions
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import (
    TagChangeKind,
    TagEdit,
    check_name_free,
    lock_catalogue,
    lock_open_catalogue,
    new_tag,
    write_tag_edits,
)
from service.domain.tags.naming import channel_of_tag
from service.entities.blocks import WakeUp
from service.entities.enums import ChangeCause, Permission, TagKind, TagState
from service.entities.errors import (
    BadInputError,
    ConflictError,
    FieldFailure,
    LimitExceededError,
    NotFoundError,
    TagProtectedError,
)
from service.entities.principal import Principal
from service.entities.tags import Catalogue, Tag
from service.storage import ad_tags, channels, combos, tags
from service.storage.blocks import heads
from service.storage.database.pool import Connection

CATEGORY: Final = "Advertising"
MOST_ADS: Final = 1_000
BLOCKS_A_TRANSACTION: Final = 8

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AdTagDetails:
    """What is given of a tag; None leaves what is there, but with `describes` a description of None clears it."""

    name: str | None
    ad_ids: Sequence[str] | None
    description: str | None
    describes: bool = True


async def create_ad_tag(
    runtime: Runtime, principal: Principal, channel_gid: str, details: AdTagDetails
) -> tuple[Tag, Catalogue]:
    """A new tag with everybody whose ad is already known, ACTIVE if the ad return address is confirmed.

    Raises BadInputError, NameTakenError, LimitExceededError, NotFoundError, ChannelNotBoundError.
    """
    require(principal, Permission.MANAGE_TAGS)
    tidy, failures = _tidied(details)
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await channel_named(conn, principal, channel_gid)
        if channel.mini_program:
            failures.append(
                FieldFailure("input.channelId", "MINI_PROGRAM", "Nobody follows a Mini Program, by ad or not.")
            )
        if failures:
            raise BadInputError(*failures)
        catalogue = await lock_open_catalogue(conn, channel.channel_id)
        name = tidy.name or ""
        check_name_free(catalogue, CATEGORY, name, "input.name")
        clock = runtime.clock()
        tag = await new_tag(
            conn,
            catalogue,
            kind=TagKind.AD,
            category=CATEGORY,
            name=name,
            description=tidy.description,
            state=TagState.PENDING,
            clock=clock,
        )
        await ad_tags.insert_ad_tag(conn, channel.channel_id, tag.tag_id, tidy.ad_ids or ())
        edit = TagEdit(TagChangeKind.CREATED, None, tag)
        _, wake_up = await write_tag_edits(conn, catalogue, [edit], cause=None, clock=clock)
    runtime.publisher.publish([wake_up])
    return await _written(runtime, channel.channel_id, tag.tag_id)


async def update_ad_tag(
    runtime: Runtime, principal: Principal, gid: str, details: AdTagDetails, *, expected_version: int | None
) -> tuple[Tag, Catalogue]:
    """The tag after the edit, with the members of its new ads; an ACTIVE one stays so meanwhile.

    Raises what `create_ad_tag` does, ConflictError when `expected_version` is old, TagProtectedError.
    """
    require(principal, Permission.MANAGE_TAGS)
    tidy, failures = _tidied(details)
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel, tag_id = await channel_of_tag(conn, principal, gid)
        catalogue = await lock_open_catalogue(conn, channel.channel_id)
        before = _ad_tag(catalogue, tag_id)
        if failures:
            raise BadInputError(*failures)
        if expected_version not in {None, before.version}:
            raise ConflictError(f"The tag is at version {before.version} by now; load it again.")
        name = before.name if tidy.name is None else tidy.name
        check_name_free(catalogue, CATEGORY, name, "input.name", tag_id=tag_id)
        clock = runtime.clock()
        after = replace(
            before,
            name=name,
            description=tidy.description if tidy.describes else before.description,
            version=before.version + 1,
            updated_at=clock,
        )
        ads = (await ad_tags.ads_of_tags(conn, channel.channel_id, [tag_id]))[tag_id]
        new_ads = tidy.ad_ids is not None and list(tidy.ad_ids) != ads
        if new_ads:
            await ad_tags.replace_ads(conn, channel.channel_id, tag_id, tidy.ad_ids or ())
        edit = TagEdit(TagChangeKind.UPDATED, before, after)
        catalogue, wake_up = await write_tag_edits(conn, catalogue, [edit], cause=ChangeCause.TAG_EDITED, clock=clock)
    runtime.publisher.publish([wake_up])
    return await _written(runtime, channel.channel_id, tag_id) if new_ads else (after, catalogue)


async def finish_ad_tags(runtime: Runtime, channel_id: int) -> int:
    """Compares what a crash left uncompared, however often it is called; how many tags that were."""
    async with runtime.pool.acquire() as conn:
        left = [each for each in (await ad_tags.editions(conn, channel_id)).values() if not each.written]
    for each in left:
        await write_ad_tag(runtime, channel_id, each.tag_id)
    return len(left)


async def activate_pending(
    conn: Connection, catalogue: Catalogue, *, cause: ChangeCause, runtime: Runtime
) -> tuple[Catalogue, list[Tag], list[WakeUp]]:
    """Makes the PENDING ad tags whose members are complete ACTIVE; the caller holds the channel's state."""
    written = {each.tag_id for each in (await ad_tags.editions(conn, catalogue.channel_id)).values() if each.written}
    edits = [
        TagEdit(TagChangeKind.STATE_CHANGED, tag, replace(tag, state=TagState.ACTIVE))
        for tag in catalogue.tags.values()
        if tag.tag_id in written and tag.deleted_at is None and tag.state is TagState.PENDING
    ]
    if not edits:
        return catalogue, [], []
    catalogue, wake_up = await write_tag_edits(conn, catalogue, edits, cause=cause, clock=runtime.clock())
    return catalogue, [edit.after for edit in edits], [wake_up]


async def write_ad_tag(runtime: Runtime, channel_id: int, tag_id: int) -> None:
    """Compares every block that may differ with the tag's ads, then lets it become ACTIVE if nothing is missing."""
    async with runtime.pool.acquire() as conn:
        edition = (await ad_tags.editions(conn, channel_id)).get(tag_id)
        if edition is None:
            return
        # In this order: what is being written at the first look may have read the old ads; the second shows the rest.
        unlocked = await heads.unlocked_blocks(conn, channel_id)
        touched = await ad_tags.blocks_touched_by_ad_tag(conn, channel_id, tag_id)
        blocks = sorted(touched | (set(await heads.blocks_of(conn, channel_id)) - unlocked))
    for first in range(0, len(blocks), BLOCKS_A_TRANSACTION):
        async with runtime.pool.acquire() as conn, conn.transaction():
            locked = await heads.lock_heads(conn, channel_id, blocks[first : first + BLOCKS_A_TRANSACTION])
            found = [
                difference
                for block in locked
                for difference in await ad_tags.ad_tag_differences(conn, channel_id, block, tag_id)
            ]
            wake_ups = await write_transitions(
                conn, channel_id, locked, found, cause=ChangeCause.TAG_EDITED, clock=runtime.clock()
            )
        runtime.publisher.publish(wake_ups)
    activated: list[Tag] = []
    async with runtime.pool.acquire() as conn, conn.transaction():
        catalogue = await lock_catalogue(conn, channel_id)
        await ad_tags.note_written(conn, channel_id, tag_id, edition.edition)
        state = await channels.channel_state(conn, channel_id)
        wake_ups = []
        if state.ad_return_confirmed_at is not None:
            _, activated, wake_ups = await activate_pending(
                conn, catalogue, cause=ChangeCause.TAG_EDITED, runtime=runtime
            )
    await tell_of_activated(runtime, channel_id, activated, wake_ups)


async def tell_of_activated(
    runtime: Runtime, channel_id: int, activated: Sequence[Tag], wake_ups: Sequence[WakeUp]
) -> None:
    """After the commit: tells pages and panels, and whoever computes combos that may have waited for these tags."""
    if not activated:
        return
    async with runtime.pool.acquire() as conn:
        book = await combos.combo_catalogue(conn, channel_id)
    hand_over(runtime, book, wake_ups)


async def _written(runtime: Runtime, channel_id: int, tag_id: int) -> tuple[Tag, Catalogue]:
    await write_ad_tag(runtime, channel_id, tag_id)
    async with runtime.pool.acquire() as conn:
        catalogue = await tags.catalogue(conn, channel_id)
    return catalogue.tags[tag_id], catalogue


def _ad_tag(catalogue: Catalogue, tag_id: int) -> Tag:
    tag = catalogue.tags.get(tag_id)
    if tag is None or tag.deleted_at is not None:
        raise NotFoundError("tag")
    if tag.kind is TagKind.DEFAULT:
        raise TagProtectedError
    if tag.kind is not TagKind.AD:
        raise NotFoundError("ad tag")
    return tag


def _tidied(given: AdTagDetails) -> tuple[AdTagDetails, list[FieldFailure]]:
    """Names trimmed, ads one a line; and everything that is wrong. Raises LimitExceededError over 1,000 ads."""
    failures = []
    name = None if given.name is None else tidy_name(given.name)
    if name is not None and (failure := name_failure("input.name", name)):
        failures.append(failure)
    if failure := description_failure("input.description", given.description):
        failures.append(failure)
    if given.ad_ids is None:
        return replace(given, name=name), failures
    lines = [(index, line.strip()) for index, entry in enumerate(given.ad_ids) for line in entry.splitlines()]
    for index in dict.fromkeys(index for index, line in lines if line and AD_ID.fullmatch(line) is None):
        path = f"input.adIds.{index}"
        failures.append(FieldFailure(path, "BAD_FORMAT", "An ad id is 1 to 64 printable characters."))
    ads = list(dict.fromkeys(line for _, line in lines if line))
    if not ads:
        failures.append(FieldFailure("input.adIds", "EMPTY", "At least one ad id, one a line."))
    if len(ads) > MOST_ADS:
        raise LimitExceededError(f"At most {MOST_ADS:,} ad ids a tag.")
    return replace(given, name=name, ad_ids=ads), failures
