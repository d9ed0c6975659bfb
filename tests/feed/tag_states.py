"""Tags that come, go and are renamed, written the way every structural change is: under the channel's lock."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.membership import write_transitions
from service.domain.people import ordinals_for
from service.entities.blocks import Transition, WakeUp, block_of, offset_of
from service.entities.channels import Channel
from service.entities.enums import ChangeCause, TagKind, TagState
from service.entities.tags import TagChange
from service.storage import channels, heads, tags
from tests.feed.processes import FeedProcess


@dataclass(frozen=True)
class Act:
    """One line of a structural change, with the row it leaves behind."""

    tag_id: int
    kind: str
    before: bool
    after: bool
    assignment: str = ""


def hide(tag_id: int) -> Act:
    return Act(tag_id, "STATE_CHANGED", True, False, "state = 'LAPSED'")


def show(tag_id: int) -> Act:
    return Act(tag_id, "STATE_CHANGED", False, True, "state = 'ACTIVE'")


def rename(tag_id: int, name: str) -> Act:
    return Act(tag_id, "UPDATED", True, True, f"name = '{name}'")


def delete(tag_id: int) -> Act:
    return Act(tag_id, "DELETED", True, False, "deleted_at = now()")


async def change_tags(
    process: FeedProcess, channel: Channel, acts: Sequence[Act], cause: ChangeCause = ChangeCause.TAG_EDITED
) -> int:
    """Make one version of the tag states out of these acts."""
    runtime, channel_id = process.runtime, channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        state = await channels.lock_channel_state(conn, channel_id)
        for act in acts:
            await conn.execute(
                f"update tag set {act.assignment} where channel_id = $1 and tag_id = $2",  # noqa: S608
                channel_id,
                act.tag_id,
            )
        version, at = await channels.bump_tag_version(conn, channel_id, runtime.clock(), is_open=state.open)
        lines = [TagChange(version, at, act.tag_id, act.kind, cause, act.before, act.after) for act in acts]
        await tags.log_tag_changes(conn, channel_id, lines, cause)
    runtime.publisher.publish([WakeUp(channel_id, None, version)])
    return version


async def make_tag(
    process: FeedProcess, channel: Channel, tag_id: int, name: str, *, state: TagState = TagState.ACTIVE
) -> None:
    """Make a return tag that nobody has."""
    runtime, channel_id = process.runtime, channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        held = await channels.lock_channel_state(conn, channel_id)
        now = runtime.clock()
        await tags.insert_tag(
            conn,
            channel_id=channel_id,
            tag_id=tag_id,
            kind=TagKind.RETURN,
            category="Fruit",
            name=name,
            description=None,
            state=state,
            now=now,
        )
        version, at = await channels.bump_tag_version(conn, channel_id, now, is_open=held.open)
        shown = state is TagState.ACTIVE
        created = TagChange(version, at, tag_id, "CREATED", ChangeCause.RETURN_DATA, False, shown)
        await tags.log_tag_changes(conn, channel_id, [created], ChangeCause.RETURN_DATA)
    runtime.publisher.publish([WakeUp(channel_id, None, version)])


async def give(process: FeedProcess, channel: Channel, tag_id: int, *openids: str, take: bool = False) -> None:
    """Give people who lack it a tag, or take it from people who have it; whoever is new becomes known."""
    runtime, channel_id = process.runtime, channel.channel_id
    ordinals = (await ordinals_for(runtime, channel_id, openids)).values()
    async with runtime.pool.acquire() as conn, conn.transaction():
        by_block: dict[int, list[int]] = {}
        for ordinal in ordinals:
            by_block.setdefault(block_of(ordinal), []).append(offset_of(ordinal))
        locked = await heads.lock_heads(conn, channel_id, by_block)
        sides = ((), (tag_id,)) if take else ((tag_id,), ())
        wake_ups = await write_transitions(
            conn,
            channel_id,
            locked,
            [Transition(block, tuple(offsets), *sides) for block, offsets in by_block.items()],
            cause=ChangeCause.RETURN_DATA,
            clock=runtime.clock(),
        )
    runtime.publisher.publish(wake_ups)
