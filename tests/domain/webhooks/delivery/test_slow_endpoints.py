"""Let one slow endpoint hold up nobody, and none take all the calls there may be."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from service.domain.change_feed.sequencing import sequence_channel
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
