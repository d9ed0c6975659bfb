"""Try again while an endpoint fails: over three days with jitter, then hourly, and never after 410."""

from datetime import timedelta

import pytest

from service.entities.channels import Channel
from service.entities.webhooks import WebhookError, WebhookSwitch
from service.storage import webhooks
from tests.domain.webhooks.delivery.office import Office, http
from tests.support.servers import free_port
from tests.support.tags import add_members, make_tag
from tests.webhooks.receiver import OK

HOUR = timedelta(hours=1)
DAYS = timedelta(days=1)


async def test_it_is_tried_for_three_days_and_then_hourly(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    await make_tag(office.runtime, channel, "Gold")
    office.receiving.answer = http(503)
    began = office.clock()
    await office.deliver(channel)
    waits = []
    while office.clock() - began < 3 * DAYS:
        waits.append(await office.next_attempt(channel))
        await office.wait_for_next_attempt(channel)
        await office.deliver(channel)
    assert waits[0] <= timedelta(seconds=60)
    assert waits[1] < waits[4] < waits[7]
    assert max(waits) <= timedelta(minutes=18)
    assert len(set(waits[-20:])) > 1, "there is no jitter"
    position = await office.position(channel)
    assert (position.failing_since, position.reason) == (began, "It answered with status 503.")

    for _ in range(3):
        await office.wait_for_next_attempt(channel)
        await office.deliver(channel)
        assert 0.7 * HOUR < await office.next_attempt(channel) < 1.3 * HOUR
    office.receiving.answer = OK
    await office.wait_for_next_attempt(channel)
    assert [event["type"] for event in await office.deliver(channel)] == ["tag.created"]
    position = await office.position(channel)
    assert (position.failing_since, position.reason, position.last_success_at) == (None, None, office.clock())
    assert len({request.headers["webhook-id"] for request in office.receiving.requests}) == 1


async def test_it_waits_as_long_as_it_is_asked_to(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    await make_tag(office.runtime, channel, "Gold")
    office.receiving.answer = http(429, "Retry-After: 7200")
    await office.deliver(channel)
    assert 2 * HOUR <= await office.next_attempt(channel) <= 2.4 * HOUR

    office.receiving.answer = http(503, "Retry-After: 9999999")
    await office.wait_for_next_attempt(channel)
    await office.deliver(channel)
    assert DAYS <= await office.next_attempt(channel) <= 1.2 * DAYS

    office.receiving.answer = http(503, "Retry-After: 0")
    await office.wait_for_next_attempt(channel)
    await office.deliver(channel)
    assert await office.next_attempt(channel) >= timedelta(seconds=5)


async def test_who_is_gone_is_called_no_more(office: Office, channel: Channel) -> None:
    endpoint = await office.follow(channel)
    gold = await make_tag(office.runtime, channel, "Gold")
    office.receiving.answer = http(410)
    await office.deliver(channel)
    office.clock.advance(5 * DAYS)
    await add_members(office.runtime, channel, gold, "ann")
    assert await office.deliver(channel) == []

    async with office.runtime.pool.acquire() as conn:
        found = await webhooks.endpoint_of_robot(conn, "robot-1", endpoint.endpoint_id)
    assert found is not None
    assert (found.switch, found.reason) == (WebhookSwitch.GONE, "It answered with status 410.")


async def test_who_is_off_is_not_called(office: Office, channel: Channel) -> None:
    endpoint = await office.follow(channel)
    await office.runtime.pool.execute("update webhook_endpoint set state = 'OFF'")
    await make_tag(office.runtime, channel, "Gold")
    assert await office.deliver(channel) == []

    await office.runtime.pool.execute("update webhook_endpoint set state = 'ON'")
    assert len(await office.deliver(channel)) == 1
    assert endpoint.switch is WebhookSwitch.ON


async def test_a_redirect_is_a_failure(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    await make_tag(office.runtime, channel, "Gold")
    office.receiving.answer = http(307, f"Location: {office.url}")
    await office.deliver(channel)

    [delivery] = await office.deliveries(channel)
    assert (delivery.status, delivery.error, delivery.delivered_at) == (307, WebhookError.REDIRECT, None)
    assert len(office.receiving.requests) == 1


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:{port}/", WebhookError.CONNECT),
        ("https://user@127.0.0.1/", WebhookError.ADDRESS_REFUSED),
        ("http://nowhere.invalid/", WebhookError.DNS),
    ],
)
async def test_why_it_failed_is_told(office: Office, channel: Channel, url: str, error: WebhookError) -> None:
    await office.follow(channel, url=url.format(port=free_port()))
    await make_tag(office.runtime, channel, "Gold")
    await office.deliver(channel)

    [delivery] = await office.deliveries(channel)
    position = await office.position(channel)
    assert (delivery.status, delivery.error, delivery.attempts) == (None, error, 1)
    assert position.failing_since == office.clock()
    assert position.reason


async def test_secrets_that_cannot_be_read_are_a_failure_too(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    await office.runtime.pool.execute("update webhook_endpoint set secret = 'of another installation'")
    await make_tag(office.runtime, channel, "Gold")
    assert await office.deliver(channel) == []
    assert "USER_TAGS_SECRETS_KEY" in ((await office.position(channel)).reason or "")


async def test_an_installation_that_does_not_act_delivers_nothing(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    await make_tag(office.runtime, channel, "Gold")
    office.may_call = False
    assert await office.deliver(channel) == []

    office.may_call = True
    assert len(await office.deliver(channel)) == 1
