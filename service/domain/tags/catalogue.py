"""Structural changes: tags made, edited, activated, lapsed, deleted. No bit changes, yet pages show another set.

Whoever changes tags locks the channel's state first, reads the catalogue in a later statement, and decides on that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.errors import ChannelNotBoundError, LimitExceededError
from service.entities.tags import Catalogue, Tag, TagChange, TagKind, TagState
from service.storage import channels, tags
from service.storage.database.pool import Connection

MAX_TAGS_PER_CHANNEL: Final = 1_000


class TagChangeKind(StrEnum):
    """What happened to a tag, as `tag_change` and the tag panel's feed say it."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    STATE_CHANGED = "STATE_CHANGED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class TagEdit:
    """One tag as it was (None: it is new) and as it shall be."""

    kind: TagChangeKind
    before: Tag | None
    after: Tag


async def lock_catalogue(conn: Connection, channel_id: int) -> Catalogue:
    """The tags of a channel, which nobody else can change until the transaction ends."""
    await channels.lock_channel_state(conn, channel_id)
    return await tags.catalogue(conn, channel_id)


async def lock_open_catalogue(conn: Connection, channel_id: int) -> Catalogue:
    """The same for what the gate guards; raises ChannelNotBoundError while it is closed."""
    catalogue = await lock_catalogue(conn, channel_id)
    if not catalogue.open:
        raise ChannelNotBoundError
    return catalogue


async def new_tag(
    conn: Connection,
    catalogue: Catalogue,
    *,
    kind: TagKind,
    category: str,
    name: str,
    description: str | None,
    state: TagState,
    clock: datetime,
) -> Tag:
    """A tag for the catalogue that is locked, to be written with `write_tag_edits`; takes its number.

    Names are tidied and checked by the caller. Raises LimitExceededError at 1,000 living tags.
    """
    if sum(tag.deleted_at is None for tag in catalogue.tags.values()) >= MAX_TAGS_PER_CHANNEL:
        raise LimitExceededError(f"A channel has at most {MAX_TAGS_PER_CHANNEL:,} tags.")
    return Tag(
        channel_id=catalogue.channel_id,
        tag_id=await channels.allocate_tag_id(conn, catalogue.channel_id),
        kind=kind,
        category=category,
        name=name,
        description=description,
        state=state,
        version=1,
        created_at=clock,
        updated_at=clock,
        deleted_at=None,
    )


async def write_tag_edits(
    conn: Connection, catalogue: Catalogue, edits: Sequence[TagEdit], *, cause: ChangeCause | None, clock: datetime
) -> tuple[Catalogue, ChangeNotification]:
    """Writes edits of a locked catalogue as one version of the channel's tag states.

    Returns the catalogue after it; the wake-up is for after the commit.
    """
    channel_id = catalogue.channel_id
    await tags.insert_tags(conn, [edit.after for edit in edits if edit.before is None])
    await tags.update_tags(conn, channel_id, [edit.after for edit in edits if edit.before is not None])
    version, at = await channels.bump_tag_version(conn, channel_id, clock, is_open=catalogue.open)
    lines = [
        TagChange(
            version=version,
            at=at,
            tag_id=edit.after.tag_id,
            kind=edit.kind,
            cause=cause,
            shown_before=edit.before is not None and edit.before.shown,
            shown_after=edit.after.shown,
        )
        for edit in edits
    ]
    await tags.log_tag_changes(conn, channel_id, lines, cause)
    after = {**catalogue.tags, **{edit.after.tag_id: edit.after for edit in edits}}
    return replace(catalogue, version=version, at=at, tags=after), ChangeNotification(channel_id, None, version)
