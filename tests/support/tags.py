"""Make tags of every kind and give them members: through the service, or straight into the tables."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from asyncpg import BitString

from service.domain.ad_tags.members import AdTagDetails, create_ad_tag, update_ad_tag
from service.domain.ad_tags.return_address import ad_return_address, confirm_ad_return, record_ad_follow
from service.domain.combos.editing import ComboEdit, NewCombo, create_combo, update_combo
from service.domain.combos.expressions import to_draft
from service.domain.combos.tag_deletion import delete_tag
from service.domain.return_data.requests import Submission
from service.domain.return_data.submission import ReturnRecorder
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE, bitmap_of
from service.entities.channels import Channel
from service.entities.combos import Combo, ComboGraph
from service.entities.expressions import Expression
from service.entities.return_data import Receipt, ReturnMode
from service.entities.tags import Tag, TagState
from service.entities.users import AdFollow
from service.storage import combos, users
from service.storage.channels import channel_of_robot
from tests.support.database_state import tags_by_ordinal
from tests.support.runtime import admin

INSERT_USERS = """
insert into channel_user (channel_id, ordinal, openid, first_seen_at)
select $1, o, 'o' || lpad(o::text, 9, '0'), $3 from unnest($2::int[]) o on conflict do nothing
"""
INSERT_HEADS = """
insert into block_head (channel_id, block, at, evaluated_at, latest_at, base_at, windows_version)
select distinct $1::bigint, o / 32000, $3::timestamptz, $3::timestamptz, $3::timestamptz, $3::timestamptz,
    (select max(version) from touch_windows)
