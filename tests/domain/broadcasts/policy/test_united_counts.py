"""Count for one person what was counted for two."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from service.domain.broadcasts.policy.united_counts import unite_counts
from service.domain.runtime import Runtime
from service.entities.bitmaps import bitmaps_of
from service.entities.blocks import BLOCK_SIZE, ordinal_at
from service.entities.channels import Channel
from service.storage.broadcasts.send_counts import CountClass, PlaneKey, counters_since, save_planes

TODAY = date(2026, 3, 1)
PEOPLE = (0, 1, 2, 3, BLOCK_SIZE, BLOCK_SIZE + 1, 3 * BLOCK_SIZE)
Sent = Counter[tuple[CountClass, date, int]]


async def write(runtime: Runtime, channel: Channel, sent: Sent) -> None:
    planes: dict[PlaneKey, int] = {}
    for (count_class, day, person), count in sent.items():
        for number in range(count.bit_length()):
            ((block, bit),) = bitmaps_of([person]).items()
            key = PlaneKey(count_class, day, block, number)
            planes[key] = planes.get(key, 0) | (bit if count >> number & 1 else 0)
    async with runtime.pool.acquire() as conn:
        await save_planes(conn, channel.channel_id, planes)


async def read(runtime: Runtime, channel: Channel) -> Sent:
    found: Sent = Counter()
    async with runtime.pool.acquire() as conn:
        for count_class in CountClass:
            counters = await counters_since(conn, channel.channel_id, count_class, date.min, range(4))
            for block, days in counters.items():
                for day, planes in days.items():
                    for number, plane in enumerate(planes):
                        for offset in range(10):
                            if plane >> (BLOCK_SIZE - 1 - offset) & 1:
                                found[count_class, day, ordinal_at(block, offset)] += 1 << number
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_who_stays_has_the_sum_and_who_goes_nothing(runtime: Runtime, channel: Channel, seed: int) -> None:
    chance = random.Random(seed)
    sent: Sent = Counter()
    for _ in range(40):
        day = TODAY - timedelta(days=chance.randrange(3))
        sent[chance.choice(list(CountClass)), day, chance.choice(PEOPLE)] += chance.randrange(1, 4)
    await write(runtime, channel, sent)
    order = chance.sample(PEOPLE, 6)
    older_of = dict(zip(order[:3], order[3:], strict=True))

    async with runtime.pool.acquire() as conn, conn.transaction():
        await unite_counts(conn, channel.channel_id, older_of)

    expected: Sent = Counter()
    for (count_class, day, person), count in sent.items():
        expected[count_class, day, older_of.get(person, person)] += count
    assert await read(runtime, channel) == expected


async def test_where_nothing_was_sent_nothing_is_written(runtime: Runtime, channel: Channel) -> None:
    async with runtime.pool.acquire() as conn, conn.transaction():
        await unite_counts(conn, channel.channel_id, {1: 2})

    assert await runtime.pool.fetchval("select count(*) from send_count") == 0
