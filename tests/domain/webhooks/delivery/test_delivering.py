"""Deliver what happens in order, in batches, once where the receiver says so (docs/specification.md §6.8)."""

from datetime import timedelta

from service.domain.privacy.forgetting import forget_openid
from service.domain.webhooks.endpoints.secrets import new_secrets
from service.entities.change_feed import FeedEventType
from service.entities.channels import Channel
from service.storage import webhooks
from tests.domain.webhooks.delivery.office import Office, events_of, http, is_signed
from tests.support.runtime import bind
from tests.support.tags import add_members, make_tag, remove_members


async def test_what_happened_is_delivered_in_order_and_signed(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    gold = await make_tag(office.runtime, channel, "Gold", "ann", "ben")
    await remove_members(office.runtime, channel, gold, "ann")

    events = await office.deliver(channel)
    assert [event["type"] for event in events] == ["tag.created", *["user.tags_changed"] * 3]
    [request] = office.receiving.requests
    assert is_signed(request, office.secret())
    assert request.headers["webhook-timestamp"] == str(int(office.clock().timestamp()))
    assert await office.deliver(channel) == []
    [delivery] = await office.deliveries(channel)
    assert (delivery.events, delivery.attempts, delivery.status, delivery.error) == (4, 1, 200, None)
    assert (delivery.delivered_at, delivery.next_attempt_at) == (office.clock(), None)
    position = await office.position(channel)
    assert (position.waiting_since, position.failing_since, position.last_success_at) == (None, None, office.clock())


async def test_bodies_have_20_kb_at_most(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    await make_tag(office.runtime, channel, "Gold", *(f"person-{number}" for number in range(700)))

    events = await office.deliver(channel)
    assert len(events) == 701
    assert len({event["cursor"] for event in events}) == 701
    assert 5 < len(office.receiving.requests) < 20
    assert all(len(request.body) <= 20_000 for request in office.receiving.requests)
    assert len({request.headers["webhook-id"] for request in office.receiving.requests}) == len(
        office.receiving.requests
    )
    assert sum(each.events for each in await office.deliveries(channel)) == 701


async def test_what_an_endpoint_does_not_follow_is_passed_over(office: Office, channel: Channel) -> None:
    await office.follow(channel, events=[FeedEventType.TAG_CREATED])
    gold = await make_tag(office.runtime, channel, "Gold", "ann")
    assert [event["type"] for event in await office.deliver(channel)] == ["tag.created"]

    await add_members(office.runtime, channel, gold, "ben")
    assert await office.deliver(channel) == []
    assert (await office.position(channel)).waiting_since is None
    assert len(await office.deliveries(channel)) == 1


async def test_channels_are_delivered_apart(office: Office, channel: Channel) -> None:
    other = await bind(office.runtime)
    await office.follow(channel, other)
    await make_tag(office.runtime, channel, "Gold")
    await make_tag(office.runtime, other, "Silver")

    events = await office.deliver(channel, other)
    assert {(event["channelId"], event["name"]) for event in events} == {
        (events_of(request)[0]["channelId"], events_of(request)[0]["name"]) for request in office.receiving.requests
    }
    assert len(office.receiving.requests) == 2


async def test_a_delivery_that_was_stored_is_sent_again_by_the_same_id(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    gold = await make_tag(office.runtime, channel, "Gold", "ann", "ben")
    office.receiving.answer = http(500)
    first = await office.deliver(channel)
    await add_members(office.runtime, channel, gold, "cyd")
    office.receiving.answer = http(204)
    assert await office.deliver(channel) == [], "it is too early"

    await office.wait_for_next_attempt(channel)
    assert (await office.deliver(channel))[:3] == first
    failed, again, after = office.receiving.requests
    assert failed.body == again.body
    assert failed.headers["webhook-id"] == again.headers["webhook-id"] != after.headers["webhook-id"]
    assert failed.headers["webhook-timestamp"] != again.headers["webhook-timestamp"]
    newest, oldest = await office.deliveries(channel)
    assert (newest.attempts, oldest.attempts, newest.status, oldest.status) == (1, 2, 204, 204)


async def test_who_was_forgotten_meanwhile_is_not_told_of(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    await make_tag(office.runtime, channel, "Gold", "ann", "ben")
    office.receiving.answer = http(500)
    ann = (await office.deliver(channel))[1]["userId"]
    await forget_openid(office.runtime, channel.channel_id, "ann")
    office.receiving.answer = http(200)
    await office.wait_for_next_attempt(channel)

    again = await office.deliver(channel)
    assert [event["type"] for event in again] == ["tag.created", "user.tags_changed", "user.forgotten"]
    assert [event["userId"] for event in again[1:]].index(ann) == 1
    assert {request.headers["webhook-id"] for request in office.receiving.requests[:2]} == {
        office.receiving.requests[0].headers["webhook-id"]
    }


async def test_a_delivery_of_forgotten_people_only_is_not_sent_again(office: Office, channel: Channel) -> None:
    gold = await make_tag(office.runtime, channel, "Gold")
    await office.follow(channel, events=[FeedEventType.USER_TAGS_CHANGED])
    await add_members(office.runtime, channel, gold, "ann")
    office.receiving.answer = http(500)
    assert len(await office.deliver(channel)) == 1
    await forget_openid(office.runtime, channel.channel_id, "ann")
    await office.wait_for_next_attempt(channel)

    assert await office.deliver(channel) == []
    [delivery] = await office.deliveries(channel)
    assert (delivery.events, delivery.attempts, delivery.delivered_at) == (0, 1, office.clock())
    assert (await office.position(channel)).failing_since is None


async def test_for_a_day_the_former_secret_signs_beside_the_new(office: Office, channel: Channel) -> None:
    endpoint = await office.follow(channel)
    former = office.secret()
    async with office.runtime.pool.acquire() as conn:
        made = new_secrets(office.runtime.secret_box)
        until = office.clock() + timedelta(hours=24)
        rotated = await webhooks.rotate_secrets(conn, endpoint.endpoint_id, *made, until)
    gold = await make_tag(office.runtime, channel, "Gold")
    await office.deliver(channel)
    office.clock.advance(timedelta(hours=24))
    await add_members(office.runtime, channel, gold, "ann")
    await office.deliver(channel)

    first, second = office.receiving.requests
    assert [is_signed(first, secret) for secret in (former, office.secret(rotated))] == [True, True]
    assert [is_signed(second, secret) for secret in (former, office.secret(rotated))] == [False, True]
    assert len(first.headers["webhook-signature"].split()) == 4
