"""Return tags that people simply have, for combos to be made of, and what combos should come to."""

from collections.abc import Mapping

from service.domain.combos.editing import NewCombo, create_combo
from service.domain.combos.expressions import to_draft
from service.domain.return_data.submission import ReturnRecorder, Submission
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.combos import Combo, ComboGraph
from service.entities.enums import ReturnMode, TagState
from service.entities.expressions import Expression
from service.entities.ids import tag_gid
from service.entities.tags import Tag
from service.storage import combos, users
from tests.support.runtime import admin


async def make_tag(runtime: Runtime, channel: Channel, name: str, *openids: str) -> int:
    """Make an ACTIVE return tag that these people have; its number."""
    submission = Submission("Fruit", name, None, openids)
    receipt, _ = await ReturnRecorder(runtime).submit(channel, submission)
    return receipt.tag_id


async def add_members(runtime: Runtime, channel: Channel, tag_id: int, *openids: str) -> None:
    """Give people a tag; whoever is new becomes known."""
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


async def combo_graph_of(runtime: Runtime, channel: Channel) -> ComboGraph:
    async with runtime.pool.acquire() as conn:
        return await combos.combo_graph(conn, channel.channel_id)


async def tag_of(runtime: Runtime, channel: Channel, tag_id: int) -> Tag:
    return (await combo_graph_of(runtime, channel)).tags[tag_id]


async def state_of(runtime: Runtime, channel: Channel, tag_id: int) -> TagState:
    return (await tag_of(runtime, channel, tag_id)).state


async def tags_by_openid_shown(runtime: Runtime, channel: Channel) -> Mapping[str, frozenset[int]]:
    """The tags whose bits everybody has, shown or not, by openid."""
    rows = await runtime.pool.fetch(
        "select openid, ordinal from channel_user where channel_id = $1", channel.channel_id
    )
    async with runtime.pool.acquire() as conn:
        held = await users.tags_of_users(conn, channel.channel_id, [row["ordinal"] for row in rows])
    return {row["openid"]: held[row["ordinal"]] for row in rows}


async def members(runtime: Runtime, channel: Channel, tag_id: int) -> set[str]:
    """The openids of those who have a tag's bit."""
    return {openid for openid, held in (await tags_by_openid_shown(runtime, channel)).items() if tag_id in held}


def tag_gid_of(channel: Channel, tag_id: int) -> str:
    return tag_gid(channel.channel_id, tag_id)
