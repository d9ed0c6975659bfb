"""Make, rename and delete tags under the channel's lock, as every structural change does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from service.domain.membership import write_transitions
from service.domain.tags.catalogue import TagChangeKind, TagEdit, lock_catalogue, write_tag_edits
from service.entities.blocks import ChangeCause, Transition, block_of, offset_of
from service.entities.channels import Channel
from service.entities.tags import Tag, TagKind, TagState
from service.storage.blocks import heads
from tests.domain.feed.feed_process import FeedProcess
from tests.support.clock import START
from tests.support.runtime import ordinals_for


@dataclass(frozen=True)
class TagStateChange:
    """Say what a structural change does to one tag."""

    tag_id: int
    kind: TagChangeKind
    after: Callable[[Tag], Tag]


def hide(tag_id: int) -> TagStateChange:
    return TagStateChange(tag_id, TagChangeKind.STATE_CHANGED, lambda tag: replace(tag, state=TagState.LAPSED))


def show(tag_id: int) -> TagStateChange:
    return TagStateChange(tag_id, TagChangeKind.STATE_CHANGED, lambda tag: replace(tag, state=TagState.ACTIVE))


def rename(tag_id: int, name: str) -> TagStateChange:
    return TagStateChange(tag_id, TagChangeKind.UPDATED, lambda tag: replace(tag, name=name))


def delete(tag_id: int) -> TagStateChange:
    return TagStateChange(tag_id, TagChangeKind.DELETED, lambda tag: replace(tag, deleted_at=START))


async def change_tags(
    process: FeedProcess,
    channel: Channel,
    changes: Sequence[TagStateChange],
    cause: ChangeCause = ChangeCause.TAG_EDITED,
) -> int:
    """Make one version of the tag states out of these changes."""
    runtime = process.runtime
    async with runtime.pool.acquire() as conn, conn.transaction():
        before = await lock_catalogue(conn, channel.channel_id)
        edits = [
            TagEdit(change.kind, before.tags[change.tag_id], change.after(before.tags[change.tag_id]))
            for change in changes
        ]
        after, notification = await write_tag_edits(conn, before, edits, cause=cause, now=runtime.clock())
    runtime.publisher.publish([notification])
    return after.revision.version


async def make_tag(
    process: FeedProcess, channel: Channel, tag_id: int, name: str, *, state: TagState = TagState.ACTIVE
) -> None:
    """Make a return tag that nobody has."""
    runtime, channel_id = process.runtime, channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        before = await lock_catalogue(conn, channel_id)
        now = runtime.clock()
        tag = Tag(channel_id, tag_id, TagKind.RETURN, "Fruit", name, None, state, 1, now, now, None)
        created = TagEdit(TagChangeKind.CREATED, None, tag)
        _, notification = await write_tag_edits(conn, before, [created], cause=ChangeCause.RETURN_DATA, now=now)
    runtime.publisher.publish([notification])


async def change_members(
    process: FeedProcess, channel: Channel, tag_id: int, *openids: str, take: bool = False
) -> None:
    """Give people who lack it a tag, or take it from people who have it; whoever is new becomes known."""
    runtime, channel_id = process.runtime, channel.channel_id
    ordinals = (await ordinals_for(runtime, channel, openids)).values()
    async with runtime.pool.acquire() as conn, conn.transaction():
        by_block: dict[int, list[int]] = {}
        for ordinal in ordinals:
            by_block.setdefault(block_of(ordinal), []).append(offset_of(ordinal))
        locked = await heads.lock_heads(conn, channel_id, by_block)
        sides = ((), (tag_id,)) if take else ((tag_id,), ())
        notifications = await write_transitions(
            conn,
            channel_id,
            locked,
            [Transition(block, tuple(offsets), *sides) for block, offsets in by_block.items()],
            cause=ChangeCause.RETURN_DATA,
            now=runtime.clock(),
        )
    runtime.publisher.publish(notifications)
