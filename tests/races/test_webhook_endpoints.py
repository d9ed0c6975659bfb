"""Change endpoints while they answer 410, tags are merged, and channels are bound.

The rule: docs/specification.md §6.8.
"""

from collections.abc import Mapping

import pytest

from service.domain.channels.binding import bind_channel
from service.domain.runtime import Runtime
from service.domain.webhooks.endpoints.checking import EndpointDetails
from service.domain.webhooks.endpoints.creating import create_endpoint
from service.domain.webhooks.endpoints.editing import update_endpoint
from service.domain.webhooks.endpoints.lookup import ToldEndpoint, find_told_endpoint
from service.entities.change_feed import FeedEventType
from service.entities.channels import Channel
from service.entities.errors import ErrorCode, RequestError
from service.entities.jobs import JobState
from service.entities.tags import TagKey
from service.entities.webhooks import WebhookState
from service.storage import webhook_sending
from tests.support.merging import begin_merge, work_on_merge
from tests.support.races import StartRacingProcess, modified_statement
from tests.support.runtime import admin, channel_details
from tests.support.tags import submission_of, submit

DETAILS = EndpointDetails("https://1.1.1.1/hooks", None, None, [FeedEventType.TAG_CREATED], None)
WHATEVER_THE_VERSION = modified_statement("update_webhook_endpoint", ("version = $2", "$2::int > 0"))
NO_ROBOT_LOCK = modified_statement("lock_robot", (" for update", ""))


async def an_edit_is_overtaken(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, weakened: Mapping[str, str]
) -> ToldEndpoint:
    """Change the description of an endpoint while it answers 410, and its first tag is merged into another."""
    tags = [TagKey(channel.channel_id, tag_id) for tag_id in (1, 2)]
    made = (await create_endpoint(runtime, admin(), DETAILS._replace(tag_keys=tags[:1]))).endpoint
    process = await start_process("admin", weakened=weakened)
    written = process.pause_before("update_webhook_endpoint")
    edit = process.start(update_endpoint(process.runtime, admin(), made.endpoint_id, {"description": "Orders"}))
    await written.wait_reached()
    async with runtime.pool.acquire() as conn:
        await webhook_sending.mark_gone(conn, made, "It answered with status 410.")
        await conn.execute("update webhook_endpoint set tag_ids = '{2}', version = version + 1")
    written.release()
    await edit
    return await find_told_endpoint(runtime, admin(), made.endpoint_id)


async def test_an_edit_takes_back_neither_a_410_nor_a_merge(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    found = await an_edit_is_overtaken(start_process, runtime, channel, {})

    assert (found.state, found.reason) == (WebhookState.GONE, "It answered with status 410.")
    assert found.endpoint.tag_keys == (TagKey(channel.channel_id, 2),)
    assert found.endpoint.description == "Orders"


async def test_without_the_version_it_would(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    found = await an_edit_is_overtaken(start_process, runtime, channel, WHATEVER_THE_VERSION)

    assert found.state is WebhookState.ACTIVE
    assert found.endpoint.tag_keys == (TagKey(channel.channel_id, 1),)


@pytest.mark.parametrize(("weakened", "followed"), [({}, True), (NO_ROBOT_LOCK, False)])
async def test_a_channel_that_is_bound_meanwhile_is_followed(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, weakened: Mapping[str, str], followed: bool
) -> None:
    maker, binder = [await start_process(name, weakened=weakened) for name in ("maker", "binder")]
    made = maker.pause_before("COMMIT;")
    making = maker.start(create_endpoint(maker.runtime, admin(), DETAILS))
    await made.wait_reached()
    binding = binder.start(bind_channel(binder.runtime, admin(), channel_details()))
    assert await binder.blocked(binding) is followed
    made.release()
    endpoint_id = (await making).endpoint.endpoint_id
    bound = await binding

    told = await find_told_endpoint(runtime, admin(), endpoint_id)
    assert (bound.channel_id in {each.channel_id for each in told.positions}) is followed
    assert channel.channel_id in {each.channel_id for each in told.positions}


@pytest.mark.parametrize("changed", [False, True])
async def test_an_endpoint_that_names_a_tag_while_its_merge_ends_names_the_other_one(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, *, changed: bool
) -> None:
    silver, gold = [
        (await submit(runtime, channel, submission_of(["ann"], label=label))).tag_id for label in ("Silver", "Gold")
    ]
    named = [TagKey(channel.channel_id, silver)]
    job = await begin_merge(runtime, channel, silver, gold)
    admins, worker = await start_process("admin"), await start_process("worker")
    if changed:
        made = (await create_endpoint(runtime, admin(), DETAILS)).endpoint
        stop = admins.pause_before("update_webhook_endpoint")
        naming = admins.start(update_endpoint(admins.runtime, admin(), made.endpoint_id, {"tag_keys": named}))
    else:
        stop = admins.pause_before("insert_webhook_endpoint")
        naming = admins.start(create_endpoint(admins.runtime, admin(), DETAILS._replace(tag_keys=named)))
    await stop.wait_reached()
    merging = worker.start(work_on_merge(worker.runtime, job))
    waited = await worker.blocked(merging)
    stop.release()

    told = await naming
    assert (await merging).state is JobState.DONE
    assert waited
    found = await find_told_endpoint(runtime, admin(), told.endpoint.endpoint_id)
    assert found.endpoint.tag_keys == (TagKey(channel.channel_id, gold),)


async def test_a_tag_whose_merge_has_just_ended_cannot_be_named(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    silver, gold = [
        (await submit(runtime, channel, submission_of(["ann"], label=label))).tag_id for label in ("Silver", "Gold")
    ]
    job = await begin_merge(runtime, channel, silver, gold)
    admins, worker = await start_process("admin"), await start_process("worker")
    stop = worker.pause_before("endpoints_that_name_tag")
    merging = worker.start(work_on_merge(worker.runtime, job))
    await stop.wait_reached()
    details = DETAILS._replace(tag_keys=[TagKey(channel.channel_id, silver)])
    naming = admins.start(create_endpoint(admins.runtime, admin(), details))

    assert await admins.blocked(naming)
    stop.release()
    assert (await merging).state is JobState.DONE
    with pytest.raises(RequestError) as refused:
        await naming
    assert refused.value.code is ErrorCode.NOT_FOUND
