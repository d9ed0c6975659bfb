"""Unite two users of a channel who turn out to be one person, in the older ordinal.

Facts are maxima; ads, batches, tags, and whatever else is kept by ordinal, are those of either. The other ordinal goes
as if the user were forgotten, but nothing of the person does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service.domain.broadcasts.uniting import unite_in_broadcasts
from service.domain.default_tags.definitions import channel_rules, to_transitions
from service.domain.membership import MAX_USERS_LOGGED_INDIVIDUALLY, merge_per_user, write_transitions
from service.domain.return_data.members import by_block, segment_of, slots_of
from service.domain.runtime import Runtime
from service.entities.blocks import (
    BlockHead,
    ChangeCause,
    ChangeNotification,
    Transition,
    bitmap_of,
    block_of,
    offset_of,
)
from service.entities.channels import Channel
from service.storage import account_migration, change_feed, default_tags, former_openids, remote_tags, users
from service.storage.ad_tags import ad_tags_gained
from service.storage.database.pool import Connection
from service.storage.return_data import batch_members, batches

# Each concerns two users, and what becomes of each is logged one by one.
UNIONS_PER_TRANSACTION: Final = MAX_USERS_LOGGED_INDIVIDUALLY // 2
SETTLED: Final = 0


@dataclass(frozen=True, slots=True)
class Union:
    """Name the ordinal that stays and the one that goes, and what the person is called from now on."""

    older: int
    newer: int
    openid: str
    unionid: str | None

    @property
    def blocks(self) -> set[int]:
        """Return the blocks that have to be locked."""
        return {block_of(self.older), block_of(self.newer)}


async def unite(
    conn: Connection,
    runtime: Runtime,
    channel: Channel,
    locked: Mapping[int, BlockHead],
    living_return_tags: Mapping[int, int | None],
    unions: Sequence[Union],
) -> list[ChangeNotification]:
    """Unite at most `UNIONS_PER_TRANSACTION` pairs of users, and return what to publish after the commit.

    The caller holds the exports, the channel's state, the living return tags, each given with the tag that it is being
    merged into, and the blocks of all of them. No user is in two of the unions.
    """
    channel_id, now = channel.channel_id, runtime.clock()
    older_of = {each.newer: each.older for each in unions}
    going = await account_migration.users_as_stored(conn, channel_id, older_of)
    had = await users.tags_of_users(conn, channel_id, [*older_of, *older_of.values()])
    transitions = [
        *await _unite_facts(conn, channel, locked, older_of, going, now),
        *await _unite_ads(conn, channel_id, older_of),
        *await _unite_other_tags(conn, channel_id, older_of, living_return_tags, had),
        *(Transition(block_of(each), (offset_of(each),), (), tuple(sorted(had[each]))) for each in older_of),
    ]
    for block, offsets in by_block(older_of).items():
        await users.redact_change_log(conn, channel_id, block, offsets)
    notifications = await write_transitions(
        conn, channel_id, locked, merge_per_user(transitions), cause=ChangeCause.OPENID_MIGRATED, now=now
    )
    await account_migration.unite_frozen(conn, channel_id, older_of)
    await former_openids.reassign_former_openids(conn, channel_id, older_of)
    await change_feed.delete_notices_of_users(conn, channel_id, list(older_of))
    await users.delete_users(conn, channel_id, list(older_of))
    # Of those who are gone: whoever is there may have been given a remote tag.
    await _unite_remote_members(conn, channel_id, older_of)
    await unite_in_broadcasts(conn, channel_id, older_of)
    await account_migration.set_united_users(
        conn,
        channel_id,
        [
            account_migration.UnitedUser(
                each.older,
                each.openid,
                each.unionid,
                going[each.newer].subscribe_scene,
                going[each.newer].first_seen_at,
            )
            for each in unions
        ],
    )
    return notifications


async def _unite_facts(
    conn: Connection,
    channel: Channel,
    locked: Mapping[int, BlockHead],
    older_of: Mapping[int, int],
    going: Mapping[int, account_migration.StoredUser],
    now: datetime,
) -> list[Transition]:
    merging = {
        older: default_tags.NewFacts(going[newer].facts, locked[block_of(older)].evaluation_instant(now))
        for newer, older in older_of.items()
    }
    merged = await default_tags.merge_facts(conn, channel_rules(channel), merging)
    return to_transitions(merged.differences)


async def _unite_ads(conn: Connection, channel_id: int, older_of: Mapping[int, int]) -> list[Transition]:
    brought = await account_migration.unite_ads(conn, channel_id, older_of)
    return await ad_tags_gained(conn, channel_id, brought) if brought else []


async def _unite_other_tags(
    conn: Connection,
    channel_id: int,
    older_of: Mapping[int, int],
    living_return_tags: Mapping[int, int | None],
    had: Mapping[int, frozenset[int]],
) -> list[Transition]:
    """Give the older ordinals the batches and with them the return tags of the newer ones, and their combos.

    A combo is as of its last refresh, when one of the two had it; the next one looks at both together.
    """
    holding: dict[int, set[tuple[batches.KeyedTag, int]]] = {}
    for ordinal, tag, batch_id, _ in await batches.held_people(conn, channel_id, [*older_of, *older_of.values()]):
        holding.setdefault(ordinal, set()).add((tag, batch_id))
    lists: list[account_migration.BatchEntry] = []
    settled: dict[int, list[int]] = {}
    gained: dict[int, set[int]] = {}
    combos = await account_migration.active_combo_tags(conn, channel_id)
    for newer, older in older_of.items():
        gained[older] = set(had[newer] & combos - had[older])
        for tag, batch_id in sorted(holding.get(newer, ())):
            if tag.tag_id not in living_return_tags:
                continue
            gained[older] |= {tag.tag_id, living_return_tags[tag.tag_id] or tag.tag_id} - had[older]
            if (tag, batch_id) in holding.get(older, ()):
                continue
            if batch_id == SETTLED:
                settled.setdefault(tag.key_id, []).append(older)
            else:
                lists.append(account_migration.BatchEntry(tag.key_id, segment_of(block_of(older)), batch_id, older))
    for key_id, ordinals in settled.items():
        bits = {block: bitmap_of(offsets) for block, offsets in by_block(ordinals).items()}
        await batch_members.add_settled_members(conn, channel_id, key_id, bits)
    await account_migration.add_to_batches(conn, channel_id, lists)
    blocks = by_block(older_of)
    await batch_members.remove_from_all_batches(conn, channel_id, slots_of(blocks), blocks)
    return [
        Transition(block_of(older), (offset_of(older),), tuple(sorted(tag_ids)), ())
        for older, tag_ids in gained.items()
        if tag_ids
    ]


async def _unite_remote_members(conn: Connection, channel_id: int, older_of: Mapping[int, int]) -> None:
    """Give the older ordinals the remote tags of either, if the channel has any."""
    linked = await remote_tags.linked_tags(conn, channel_id)
    if linked:
        await remote_tags.lock_linked_tags(conn, channel_id, linked)
        await account_migration.unite_remote_members(conn, channel_id, older_of)
        await remote_tags.clear_remote_members(conn, channel_id, list(older_of))
