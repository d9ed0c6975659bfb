"""Write structural changes: tags made, edited, activated, lapsed or deleted, by which users show other tags.

No bit changes. A writer locks the channel's state first, reads the catalogue in a later statement, and decides on that
(docs/architecture/03-lock-then-difference.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.errors import ChannelNotBoundError, LimitExceededError
from service.entities.tags import Catalogue, Tag, TagChange, TagKind, TagState
from service.storage import channels, tags
from service.storage.database.pool import Connection

MAX_TAGS_PER_CHANNEL: Final = 1_000


class TagChangeKind(StrEnum):
    """Name what happened to a tag, as `tag_change` and the tag panel's feed write it."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    STATE_CHANGED = "STATE_CHANGED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class TagEdit:
    """Hold one tag as it is before an edit, None if the edit makes it, and after; and the tags by which it lapses."""

    kind: TagChangeKind
    before: Tag | None
    after: Tag
    lapsed_by: tuple[int, ...] = ()


class WrittenEdits(NamedTuple):
    """Hold the catalogue after some edits, and the notification to publish after the commit."""

    catalogue: Catalogue
    notification: ChangeNotification


async def lock_catalogue(conn: Connection, channel_id: int) -> Catalogue:
    """Return the tags of a channel, locked against other changes until the transaction ends."""
    await channels.lock_channel_state(conn, channel_id)
    return await tags.catalogue(conn, channel_id)


async def lock_open_catalogue(conn: Connection, channel_id: int) -> Catalogue:
    """Return the tags of an open channel, locked likewise. Raises ChannelNotBoundError while the gate is closed."""
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
    now: datetime,
) -> Tag:
    """Return a new tag of a locked catalogue under a new id, to be written with `write_tag_edits`.

    Names are normalised and checked by the caller. Raises LimitExceededError at 1,000 living tags.
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
        created_at=now,
        updated_at=now,
        deleted_at=None,
    )


async def write_tag_edits(
    conn: Connection, catalogue: Catalogue, edits: Sequence[TagEdit], *, cause: ChangeCause | None, now: datetime
) -> WrittenEdits:
    """Write edits of a locked catalogue as one version of the channel's tag states."""
    channel_id = catalogue.channel_id
    await tags.insert_tags(conn, [edit.after for edit in edits if edit.before is None])
    await tags.update_tags(conn, channel_id, [edit.after for edit in edits if edit.before is not None])
    revision = await channels.bump_tag_version(conn, channel_id, now, is_open=catalogue.open)
    lines = [
        TagChange(
            version=revision.version,
            at=revision.at,
            tag_id=edit.after.tag_id,
            kind=edit.kind,
            cause=cause,
            shown_before=edit.before is not None and edit.before.shown,
            shown_after=edit.after.shown,
            tag=edit.after,
            lapsed_by=edit.lapsed_by,
        )
        for edit in edits
    ]
    await tags.log_tag_changes(conn, channel_id, lines, cause)
    after = {**catalogue.tags, **{edit.after.tag_id: edit.after for edit in edits}}
    notification = ChangeNotification(channel_id, None, revision.version)
    return WrittenEdits(replace(catalogue, revision=revision, tags=after), notification)
