"""Answer hints as they are now, compared once for all who wait.

The rule: docs/specification.md §6.10.
"""

import asyncio
from collections import Counter

import pytest

from service.domain.channels.binding import unbind_channel
from service.domain.combos.activation import rescue_combos
from service.domain.events.recorder import record_events
from service.domain.hints.finding import MAX_HINTS, gravest
from service.domain.hints.reader import ChannelHints, HintReader
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.expressions import all_of, any_of, tag, to_json
from service.entities.hints import TagHintKind
from service.entities.jobs import JobState
from service.entities.users import EventKind, UserEvent
from tests.domain.hints.test_finding import compare, make_combos
from tests.support.broadcast_rows import finish, insert_broadcast_of
from tests.support.runtime import admin, counted_statements
from tests.support.tags import delete_tag_of, make_combo, make_tag, populate

EQUAL, SUBSET, DISJOINT, EMPTY, UNUSED = (
    TagHintKind.EQUAL,
    TagHintKind.SUBSET,
    TagHintKind.DISJOINT,
    TagHintKind.EMPTY,
    TagHintKind.UNUSED,
)

INSERT_ENDPOINT = """
insert into webhook_endpoint (
    robot_id, url, events, tag_channel_ids, tag_ids, state, secret, signing_key, public_key, created_at, created_by
) values ($1, 'https://hooks.example/', '{}', $2, $3, 'OFF', '', '', '', now(), 'ada') returning endpoint_id
"""


@pytest.fixture
def reader(runtime: Runtime) -> HintReader:
    """Read hints as a web process does."""
    return HintReader(runtime.pool)


def told(found: ChannelHints) -> list[tuple[TagHintKind, int, int | None]]:
    return [(each.kind, each.tag_id, each.other_id) for each in found.hints]


async def test_whatever_changes_is_told_at_once(runtime: Runtime, channel: Channel, reader: HintReader) -> None:
    apples = await make_tag(runtime, channel, "Apples", "ann", "ben")
    pears = await make_tag(runtime, channel, "Pears", "ann", "ben")
    assert told(await reader.hints_of(channel.channel_id)) == [
        (EQUAL, pears, apples),
        (UNUSED, apples, None),
        (UNUSED, pears, None),
    ]

    await make_tag(runtime, channel, "Pears", "cyd")
    assert told(await reader.hints_of(channel.channel_id))[0] == (SUBSET, apples, pears)
    combo = (await make_combo(runtime, channel, "Fruit", any_of(tag(apples), tag(pears)))).tag_id
    assert told(await reader.hints_of(channel.channel_id)) == [(SUBSET, apples, pears)]
    await rescue_combos(runtime, channel.channel_id)
    assert told(await reader.hints_of(channel.channel_id)) == [
        (EQUAL, combo, pears),
        (SUBSET, apples, pears),
        (UNUSED, combo, None),
    ]
    await delete_tag_of(runtime, channel, pears)
    assert told(await reader.hints_of(channel.channel_id)) == []


async def test_a_tag_that_is_used_anywhere_is_not_unused(
    runtime: Runtime, channel: Channel, reader: HintReader
) -> None:
    apples = await make_tag(runtime, channel, "Apples", "ann")
    unused = (UNUSED, apples, None)

    job = await insert_broadcast_of(runtime, channel, audience=to_json(tag(apples)))
    assert told(await reader.hints_of(channel.channel_id)) == []
    await finish(runtime, job, JobState.CANCELLED)
    assert told(await reader.hints_of(channel.channel_id)) == [unused]
    endpoint = await runtime.pool.fetchval(INSERT_ENDPOINT, channel.robot_id, [channel.channel_id], [apples])
    assert told(await reader.hints_of(channel.channel_id)) == []
    await runtime.pool.execute("delete from webhook_endpoint where endpoint_id = $1", endpoint)
    await runtime.pool.fetchval(INSERT_ENDPOINT, channel.robot_id, [channel.channel_id + 1], [apples])
    assert told(await reader.hints_of(channel.channel_id)) == [unused]
    await runtime.pool.execute(
        "insert into remote_tag (channel_id, tag_id, remote_tag_id, remote_name, linked_at) "
        "values ($1, $2, 100, 'a', $3)",
        channel.channel_id,
        apples,
        runtime.clock(),
    )
    assert told(await reader.hints_of(channel.channel_id)) == []


async def test_bits_are_read_again_only_after_a_change(runtime: Runtime, channel: Channel, reader: HintReader) -> None:
    await make_tag(runtime, channel, "Apples", "ann")
    await make_tag(runtime, channel, "Pears", "ann")
    await reader.hints_of(channel.channel_id)

    with counted_statements() as sent:
        await reader.hints_of(channel.channel_id)
    assert "members_revision" in sent
    assert "counts_by_block" not in sent
    await record_events(runtime, channel, [UserEvent("ann", EventKind.FOLLOW, runtime.clock())])
    with counted_statements() as sent:
        await reader.hints_of(channel.channel_id)
    assert "bitmaps_at" in sent


async def test_all_who_wait_share_a_comparison(runtime: Runtime, channel: Channel, reader: HintReader) -> None:
    await make_tag(runtime, channel, "Apples", "ann")

    with counted_statements() as sent:
        answers = await asyncio.gather(*[reader.hints_of(channel.channel_id) for _ in range(5)])

    assert Counter(sent)["combo_graph"] == 1
    assert all(each is answers[0] for each in answers)


async def test_a_closed_gate_shows_none(runtime: Runtime, channel: Channel, reader: HintReader) -> None:
    await make_tag(runtime, channel, "Apples", "ann")
    await unbind_channel(runtime, admin(), channel.channel_id)

    assert told(await reader.hints_of(channel.channel_id)) == []


async def test_the_gravest_come_first_and_what_definitions_tell_last(runtime: Runtime, channel: Channel) -> None:
    people = {9: range(10), 10: range(10), 11: range(20, 25), 12: range(9), 13: range(4), 14: (), 15: range(12)}
    await populate(runtime, channel, people)
    await make_combos(runtime, channel, {14: all_of(tag(9), tag(11)), 15: any_of(tag(9), tag(13))})

    found = gravest((await compare(runtime, channel)).hints)

    assert [(each.kind, each.tag_id, each.other_id) for each in found] == [
        (DISJOINT, 9, 11),
        (EQUAL, 10, 9),
        (EMPTY, 14, None),
        (SUBSET, 12, 9),
        (SUBSET, 12, 15),
        (SUBSET, 13, 12),
        (SUBSET, 13, 9),
        (SUBSET, 9, 15),
        (SUBSET, 13, 15),
    ]
    assert [each.by_definition for each in found][-2:] == [True, True]
    assert found[0].combos == (14,)


async def test_a_limit_leaves_the_gravest(runtime: Runtime, channel: Channel) -> None:
    """Each tag holds all before it: a chain has as many pairs as there are."""
    await populate(runtime, channel, {9 + number: range(1 + number) for number in range(30)})
    every = gravest((await compare(runtime, channel, max_hints=1_000)).hints, 1_000)
    assert len(every) == 30 * 29 // 2

    for most in (1, 7, MAX_HINTS):
        assert gravest((await compare(runtime, channel, max_hints=most)).hints, most) == every[:most]
