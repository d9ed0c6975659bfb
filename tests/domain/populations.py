"""Return tags that people simply have, for combos to be made of, and what combos should come to."""

from collections.abc import Mapping

from service.domain.combo_states import lock_combos
from service.domain.combos import NewCombo, create_combo
from service.domain.expressions import draft_of
from service.domain.membership import write_transitions
from service.domain.people import ordinals_for
from service.domain.runtime import Runtime
from service.domain.tag_states import TagChangeKind, TagEdit, new_tag, write_tag_edits
from service.entities.blocks import Transition, block_of, offset_of
from service.entities.channels import Channel
from service.entities.combos import Combo, ComboCatalogue
from service.entities.enums import ChangeCause, TagKind, TagState
from service.entities.expressions import Expression
from service.entities.ids import channel_gid, tag_gid
from service.entities.tags import Tag
from service.storage import combos, heads, users
from tests.runtimes import admin


async def make_tag(runtime: Runtime, channel: Channel, name: str, *openids: str) -> int:
    """Make an ACTIVE return tag that these people have; its number."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        book = await lock_combos(conn, channel.channel_id)
        tag = await new_tag(
            conn,
            book.catalogue,
            # With no list of ads compared yet, so that `verify` leaves alone what is given here.
            kind=TagKind.AD,
            category="Fruit",
            name=name,
            description=None,
            state=TagState.ACTIVE,
            clock=runtime.clock(),
        )
        edits = [TagEdit(TagChangeKind.CREATED, None, tag)]
        await write_tag_edits(conn, book.catalogue, edits, cause=ChangeCause.RETURN_DATA, clock=runtime.clock())
    await give(runtime, channel, tag.tag_id, *openids)
    return tag.tag_id


async def give(runtime: Runtime, channel: Channel, tag_id: int, *openids: str) -> None:
    """Give a tag to whoever lacks it; whoever is new becomes known."""
    await _set(runtime, channel, tag_id, openids, has=True)


async def take(runtime: Runtime, channel: Channel, tag_id: int, *openids: str) -> None:
    """Take a tag from whoever has it."""
    await _set(runtime, channel, tag_id, openids, has=False)


async def _set(runtime: Runtime, channel: Channel, tag_id: int, openids: tuple[str, ...], *, has: bool) -> None:
    channel_id = channel.channel_id
    ordinals = (await ordinals_for(runtime, channel_id, openids)).values() if openids else ()
    async with runtime.pool.acquire() as conn, conn.transaction():
        locked = await heads.lock_heads(conn, channel_id, {block_of(each) for each in ordinals})
        held = await users.tags_of_users(conn, channel_id, ordinals)
        sides = ((tag_id,), ()) if has else ((), (tag_id,))
        changing: dict[int, list[int]] = {}
        for ordinal in sorted(ordinals):
            if (tag_id in held[ordinal]) is not has:
                changing.setdefault(block_of(ordinal), []).append(offset_of(ordinal))
        transitions = [Transition(block, tuple(offsets), *sides) for block, offsets in changing.items()]
        wake_ups = await write_transitions(
            conn, channel_id, locked, transitions, cause=ChangeCause.RETURN_DATA, clock=runtime.clock()
        )
    runtime.publisher.publish(wake_ups)


async def make_combo(runtime: Runtime, channel: Channel, name: str, expression: Expression) -> Combo:
    """Make a combo as an admin does; nobody has computed it yet."""
    new = NewCombo("Combo", name, None, draft_of(channel.channel_id, expression))
    book, tag = await create_combo(runtime, admin(channel.robot_id), channel_gid(channel.channel_id), new)
    return book.combos[tag.tag_id]


async def book_of(runtime: Runtime, channel: Channel) -> ComboCatalogue:
    async with runtime.pool.acquire() as conn:
        return await combos.combo_catalogue(conn, channel.channel_id)


async def tag_of(runtime: Runtime, channel: Channel, tag_id: int) -> Tag:
    return (await book_of(runtime, channel)).tags[tag_id]


async def state_of(runtime: Runtime, channel: Channel, tag_id: int) -> TagState:
    return (await tag_of(runtime, channel, tag_id)).state


async def bits(runtime: Runtime, channel: Channel) -> Mapping[str, frozenset[int]]:
    """The tags whose bits everybody has, shown or not, by openid."""
    rows = await runtime.pool.fetch(
        "select openid, ordinal from channel_user where channel_id = $1", channel.channel_id
    )
    async with runtime.pool.acquire() as conn:
        held = await users.tags_of_users(conn, channel.channel_id, [row["ordinal"] for row in rows])
    return {row["openid"]: held[row["ordinal"]] for row in rows}


async def members(runtime: Runtime, channel: Channel, tag_id: int) -> set[str]:
    """The openids of those who have a tag's bit."""
    return {openid for openid, held in (await bits(runtime, channel)).items() if tag_id in held}


def id_of(channel: Channel, tag_id: int) -> str:
    return tag_gid(channel.channel_id, tag_id)