from unnest($2::int[]) o on conflict do nothing
"""
INSERT_TAG = """
insert into tag (channel_id, tag_id, kind, category, name, state, created_at, updated_at)
values ($1, $2, 'RETURN', 'Test', $3, $4, $5, $5) on conflict do nothing
"""
OPENIDS_BY_ORDINAL = "select ordinal, openid from channel_user where channel_id = $1"
MEMBERS_OF_BATCHES = """
select distinct u.openid from return_support s
join channel_user u on u.channel_id = s.channel_id and (
    s.ordinals @> array[u.ordinal] or (s.place = u.ordinal / 32000 and get_bit(s.members, u.ordinal % 32000) = 1)
)
where s.channel_id = $1 and s.tag_id = $2
"""


async def make_tag(runtime: Runtime, channel: Channel, name: str, *openids: str) -> int:
    """Make an ACTIVE return tag that these people have, and return its number."""
    submission = Submission("Fruit", name, None, openids)
    receipt, _ = await ReturnRecorder(runtime).submit(channel, submission)
    return receipt.tag_id


async def add_members(runtime: Runtime, channel: Channel, tag_id: int, *openids: str) -> None:
    """Give people a tag; those who are new become known."""
    await _submit(runtime, channel, tag_id, openids, ReturnMode.ADD)


async def remove_members(runtime: Runtime, channel: Channel, tag_id: int, *openids: str) -> None:
    """Take a tag from people."""
    await _submit(runtime, channel, tag_id, openids, ReturnMode.REMOVE)


async def _submit(runtime: Runtime, channel: Channel, tag_id: int, openids: tuple[str, ...], mode: ReturnMode) -> None:
    name = (await tag_of(runtime, channel, tag_id)).name
    await ReturnRecorder(runtime).submit(channel, Submission("Fruit", name, None, openids, mode))


async def make_combo(runtime: Runtime, channel: Channel, name: str, expression: Expression) -> Combo:
    """Make a combo as an admin does; nobody has computed it yet."""
    new = NewCombo("Combo", name, None, to_draft(channel.channel_id, expression))
    graph, tag = await create_combo(runtime, admin(channel.robot_id), channel.channel_id, new)
    return graph.combos[tag.tag_id]


async def edit_combo(runtime: Runtime, channel: Channel, tag_id: int, expression: Expression) -> None:
    """Give a combo another expression, as an admin does."""
    draft = to_draft(channel.channel_id, expression)
    await update_combo(runtime, admin(channel.robot_id), channel.channel_id, tag_id, ComboEdit(expression=draft))


async def delete_tag_of(runtime: Runtime, channel: Channel, tag_id: int) -> set[int]:
    """Delete a tag as an admin does, and return the combos that lapsed with it."""
    gone = await delete_tag(runtime, admin(channel.robot_id), channel.channel_id, tag_id)
    return {each.tag_id for each in gone.lapsed}


async def combo_graph_of(runtime: Runtime, channel: Channel) -> ComboGraph:
    """Return the tags and combos of a channel."""
    async with runtime.pool.acquire() as conn:
        return await combos.combo_graph(conn, channel.channel_id)


async def tag_of(runtime: Runtime, channel: Channel, tag_id: int) -> Tag:
    """Return a tag that is not deleted."""
    return (await combo_graph_of(runtime, channel)).tags[tag_id]


async def state_of(runtime: Runtime, channel: Channel, tag_id: int) -> TagState:
    """Return the state of a tag that is not deleted."""
    return (await tag_of(runtime, channel, tag_id)).state


async def tag_ids_by_openid(runtime: Runtime, channel: Channel) -> Mapping[str, frozenset[int]]:
    """Return the tags whose bits each person has, shown or not, by openid."""
    rows = await runtime.pool.fetch(
        "select openid, ordinal from channel_user where channel_id = $1", channel.channel_id
    )
    async with runtime.pool.acquire() as conn:
        held = await users.tags_of_users(conn, channel.channel_id, [row["ordinal"] for row in rows])
    return {row["openid"]: held[row["ordinal"]] for row in rows}


def openid_of(ordinal: int) -> str:
    """Return the openid that `populate` gives to an ordinal."""
    return f"o{ordinal:09}"


async def populate(runtime: Runtime, channel: Channel, members: Mapping[int, Collection[int]]) -> None:
    """Give tags, by number, the ordinals they hold in place of any before; make people, blocks and tags from 9 on."""
    ordinals = sorted({ordinal for each in members.values() for ordinal in each})
    now, channel_id = runtime.clock(), channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        await conn.execute(INSERT_USERS, channel_id, ordinals, now)
        await conn.execute(INSERT_HEADS, channel_id, ordinals, now)
        for tag_id in members:
            if tag_id > 8:
                await conn.execute(INSERT_TAG, channel_id, tag_id, f"T{tag_id}", TagState.ACTIVE, now)
        for table in ("tag_members", "tag_member_count"):
            await conn.execute(
                f"delete from {table} where channel_id = $1 and tag_id = any($2::int[])",  # noqa: S608
                channel_id,
                list(members),
            )
        for block, tag_id, offsets in _blocks(members):
            bits = BitString.frombytes(bitmap_of(offsets), BLOCK_SIZE)
            await conn.execute("insert into tag_members values ($1, $2, $3, $4)", channel_id, block, tag_id, bits)
            await conn.execute(
                "insert into tag_member_count values ($1, $2, $3, $4, $5)",
                channel_id,
                block,
                tag_id,
                len(offsets),
                now,
            )


async def set_state(runtime: Runtime, channel: Channel, tag_id: int, state: TagState) -> None:
    """Give a tag a state without any of its effects."""
    await runtime.pool.execute(
        "update tag set state = $3 where channel_id = $1 and tag_id = $2", channel.channel_id, tag_id, state
    )


def _blocks(members: Mapping[int, Collection[int]]) -> list[tuple[int, int, set[int]]]:
    found: dict[tuple[int, int], set[int]] = {}
    for tag_id, ordinals in members.items():
        for ordinal in ordinals:
            found.setdefault((ordinal // BLOCK_SIZE, tag_id), set()).add(ordinal % BLOCK_SIZE)
    return [(block, tag_id, offsets) for (block, tag_id), offsets in sorted(found.items())]


async def make_ad_tag(runtime: Runtime, channel: Channel, name: str, *ad_ids: str) -> Tag:
    """Make an ad tag as an admin does."""
    details = AdTagDetails(name, ad_ids, None)
    return (await create_ad_tag(runtime, admin(), channel.channel_id, details)).tag


async def edit_ad_tag(runtime: Runtime, tag: Tag, *ad_ids: str) -> Tag:
    """Give an ad tag other ads as an admin does."""
    details = AdTagDetails(None, ad_ids, None, sets_description=False)
    edited = await update_ad_tag(runtime, admin(), tag.channel_id, tag.tag_id, details, expected_version=None)
    return edited.tag


async def confirm_ad_address(runtime: Runtime, channel: Channel) -> list[int]:
    """Confirm the address that the ad platform calls, and return the numbers of the tags that became ACTIVE."""
    return [tag.tag_id for tag in (await confirm_ad_return(runtime, admin(), channel.channel_id)).activated]


async def ad_address_secret(runtime: Runtime, channel: Channel) -> str:
    """Return the secret in the address that the ad platform calls."""
    async with runtime.pool.acquire() as conn:
        present = await channel_of_robot(conn, channel.robot_id, channel.channel_id)
    assert present is not None
    return str(await ad_return_address(runtime, present)).rpartition("/")[2]


async def record_ad_follow_of(runtime: Runtime, channel: Channel, openid: str, at: datetime, *ad_ids: str) -> None:
    """Record a call of the ad platform."""
    secret = await ad_address_secret(runtime, channel)
    await record_ad_follow(runtime, channel, secret, AdFollow(openid, at, ad_ids))


def submission_of(
    openids: Iterable[str],
    mode: ReturnMode = ReturnMode.ADD,
    *,
    label: str = "Gold",
    category: str = "Level",
    description: str | None = None,
    expires_at: datetime | None = None,
    key: str | None = None,
    openids_of: Channel | None = None,
) -> Submission:
    """Return a list to be handed back."""
    return Submission(
        category,
        label,
        description,
        list(openids),
        mode,
        subject="shop",
        expires_at=expires_at,
        idempotency_key=key,
        openids_of=openids_of,
    )


async def submit(runtime: Runtime, channel: Channel, submission: Submission) -> Receipt:
    """Submit a list that was not sent before, and return its receipt."""
    receipt, replayed = await ReturnRecorder(runtime).submit(channel, submission)
    assert not replayed
    return receipt


async def members_of(runtime: Runtime, channel: Channel, tag_id: int) -> set[str]:
    """Return the openids of those who have the bit of a tag."""
    openids = {
        row["ordinal"]: row["openid"] for row in await runtime.pool.fetch(OPENIDS_BY_ORDINAL, channel.channel_id)
    }
    bits = await tags_by_ordinal(runtime, channel)
    return {openids[ordinal] for ordinal, tag_ids in bits.items() if tag_id in tag_ids}


async def members_of_batches(runtime: Runtime, channel: Channel, tag_id: int) -> set[str]:
    """Return the openids that the batches in force hold together."""
    return {row["openid"] for row in await runtime.pool.fetch(MEMBERS_OF_BATCHES, channel.channel_id, tag_id)}
