"""Leave connections for everything else, however many look back and ahead at once."""

import asyncio

from service.domain.audiences.counting import count_audience, count_audience_as_of, members_page
from service.domain.audiences.forecast import touchable_forecast
from service.domain.audiences.looking_back import past_of
from service.domain.audiences.tag_flow import flows_of_tags
from service.domain.combos.expressions import to_draft
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.expressions import FOLLOWERS
from tests.support.clock import FrozenClock
from tests.support.runtime import admin, patient_transaction
from tests.support.tags import make_tag

# More of each than there are connections.
MANY = 20
WITHIN = 20
LOCK = "lock table user_tag_change, channel_user in access exclusive mode"


async def test_those_who_look_back_and_ahead_leave_connections_for_everybody_else(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """The log and the facts cannot be read for a while, as if that took long; the present is counted meanwhile."""
    tag_id = await make_tag(runtime, channel, "Gold", "ada")
    channel_id, draft, then = channel.channel_id, to_draft(channel.channel_id, FOLLOWERS), clock()
    async with runtime.pool.acquire() as conn:
        past = await past_of(conn, runtime, channel_id, FOLLOWERS, then)
    async with patient_transaction(runtime) as locking, asyncio.timeout(WITHIN):
        await locking.execute(LOCK)
        waiting = [
            asyncio.ensure_future(each)
            for _ in range(MANY)
            for each in (
                count_audience_as_of(runtime, admin(), channel_id, draft, then),
                members_page(runtime, channel_id, FOLLOWERS, first=9, after=None, past=past),
                flows_of_tags(runtime, channel_id, [tag_id], then),
                touchable_forecast(runtime, channel, FOLLOWERS, 1),
            )
        ]
        for _ in range(3):
            assert (await count_audience(runtime, admin(), channel_id, draft)).size.members == 0
        assert not any(each.done() for each in waiting)
    await asyncio.gather(*waiting)
