"""Read tags from what a process remembers only as long as it is true."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.domain.channels.binding import unbind_channel
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, lock_catalogue, write_tag_edits
from service.domain.tags.reader import UserReader
from service.entities.channels import Channel
from service.entities.errors import NotFoundError
from service.entities.tags import Tag, TagState
from service.entities.users import EventKind, UserEvent
from service.storage.channels import set_default_tags_as_of
from tests.support.clock import START
from tests.support.runtime import admin, bind, counted_statements


@pytest.fixture
async def user_reader(runtime: Runtime, channel: Channel) -> UserReader:
    """Open the reader of another process, which has read and kept everything before the test begins."""
    events = [UserEvent(openid, EventKind.MESSAGE, START) for openid in ("ann", "bob")]
    await record_events(runtime, channel, events)
    user_reader = UserReader(runtime.pool)
    assert "Opened" in await shown(user_reader, channel)
    return user_reader


async def shown(user_reader: UserReader, channel: Channel, openid: str = "ann") -> set[str]:
    """Return the names of the tags that a person shows."""
    (person,) = await user_reader.find_users(admin(), channel.channel_id, [openid])
    assert person is not None
    tag_set = await user_reader.tag_set_of((channel.channel_id, person.ordinal))
    return {tag_set.catalogue.tags[tag_id].name for tag_id in tag_set.catalogue.shown(tag_set.tag_ids)}


async def shown_with(user_reader: UserReader, channel: Channel, openid: str = "ann") -> set[str]:
    """Return the names of the tags that a person shows, read together with the person."""
    (found,) = await user_reader.find_users_with_tags(admin(), channel.channel_id, [openid])
    assert found is not None
    return {
        found.tag_set.catalogue.tags[tag_id].name for tag_id in found.tag_set.catalogue.shown(found.tag_set.tag_ids)
    }


WAYS = pytest.mark.parametrize("ask", [shown, shown_with])
Ask = Callable[..., Coroutine[Any, Any, set[str]]]


async def edit(runtime: Runtime, channel: Channel, named: str, kind: TagChangeKind, **after: object) -> Tag:
    """Change one tag as every structural change does, and return it as it is then."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        before = await lock_catalogue(conn, channel.channel_id)
        (tag,) = (each for each in before.tags.values() if each.name == named)
        changed = replace(tag, **after)  # type: ignore[arg-type]
        await write_tag_edits(conn, before, [TagEdit(kind, tag, changed)], cause=None, now=runtime.clock())
    return changed


async def test_a_deleted_tag_is_not_shown_once_that_was_answered(
    runtime: Runtime, channel: Channel, user_reader: UserReader
) -> None:
    tag = await edit(runtime, channel, "Opened", TagChangeKind.DELETED, deleted_at=START)
    assert "Opened" not in await shown(user_reader, channel)
    assert (await user_reader.catalogue_of(channel.channel_id)).tags[tag.tag_id].deleted_at == START


async def test_a_new_name_is_shown_at_once(runtime: Runtime, channel: Channel, user_reader: UserReader) -> None:
    await edit(runtime, channel, "Opened", TagChangeKind.UPDATED, name="Has written")
    assert "Has written" in await shown(user_reader, channel)
    await edit(runtime, channel, "Has written", TagChangeKind.STATE_CHANGED, state=TagState.LAPSED)
    assert "Has written" not in await shown(user_reader, channel)


async def test_the_closed_gate_shows_nothing(runtime: Runtime, channel: Channel, user_reader: UserReader) -> None:
    await unbind_channel(runtime, admin(), channel.channel_id)
    assert await shown(user_reader, channel) == set()


async def test_a_scheduled_run_moves_as_of_without_reading_the_tags_again(
    runtime: Runtime, channel: Channel, user_reader: UserReader
) -> None:
    later = START.replace(hour=23)
    async with runtime.pool.acquire() as conn:
        await set_default_tags_as_of(conn, channel.channel_id, later)
    with counted_statements() as sent:
        assert (await user_reader.catalogue_of(channel.channel_id)).default_tags_as_of == later
    assert sent == ["channel_state"]


async def test_a_database_that_went_back_is_believed(
    runtime: Runtime, channel: Channel, user_reader: UserReader
) -> None:
    """A backup was restored: the version is one that was kept once, at another instant."""
    await edit(runtime, channel, "Opened", TagChangeKind.UPDATED, name="Kept by this process")
    assert "Kept by this process" in await shown(user_reader, channel)
    async with runtime.pool.acquire() as conn:
        await conn.execute("update tag set name = 'Restored' where name = 'Kept by this process'")
        await conn.execute("update channel_state set tag_version_at = tag_version_at - interval '1 s'")
    assert "Restored" in await shown(user_reader, channel)


@WAYS
async def test_requests_at_once_share_their_statements(channel: Channel, user_reader: UserReader, ask: Ask) -> None:
    with counted_statements() as sent:
        answers = await asyncio.gather(*(ask(user_reader, channel, name) for name in ("ann", "bob") * 16))
    assert len(answers) == 32
    assert all("Opened" in answer for answer in answers)
    assert sent == {shown: ["users_of_robot", "bits_of_users"], shown_with: ["users_with_tag_ids"]}[ask]


@WAYS
async def test_what_was_committed_before_asking_is_in_the_answer(
    runtime: Runtime, channel: Channel, user_reader: UserReader, ask: Ask
) -> None:
    """A caller that asks while other statements run does not get what those read."""
    others = [asyncio.create_task(ask(user_reader, channel, name)) for name in ("ann", "bob") * 4]
    await record_events(runtime, channel, [UserEvent("ann", EventKind.UNFOLLOW, START + timedelta(seconds=1))])
    others += [asyncio.create_task(ask(user_reader, channel, "bob")) for _ in range(4)]
    assert await ask(user_reader, channel) == set()
    await asyncio.gather(*others)


@pytest.mark.parametrize("way", [UserReader.find_users, UserReader.find_users_with_tags])
async def test_a_channel_of_another_robot_is_not_found_even_beside_its_owner(
    runtime: Runtime, channel: Channel, user_reader: UserReader, way: Callable[..., Coroutine[Any, Any, list[Any]]]
) -> None:
    channel_id = channel.channel_id
    owner: asyncio.Task[list[Any]] = asyncio.create_task(way(user_reader, admin(), channel_id, ["ann", "nobody"]))
    with pytest.raises(NotFoundError):
        await way(user_reader, admin("robot-2"), channel_id, ["ann", "nobody"])
    assert [each is not None for each in await owner] == [True, False]
    for asked in ([], ["nobody"]):
        with pytest.raises(NotFoundError):
            await way(user_reader, admin("robot-2"), channel_id, asked)
    assert await way(user_reader, admin(), channel_id, []) == []
    other = await bind(runtime, robot_id="robot-2")
    assert await way(user_reader, admin("robot-2"), other.channel_id, ["ann"]) == [None]
