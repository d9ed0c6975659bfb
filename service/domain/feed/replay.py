"""Work out from the change logs what a client missed between its cursor and now (docs/architecture/04-cursors.md)."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from service.domain.feed.change_log_reader import ChangeLogReader, ChangesKey
from service.domain.feed.cursors import openid_hash
from service.entities.blocks import ChangeCause
from service.entities.feed import Cursor, UserTagsUpdate
from service.entities.revision import Revision
from service.entities.tags import Catalogue, TagChange, UserTagChange
from service.storage import feed, tags
from service.storage.database.pool import Pool
from service.storage.feed import BlockPosition

MAX_REPLAYED_CHANGES: Final = 200


@dataclass(frozen=True, slots=True)
class StructuralStep:
    """Hold the tags that all users of a channel show or hide by one revision of its tag states, or show edited."""

    revision: Revision
    cause: ChangeCause | None
    appeared: frozenset[int]
    vanished: frozenset[int]
    updated: frozenset[int]


async def updates_since(
    pool: Pool,
    log: ChangeLogReader,
    snapshot: UserTagsUpdate,
    openid: str,
    after: Cursor,
    block_position: BlockPosition | None,
) -> list[UserTagsUpdate] | None:
    """Return the events between `after` and `snapshot`, the event that would begin the feed at `block_position` afresh.

    None when that cannot be told exactly: a foreign or forged cursor, a pruned or restored log, a gate that moved.
    Over `MAX_REPLAYED_CHANGES` changes come as their net difference.
    """
    channel_id, catalogue = snapshot.cursor.channel_id, snapshot.catalogue
    if (after.channel_id, after.openid_hash) != (channel_id, openid_hash(openid)):
        return None
    tag_changes: list[TagChange] = []
    if after.tag_revision != catalogue.revision:
        async with pool.acquire() as conn:
            structural = await tags.tag_changes_since(conn, channel_id, after.tag_revision)
        if not structural.known or any(change.kind == "GATE" for change in structural.changes):
            return None
        tag_changes = [change for change in structural.changes if change.version <= catalogue.revision.version]
    if not catalogue.open or (after.ordinal is None and block_position is None):
        return []
    if after.ordinal is None:
        async with pool.acquire() as conn:
            seen = (await feed.block_positions_of(conn, channel_id, [openid])).get(openid)
        return _net_update(snapshot, frozenset(), cause=seen.last_cause if seen else None)
    since = after.block_revision
    if block_position is None or after.ordinal != block_position.ordinal or since is None:
        return None
    if since == block_position.revision:
        return _replay(snapshot, after, block_position, [], tag_changes)
    found = await log.require(ChangesKey(channel_id, block_position.block, since, block_position.offset))
    if not found.known or found.revision.version < since.version:
        return None
    bit_changes = [change for change in found.changes if change.version <= block_position.revision.version]
    return _replay(snapshot, after, block_position, bit_changes, tag_changes)


def _replay(
    snapshot: UserTagsUpdate,
    after: Cursor,
    block_position: BlockPosition,
    bit_changes: Sequence[UserTagChange],
    tag_changes: Sequence[TagChange],
) -> list[UserTagsUpdate]:
    """Take the present set back to the cursor along both logs, then forward again, one event at a time."""
    catalogue = snapshot.catalogue
    bits = _bits_before(bit_changes, block_position.tag_ids)
    visible = _visible_before(tag_changes, catalogue.shown(catalogue.tags))
    in_order = _in_order(bit_changes, structural_steps(tag_changes))
    if len(in_order) > MAX_REPLAYED_CHANGES:
        edited = frozenset(change.tag_id for change in tag_changes if change.kind == "UPDATED")
        return _net_update(snapshot, bits & visible, edited, cause=in_order[-1].cause)
    return _replay_forward(catalogue, after, bits, visible, in_order)


def _bits_before(bit_changes: Sequence[UserTagChange], bits: frozenset[int]) -> frozenset[int]:
    for change in reversed(bit_changes):
        bits = (bits - set(change.added)) | set(change.removed)
    return bits


def _visible_before(tag_changes: Sequence[TagChange], visible: frozenset[int]) -> frozenset[int]:
    for change in reversed(tag_changes):
        visible -= {change.tag_id}
        visible |= {change.tag_id} if change.shown_before else set()
    return visible


def _replay_forward(
    catalogue: Catalogue,
    cursor: Cursor,
    bits: frozenset[int],
    visible: frozenset[int],
    in_order: Iterable[UserTagChange | StructuralStep],
) -> list[UserTagsUpdate]:
    """Return the events of changes in order, for a client at `cursor` whose user has `bits`, shown where `visible`."""
    shown = bits & visible
    events: list[UserTagsUpdate] = []
    for change in in_order:
        updated: frozenset[int] = frozenset()
        if isinstance(change, UserTagChange):
            bits = (bits | set(change.added)) - set(change.removed)
            cursor = replace(cursor, block_revision=change.revision)
        else:
            visible = (visible | change.appeared) - change.vanished
            updated = change.updated
            cursor = replace(cursor, tag_revision=change.revision)
        before, shown = shown, bits & visible
        updated &= before & shown
        if before != shown or updated:
            events.append(
                UserTagsUpdate(
                    cursor=cursor,
                    reset=False,
                    tags=shown,
                    added=shown - before,
                    removed=before - shown,
                    updated=updated,
                    cause=change.cause,
                    at=change.revision.at,
                    catalogue=catalogue,
                )
            )
    return events


def structural_steps(tag_changes: Iterable[TagChange]) -> list[StructuralStep]:
    """Return the lines of the structural log as steps, one for each revision."""
    steps = []
    for version, group in itertools.groupby(tag_changes, key=lambda change: change.version):
        lines = list(group)
        steps.append(
            StructuralStep(
                Revision(version, lines[0].at),
                lines[0].cause,
                frozenset(line.tag_id for line in lines if line.shown_after),
                frozenset(line.tag_id for line in lines if not line.shown_after),
                frozenset(line.tag_id for line in lines if line.kind == "UPDATED"),
            )
        )
    return steps


def _in_order(
    bit_changes: Iterable[UserTagChange], steps: Iterable[StructuralStep]
) -> list[UserTagChange | StructuralStep]:
    """Merge both logs; each is in order, and between them the instants decide."""

    def key(change: UserTagChange | StructuralStep) -> tuple[datetime, bool, int]:
        return change.revision.at, isinstance(change, UserTagChange), change.revision.version

    return sorted((*bit_changes, *steps), key=key)


def _net_update(
    snapshot: UserTagsUpdate,
    before: frozenset[int],
    edited: frozenset[int] = frozenset(),
    *,
    cause: ChangeCause | None,
) -> list[UserTagsUpdate]:
    """Return the net difference from what the client showed at its cursor as one event, or none."""
    updated = edited & before & snapshot.tags
    net = replace(
        snapshot,
        reset=False,
        added=snapshot.tags - before,
        removed=before - snapshot.tags,
        updated=updated,
        cause=cause,
    )
    return [net] if net.added or net.removed or net.updated else []
