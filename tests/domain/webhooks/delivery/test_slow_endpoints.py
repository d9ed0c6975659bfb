"""Let one slow endpoint hold up nobody, and none take all the calls there may be."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from service.domain.change_feed.sequencing import sequence_channel
from service.domain.webhooks.delivery.calls import new_message_id
from service.storage import webhooks
from tests.domain.webhooks.delivery.office import CALLS, open_office
from tests.support.clock import FrozenClock
from tests.support.runtime import bind
from tests.support.tags import make_tag
from tests.support.waiting import wait_until
from tests.webhooks.receiver import receiver


async def hang(writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await writer.wait_closed()


async def test_an_endpoint_that_hangs_holds_up_no_other(database_url: str, clock: FrozenClock) -> None:
    calls = replace(CALLS, at_once=8, at_once_each=2)
    async with open_office(database_url, clock, calls=calls) as office, receiver() as hanging:
        hanging.answer = hang
        channels = [await bind(office.runtime) for _ in range(6)]
        for channel in channels:
            await office.follow(channel)
        # Four endpoints of one robot, each following all channels, and none ever answers.
        for number in range(4):
            await office.follow(*channels, url=f"http://127.0.0.1:{hanging.port}/{number}", robot_id="robot-2")
        for channel in channels:
            await make_tag(office.runtime, channel, "Gold", "ann")
            await sequence_channel(office.runtime, channel.channel_id)

        delivering = asyncio.create_task(office.deliverer.run())
        await wait_until(lambda: len(office.receiving.requests) == len(channels))
        # The first of those that hang was not given up yet, and there were no more than may be of a robot.
        assert len(hanging.requests) == hanging.most_at_once == 2
        delivering.cancel()
        with suppress(asyncio.CancelledError):
            await delivering


async def test_trials_at_those_that_hang_hold_up_no_other(database_url: str, clock: FrozenClock) -> None:
    calls = replace(CALLS, at_once=32, at_once_each=10)
    async with open_office(database_url, clock, calls=calls) as office, receiver() as hanging:
        hanging.answer = hang
        channel = await bind(office.runtime)
        told = await office.follow(channel)
        others = [
            await office.follow(channel, url=f"http://127.0.0.1:{hanging.port}/{number}", robot_id="robot-2")
            for number in range(4)
        ]
        async with office.runtime.pool.acquire() as conn:
            for endpoint in [*others * 10, told]:
                await webhooks.insert_trial(
                    conn, channel.channel_id, endpoint.endpoint_id, new_message_id(), office.clock()
                )

        delivering = asyncio.create_task(office.deliverer.run())
        await wait_until(lambda: bool(office.receiving.requests and len(hanging.requests) >= 2))
        # None of those that hang was given up yet, and there were no more than may be of a robot.
        assert len(hanging.requests) == hanging.most_at_once == 2
        delivering.cancel()
        with suppress(asyncio.CancelledError):
            await delivering
