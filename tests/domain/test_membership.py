"""Set few bits of a block one by one and flip many together; the log has a list or a bitmap."""

from datetime import timedelta

import pytest

from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent
from tests.support.clock import FrozenClock
from tests.support.database_state import check_consistency


@pytest.mark.parametrize("many", [1, 8, 9, 64, 65, 300, 301])
async def test_however_many_change_together_all_of_it_is_written(
    runtime: Runtime, channel: Channel, clock: FrozenClock, many: int
) -> None:
    """The first batch makes the rows of the block; the second gives one tag and takes another; the third takes all."""
    happened: set[UserEvent] = set()
    for kind, most in ((EventKind.FOLLOW, many + 1), (EventKind.MESSAGE, many), (EventKind.UNFOLLOW, many)):
        events = [UserEvent(f"openid-{number}", kind, clock()) for number in range(most)]
        await record_events(runtime, channel, events)
        happened |= set(events)
        await check_consistency(runtime, channel, happened, clock())
        clock.advance(timedelta(minutes=1))
