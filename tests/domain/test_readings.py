"""What a process keeps of a channel never shows longer than it is true."""

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
from service.domain.tags.reader import Readings
from service.entities.channels import Channel
from service.entities.enums import EventKind, TagState
from service.entities.errors import NotFoundError
from service.entities.ids import channel_gid
from service.entities.tags import Tag
from service.entities.users import UserEvent
from service.storage.channels import note_default_tags_run
from tests.counted_statements import counted_statements
from tests.frozen_clock import START
from tests.runtimes import admin, bind


@pytest.fixture
async def readings(runtime: Runtime, channel: Channel) -> Readings:
    """Another process's, which has read and kept everything before the test begins."""
    events = [UserEvent(openid, EventKind.MESSAGE, START) for openid in ("ann", "bob")]
    await record_events(runtime, channel, events)
    readings = Readings(runtime.pool)
    assert "Opened" in await shown(readings, channel)
    return readings


async def shown(readings: Readings, channel: Channel, openid: str = "ann") -> set[str]:
    """Names of the tags that somebody shows."""
    (person,) = await readings.people_named(admin(), channel_gid(channel.channel_id), [openid])
    assert person is not None
    bits = await readings.bits_of((channel.channel_id, person.ordinal))
    return {bits.catalogue.tags[tag_id].name for tag_id in bits.catalogue.shown(bits.tag_ids)}


async def shown_with(readings: Readings, channel: Channel, openid: str = "ann") -> set[str]:
    """The same, read with the person."""
    (found,) = await readings.people_with_tags(admin(), channel_gid(channel.channel_id), [openid])
    assert found is not None
    return {found.bits.catalogue.tags[tag_id].name for tag_id in found.bits.catalogue.shown(found.bits.tag_ids)}


WAYS = pytest.mark.parametrize("ask", [shown, shown_with])
Ask = Callable[..., Coroutine[Any, Any, set[str]]]


async def edit(runtime: Runtime, channel: Channel, named: str, kind: TagChangeKind, **after: object) -> Tag:
    """Change one tag as every structural change does, and answer it as it is then."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        before = await lock_catalogue(conn, channel.channel_id)
        (tag,) = (each for each in before.tags.values() if each.name == named)
        changed = replace(tag, **after)  # type: ignore[arg-type]
        await write_tag_edits(conn, before, [TagEdit(kind, tag, changed)], cause=None, clock=runtime.clock())
    return changed


async def test_a_deleted_tag_is_not_shown_once_that_was_answered(
    runtime: Runtime, channel: Channel, readings: Readings
) -> None:
    tag = await edit(runtime, channel, "Opened", TagChangeKind.DELETED, deleted_at=START)
    assert "Opened" not in await shown(readings, channel)
    assert (await readings.catalogue_of(channel.channel_id)).tags[tag.tag_id].deleted_at == START


async def test_a_new_name_is_shown_at_once(runtime: Runtime, channel: Channel, readings: Readings) -> None:
    await edit(runtime, channel, "Opened", TagChangeKind.UPDATED, name="Has written")
    assert "Has written" in await shown(readings, channel)
    await edit(runtime, channel, "Has written", TagChangeKind.STATE_CHANGED, state=TagState.LAPSED)
    assert "Has written" not in await shown(readings, channel)


async def test_the_closed_gate_shows_nothing(runtime: Runtime, channel: Channel, readings: Readings) -> None:
    await unbind_channel(runtime, admin(), channel_gid(channel.channel_id))
    assert await shown(readings, channel) == set()


async def test_a_scheduled_run_moves_as_of_without_reading_the_tags_again(
    runtime: Runtime, channel: Channel, readings: Readings
) -> None:
    later = START.replace(hour=23)
    async with runtime.pool.acquire() as conn:
        await note_default_tags_run(conn, channel.channel_id, later)
    with counted_statements() as sent:
        assert (await readings.catalogue_of(channel.channel_id)).default_tags_as_of == later
    assert sent == ["channel_state"]


async def test_a_database_that_went_back_is_believed(runtime: Runtime, channel: Channel, readings: Readings) -> None:
    """A backup was restored: the version is one that was kept once, at another instant."""
    await edit(runtime, channel, "Opened", TagChangeKind.UPDATED, name="Kept by this process")
    assert "Kept by this process" in await shown(readings, channel)
    async with runtime.pool.acquire() as conn:
        await conn.execute("update tag set name = 'Restored' where name = 'Kept by this process'")
        await conn.execute("update channel_state set tag_version_at = tag_version_at - interval '1 s'")
    assert "Restored" in await shown(readings, channel)


@WAYS
async def test_requests_at_once_share_their_statements(channel: Channel, readings: Readings, ask: Ask) -> None:
    with counted_statements() as sent:
        answers = await asyncio.gather(*(ask(readings, channel, name) for name in ("ann", "bob") * 16))
    assert len(answers) == 32
    assert all("Opened" in answer for answer in answers)
    assert sent == {shown: ["people_of_robot", "bits_of_users"], shown_with: ["people_with_bits"]}[ask]


@WAYS
async def test_what_was_committed_before_asking_is_in_the_answer(
    runtime: Runtime, channel: Channel, readings: Readings, ask: Ask
) -> None:
    """Whoever asks while others' statements run does not get what those read."""
    others = [asyncio.create_task(ask(readings, channel, name)) for name in ("ann", "bob") * 4]
    await record_events(runtime, channel, [UserEvent("ann", EventKind.UNFOLLOW, START + timedelta(seconds=1))])
    others += [asyncio.create_task(ask(readings, channel, "bob")) for _ in range(4)]
    assert await ask(readings, channel) == set()
    await asyncio.gather(*others)


@pytest.mark.parametrize("way", [Readings.people_named, Readings.people_with_tags])
async def test_a_channel_of_another_robot_is_not_found_even_beside_its_owner(
    runtime: Runtime, channel: Channel, readings: Readings, way: Callable[..., Coroutine[Any, Any, list[Any]]]
) -> None:
    gid = channel_gid(channel.channel_id)
    owner: asyncio.Task[list[Any]] = asyncio.create_task(way(readings, admin(), gid, ["ann", "nobody"]))
    with pytest.raises(NotFoundError):
        await way(readings, admin("robot-2"), gid, ["ann", "nobody"])
    assert [each is not None for each in await owner] == [True, False]
    for asked in ([], ["nobody"]):
        with pytest.raises(NotFoundError):
            await way(readings, admin("robot-2"), gid, asked)
    assert await way(readings, admin(), gid, []) == []
    other = await bind(runtime, robot_id="robot-2")
    assert await way(readings, admin("robot-2"), channel_gid(other.channel_id), ["ann"]) == [None]
