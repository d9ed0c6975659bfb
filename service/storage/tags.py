"""Store the tags of a channel, the log of structural changes, and samples of their sizes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from service.entities.blocks import ChangeCause
from service.entities.revision import Revision
from service.entities.tags import Catalogue, MemberCount, Tag, TagChange, TagKind, TagState
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


@dataclass(frozen=True, slots=True)
class TagChangesSince:
    """Hold what happened to the tags of a channel up to `revision`.

    `known` is False where the log does not hold the revision asked from: then the rest says nothing.
    """

    revision: Revision
    known: bool
    changes: tuple[TagChange, ...]


async def insert_tags(conn: Connection, new: Sequence[Tag]) -> None:
    """Insert tags with the numbers they were given; their names were found free under the lock of the channel."""
    for tag in new:
        await conn.execute(
            STATEMENTS["insert_tag"],
            tag.channel_id,
            tag.tag_id,
            tag.kind,
            tag.category,
            tag.name,
            tag.description,
            tag.state,
            tag.created_at,
        )


async def update_tags(conn: Connection, channel_id: int, edited: Sequence[Tag]) -> None:
    """Write edited tags, in one statement, so that two may exchange their names.

    The caller bumps the channel's tag-state version: by it every process knows that its catalogue is old.
    """
    if not edited:
        return
    await conn.execute(
        STATEMENTS["update_tags"],
        channel_id,
        [tag.tag_id for tag in edited],
        [tag.category for tag in edited],
        [tag.name for tag in edited],
        [tag.description for tag in edited],
        [tag.state for tag in edited],
        [tag.version for tag in edited],
        [tag.updated_at for tag in edited],
        [tag.deleted_at for tag in edited],
        [tag.merged_into for tag in edited],
    )


async def catalogue(conn: Connection, channel_id: int) -> Catalogue:
    """Return every tag of a channel, deleted ones too, with the gate, as of one tag-state version."""
    return catalogue_of_rows(await conn.fetch(STATEMENTS["catalogue"], channel_id), channel_id)


def catalogue_of_rows(rows: Sequence[asyncpg.Record], channel_id: int) -> Catalogue:
    """Return the catalogue in rows that have a tag each and repeat the state of the channel."""
    first = rows[0]
    return Catalogue(
        channel_id=channel_id,
        open=first["open"],
        revision=Revision(first["tag_version"], first["tag_version_at"]),
        default_tags_as_of=first["default_tags_as_of"],
        tags={row["tag_id"]: _tag(row, channel_id) for row in rows if row["tag_id"] is not None},
    )


async def log_tag_changes(
    conn: Connection, channel_id: int, changes: Sequence[TagChange], cause: ChangeCause | None
) -> None:
    """Log the changes of one version, of which there is at least one."""
    await conn.execute(
        STATEMENTS["log_tag_changes"],
        channel_id,
        changes[0].version,
        changes[0].at,
        [change.tag_id for change in changes],
        cause,
        [change.kind for change in changes],
        [change.shown_before for change in changes],
        [change.shown_after for change in changes],
        [None if change.tag is None else change.tag.category for change in changes],
        [None if change.tag is None else change.tag.name for change in changes],
        [None if change.tag is None else change.tag.state for change in changes],
        ["{" + ",".join(map(str, change.lapsed_by)) + "}" if change.lapsed_by else None for change in changes],
    )


async def tag_changes_since(conn: Connection, channel_id: int, known: Revision) -> TagChangesSince:
    """Return the structural changes after `known`, in order."""
    rows = await conn.fetch(STATEMENTS["tag_changes_since"], channel_id, *known)
    if not rows:
        return TagChangesSince(known, known=False, changes=())
    changes = tuple(
        TagChange(
            version=row["version"],
            at=row["at"],
            tag_id=row["tag_id"],
            kind=row["kind"],
            cause=None if row["cause"] is None else ChangeCause(row["cause"]),
            shown_before=row["shown_before"],
            shown_after=row["shown_after"],
        )
        for row in rows
        if row["version"] is not None
    )
    return TagChangesSince(Revision(rows[0]["head_version"], rows[0]["head_at"]), rows[0]["known"], changes)


async def prune_tag_changes(conn: Connection, channel_id: int, before: datetime) -> None:
    """Delete structural changes from before an instant; the newest of them stays known."""
    version = await conn.fetchval(STATEMENTS["raise_tag_base"], channel_id, before)
    if version is not None:
        await conn.execute(STATEMENTS["prune_tag_changes"], channel_id, version)


def _tag(row: asyncpg.Record, channel_id: int | None = None) -> Tag:
    return Tag(
        channel_id=row["channel_id"] if channel_id is None else channel_id,
        tag_id=row["tag_id"],
        kind=TagKind(row["kind"]),
        category=row["category"],
        name=row["name"],
        description=row["description"],
        state=TagState(row["state"]),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted_at=row["deleted_at"],
        merged_into=row["merged_into"],
    )


async def sample_sizes(conn: Connection, channel_id: int, now: datetime) -> None:
    """Record the sizes of tags that changed since the last sample."""
    await conn.execute(STATEMENTS["sample_sizes"], channel_id, now)


async def thin_sizes(
    conn: Connection, channel_id: int, *, older_than: datetime, every: timedelta, forget_before: datetime
) -> None:
    """Thin old samples to the last in each span; what was true at `forget_before` stays known."""
    await conn.execute(STATEMENTS["thin_sizes"], channel_id, older_than, every, forget_before)


async def sizes_since(
    conn: Connection, channel_id: int, tag_ids: Iterable[int], since: datetime
) -> dict[int, list[MemberCount]]:
    """Return the sizes of tags, `{tag_id: samples}`, oldest first, beginning with what was true at `since`."""
    found: dict[int, list[MemberCount]] = {}
    for row in await conn.fetch(STATEMENTS["sizes_since"], channel_id, list(tag_ids), since):
        found.setdefault(row["tag_id"], []).append(MemberCount(row["members"], row["at"]))
    return found
