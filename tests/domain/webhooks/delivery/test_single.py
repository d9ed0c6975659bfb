"""Send trials, and deliveries once more by hand: once each, and without moving anything."""

from datetime import timedelta

from service.domain.privacy.forgetting import forget_openid
from service.domain.webhooks.delivery.pruning import prune_deliveries
from service.entities.channels import Channel
from service.entities.webhooks import DeliveryKey, WebhookDelivery
from service.storage import webhooks
from tests.domain.webhooks.delivery.office import Office, events_of, http, is_signed
from tests.support.tags import make_tag
from tests.webhooks.receiver import OK


async def send_trial(office: Office, channel: Channel) -> None:
    """Store a trial for the first endpoint."""
    async with office.runtime.pool.acquire() as conn:
        endpoint_id = office.endpoints[0].endpoint_id
        await webhooks.insert_trial(conn, channel.channel_id, endpoint_id, "msg_trial", office.clock())


async def resend(office: Office, delivery: WebhookDelivery) -> None:
    """Let a delivery be sent once more."""
    key = DeliveryKey(delivery.channel_id, delivery.endpoint_id, delivery.delivery_id)
    async with office.runtime.pool.acquire() as conn:
        await webhooks.resend_delivery(conn, key, office.clock())


async def test_a_trial_is_sent_once_and_tells_nothing(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    await send_trial(office, channel)
    [event] = await office.deliver(channel)
    assert (event["type"], event["at"], set(event)) == (
        "webhook.test",
        "2026-03-01T12:00:00Z",
        {"type", "at", "channelId"},
    )
    [request] = office.receiving.requests
    assert request.headers["webhook-id"] == "msg_trial"
    assert is_signed(request, office.secret())
    assert await office.deliver(channel) == []
    [delivery] = await office.deliveries(channel)
    assert (delivery.attempts, delivery.delivered_at, delivery.next_attempt_at) == (1, office.clock(), None)


async def test_a_trial_that_fails_is_not_repeated_and_harms_nothing(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    office.receiving.answer = http(500)
    await send_trial(office, channel)
    await office.deliver(channel)
    office.clock.advance(timedelta(days=1))
    assert await office.deliver(channel) == []

    [delivery] = await office.deliveries(channel)
    assert (delivery.attempts, delivery.status, delivery.error, delivery.delivered_at) == (1, 500, "STATUS", None)
    assert (await office.position(channel)).failing_since is None


async def test_what_was_delivered_is_sent_once_more_by_its_id(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    await make_tag(office.runtime, channel, "Gold", "ann", "ben")
    await office.deliver(channel)
    before = await office.position(channel)
    [delivery] = await office.deliveries(channel)
    await resend(office, delivery)
    await office.deliver(channel)

    first, again = office.receiving.requests
    assert first.body == again.body
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert await office.position(channel) == before
    [delivery] = await office.deliveries(channel)
    assert (delivery.attempts, delivery.next_attempt_at) == (2, None)


async def test_who_was_forgotten_is_not_told_of_once_more(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    await make_tag(office.runtime, channel, "Gold", "ann", "ben")
    ann = (await office.deliver(channel))[1]["userId"]
    [delivery] = await office.deliveries(channel)
    await forget_openid(office.runtime, channel.channel_id, "ann")
    await resend(office, delivery)
    await office.deliver(channel)
    again = next(each for each in office.receiving.requests[1:] if each.headers["webhook-id"] == delivery.message_id)
    assert [event["userId"] for event in events_of(again)[1:]] != []
    assert ann not in again.body.decode()


async def test_while_a_delivery_fails_others_can_be_sent_once_more(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    await make_tag(office.runtime, channel, "Gold", "ann")
    await office.deliver(channel)
    [delivered] = await office.deliveries(channel)
    office.receiving.answer = http(500)
    await make_tag(office.runtime, channel, "Silver", "ann")
    await office.deliver(channel)
    office.receiving.answer = OK
    await resend(office, delivered)
    await office.deliver(channel)

    assert [each.headers["webhook-id"] for each in office.receiving.requests].count(delivered.message_id) == 2
    assert len(office.receiving.requests) == 3


async def test_records_are_kept_as_long_as_the_log(office: Office, channel: Channel) -> None:
    endpoint = await office.follow(channel)
    await make_tag(office.runtime, channel, "Gold", "ann")
    await office.deliver(channel)
    office.clock.advance(timedelta(days=6))
    await make_tag(office.runtime, channel, "Silver", "ann")
    await office.deliver(channel)
    office.clock.advance(timedelta(days=2))
    await prune_deliveries(office.runtime, channel.channel_id)
    assert [each.delivery_id for each in await office.deliveries(channel)] == [2]

    async with office.runtime.pool.acquire() as conn:
        await webhooks.delete_position(conn, channel.channel_id, endpoint.endpoint_id)
    await prune_deliveries(office.runtime, channel.channel_id)
    assert await office.deliveries(channel) == []


async def test_of_trials_no_more_are_kept_than_of_changes(office: Office, channel: Channel) -> None:
    endpoint = await office.follow(channel)
    async with office.runtime.pool.acquire() as conn:
        await conn.execute("update webhook_position set last_delivery_id = 1199")
        for number in (199, 200, 201):
            await conn.execute(
                "insert into webhook_delivery"
                " (channel_id, endpoint_id, delivery_id, message_id, kind, events, created_at)"
                " values ($1, $2, $3, 'msg', 'TEST', 1, $4)",
                *(channel.channel_id, endpoint.endpoint_id, number, office.clock()),
            )
    await send_trial(office, channel)
    await office.deliver(channel)

    assert {each.delivery_id for each in await office.deliveries(channel)} == {201, 1200}
