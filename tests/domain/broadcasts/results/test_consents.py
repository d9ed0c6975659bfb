"""Keep the last time at which people allowed messages of a template, and at which they refused them."""

from datetime import datetime, timedelta

import pytest

from service.domain.broadcasts.results.recording import record_results
from service.domain.privacy.forgetting import forget_openid
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.message_results import ConsentChange
from tests.support.clock import START

LATER = timedelta(minutes=1)


def change(
    openid: str = "oAda", *, accepted: bool = True, at: datetime = START, template_id: str = "t1"
) -> ConsentChange:
    return ConsentChange(openid, template_id, accepted, at)


async def consents(runtime: Runtime) -> list[tuple[str, str, datetime | None, datetime | None]]:
    """Return openid, template, when it was allowed last and when it was refused last."""
    rows = await runtime.pool.fetch(
        "select openid, template_id, accepted_at, rejected_at from template_consent join channel_user "
        "using (channel_id, ordinal) order by openid, template_id"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("order", [1, -1])
async def test_the_last_of_each_counts_in_whatever_order_they_come(
    runtime: Runtime, channel: Channel, order: int
) -> None:
    changes = [
        change(at=START),
        change(at=START + 2 * LATER),
        change(at=START + LATER, accepted=False),
        change(at=START + 3 * LATER, accepted=False),
    ]

    for each in changes[::order]:
        await record_results(runtime, channel.channel_id, [each])

    assert await consents(runtime) == [("oAda", "t1", START + 2 * LATER, START + 3 * LATER)]


async def test_one_push_tells_of_several_templates(runtime: Runtime, channel: Channel) -> None:
    await record_results(
        runtime, channel.channel_id, [change(), change(template_id="t2", accepted=False), change("oBob"), change()]
    )

    assert await consents(runtime) == [
        ("oAda", "t1", START, None),
        ("oAda", "t2", None, START),
        ("oBob", "t1", START, None),
    ]


async def test_what_is_from_before_somebody_was_forgotten_does_not_bring_them_back(
    runtime: Runtime, channel: Channel
) -> None:
    await record_results(runtime, channel.channel_id, [change()])
    runtime.clock.advance(LATER)  # type: ignore[attr-defined]
    await forget_openid(runtime, channel.channel_id, "oAda")
    await record_results(runtime, channel.channel_id, [change()])
    assert await consents(runtime) == []

    await record_results(runtime, channel.channel_id, [change(at=START + 2 * LATER)])

    assert await consents(runtime) == [("oAda", "t1", START + 2 * LATER, None)]
