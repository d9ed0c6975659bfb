"""Make, change, rotate and delete webhook endpoints.

The rules: docs/specification.md §6.8.
"""

import base64
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.entities.ids import gid
from service.foundation.encryption import SecretBox
from tests.support.audit import audit_rows_at
from tests.support.robot import Robot, table_digests
from tests.support.web import SECRETS_KEY
from tests.support.webhooks import DELETE, LIST, NODE, ROTATE, URL, Webhooks, endpoint_in

ALL_EVENTS = [
    *("USER_TAGS_CHANGED", "USER_FORGOTTEN", "USER_MIGRATED", "CHANNEL_STATE_CHANGED", "TAG_CREATED", "TAG_UPDATED"),
    *("TAG_STATE_CHANGED", "TAG_DELETED", "BROADCAST_FINISHED", "SYNC_FINISHED", "IMPORT_FINISHED"),
]


@pytest.fixture
async def channel(robot: Robot) -> str:
    return str((await robot.bind())["id"])


@pytest.fixture
def webhooks(robot: Robot) -> Webhooks:
    return Webhooks(robot)


async def rows(robot: Robot, query: str, *given: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(robot.web.settings.database_url)
    try:
        return list(await connection.fetch(query, *given))
    finally:
        await connection.close()


def field_codes(error: dict[str, Any]) -> dict[str, str]:
    return {field["path"].removeprefix("input."): field["code"] for field in error["extensions"]["fields"]}


def is_new(instant: str) -> bool:
    return abs(datetime.now(UTC) - datetime.fromisoformat(instant)) < timedelta(minutes=1)


async def test_an_endpoint_is_told_of_everything_from_now_on(webhooks: Webhooks, channel: str) -> None:
    made = await webhooks.create(description="Orders", events=ALL_EVENTS)

    [position] = made.pop("positions")
    assert position["channel"] == {"id": channel}
    assert (position["lag"], position["missed"]) == (0, False)
    assert is_new(position["at"])
    assert is_new(made.pop("createdAt"))
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    assert len(base64.b64decode(made["publicKey"].removeprefix("whpk_"))) == 32
    assert {**made, "id": None, "secret": None, "publicKey": None} == {
        "id": None,
        "url": URL,
        "description": "Orders",
        "channels": None,
        "events": ALL_EVENTS,
        "tags": None,
        "state": "ACTIVE",
        "reason": None,
        "secret": None,
        "publicKey": None,
        "formerSecretUntil": None,
        "lastSuccessAt": None,
        "lag": 0,
    }


async def test_channels_events_and_tags_are_kept_once_and_in_their_order(
    webhooks: Webhooks, robot: Robot, channel: str
) -> None:
    other = (await robot.bind(2))["id"]
    tags = [await robot.create_ad_tag(other, "Spring", "1"), await robot.create_ad_tag(channel, "Autumn", "2")]
    made = await webhooks.create(
        channelIds=[other, channel, other],
        events=["TAG_DELETED", "TAG_CREATED", "TAG_DELETED"],
        tagIds=[tags[0], tags[1], tags[0]],
    )

    assert made["channels"] == [{"id": other}, {"id": channel}]
    assert made["events"] == ["TAG_DELETED", "TAG_CREATED"]
    assert made["tags"] == [{"id": each, "deletedAt": None} for each in tags]
    assert {each["channel"]["id"] for each in made["positions"]} == {channel, other}


async def test_every_list_shows_the_same(webhooks: Webhooks, channel: str) -> None:
    first = await webhooks.create(description="first")
    second = await webhooks.create(channelIds=[channel])

    assert await webhooks.every() == [first, second]
    assert [await webhooks.shown(each["id"]) for each in (first, second)] == [first, second]


async def test_a_robot_without_a_channel_may_have_an_endpoint_for_those_to_come(webhooks: Webhooks) -> None:
    made = await webhooks.create()
    assert made["positions"] == []

    channel = (await webhooks.robot.bind())["id"]
    [position] = (await webhooks.shown(made["id"]))["positions"]
    assert (position["channel"]["id"], position["missed"]) == (channel, False)


async def test_a_channel_that_is_bound_later_is_told_to_whoever_follows_all(
    webhooks: Webhooks, robot: Robot, channel: str
) -> None:
    for_all = await webhooks.create()
    for_one = await webhooks.create(channelIds=[channel])
    switched_off = await webhooks.create()
    await webhooks.update(switched_off["id"], enabled=False)
    later = (await robot.bind(2))["id"]

    followed = {
        each["id"]: [position["channel"]["id"] for position in each["positions"]] for each in await webhooks.every()
    }
    assert followed == {
        for_all["id"]: [channel, later],
        for_one["id"]: [channel],
        switched_off["id"]: [channel, later],
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "https://hooks.example.com:444/x",
        "https://user:secret@hooks.example.com/",
        "https://user@hooks.example.com/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest",
        "https://localhost/",
        "ftp://hooks.example.com/",
        "https://",
        "hooks.example.com",
        "",
        "https://hooks.example.com/ x",
        "https://hooks.example.com/" + "x" * 2_048,
    ],
)
async def test_an_address_that_is_not_public_https_is_refused(webhooks: Webhooks, channel: str, url: str) -> None:
    made = await webhooks.create(channelIds=[channel])
    before = await table_digests(webhooks.robot.web)

    for answer in (await webhooks.try_create(url=url), await webhooks.try_update(made["id"], url=url)):
        assert (answer.code, field_codes(answer.error)) == ("BAD_USER_INPUT", {"url": "ADDRESS_REFUSED"})
    assert await table_digests(webhooks.robot.web) == before


async def test_all_that_is_wrong_is_said_at_once(webhooks: Webhooks, robot: Robot, channel: str) -> None:
    other = (await robot.bind(2))["id"]
    gone = await robot.create_ad_tag(channel, "Spring", "1")
    await robot.ask("mutation($id: ID!) { deleteTag(id: $id) { tag { id } } }", id=gone)
    elsewhere = await robot.create_ad_tag(other, "Autumn", "1")
    before = await table_digests(robot.web)
    answer = await webhooks.try_create(
        url="http://example.com",
        description="x" * 1_001,
        channelIds=[channel, gid("Channel", 999_999), "nonsense", gone],
        events=[],
        tagIds=[gid("Tag", 999_999, 1), gone, elsewhere, "nonsense"],
    )

    assert answer.code == "BAD_USER_INPUT"
    assert field_codes(answer.error) == {
        "url": "ADDRESS_REFUSED",
        "description": "BAD_LENGTH",
        "events": "EMPTY",
        "channelIds.1": "NOT_FOUND",
        "channelIds.2": "NOT_FOUND",
        "channelIds.3": "NOT_FOUND",
        "tagIds.0": "NOT_FOUND",
        "tagIds.1": "NOT_FOUND",
        "tagIds.2": "OTHER_CHANNEL",
        "tagIds.3": "NOT_FOUND",
    }
    assert await table_digests(robot.web) == before


@pytest.mark.parametrize(
    ("given", "code", "fields"),
    [
        ({"channelIds": [], "tagIds": []}, "BAD_USER_INPUT", {"channelIds": "EMPTY", "tagIds": "EMPTY"}),
        (
            {"channelIds": [gid("Channel", each) for each in range(1, 102)]},
            "LIMIT_EXCEEDED",
            {"channelIds": "TOO_MANY"},
        ),
        ({"tagIds": [gid("Tag", 1, each) for each in range(201)]}, "LIMIT_EXCEEDED", {"tagIds": "TOO_MANY"}),
        ({"channelIds": [gid("Channel", 999_999)]}, "NOT_FOUND", {"channelIds.0": "NOT_FOUND"}),
        ({"tagIds": [gid("Tag", 999_999, 1)]}, "NOT_FOUND", {"tagIds.0": "NOT_FOUND"}),
    ],
)
async def test_lists_have_a_least_and_a_most(
    webhooks: Webhooks, channel: str, given: dict[str, Any], code: str, fields: dict[str, str]
) -> None:
    made = await webhooks.create(channelIds=[channel])

    for answer in (await webhooks.try_create(**given), await webhooks.try_update(made["id"], **given)):
        assert (answer.code, field_codes(answer.error)) == (code, fields)


async def test_a_robot_has_at_most_twenty(webhooks: Webhooks, channel: str) -> None:
    made = [await webhooks.create(channelIds=[channel]) for _ in range(20)]
    assert (await webhooks.try_create()).code == "LIMIT_EXCEEDED"

    await webhooks.robot.ask(DELETE, id=made[0]["id"])
    await webhooks.create()
    assert len(await webhooks.every()) == 20


async def test_what_is_absent_stays(webhooks: Webhooks, robot: Robot, channel: str) -> None:
    tag = await robot.create_ad_tag(channel, "Spring", "1")
    made = await webhooks.create(description="Orders", channelIds=[channel], tagIds=[tag])

    assert await webhooks.update(made["id"]) == made
    changed = await webhooks.update(made["id"], url="https://1.0.0.1:8443/x?y=z", description=None, events=ALL_EVENTS)
    assert changed == {**made, "url": "https://1.0.0.1:8443/x?y=z", "description": None, "events": ALL_EVENTS}
    widened = await webhooks.update(made["id"], channelIds=None, tagIds=None)
    assert widened == {**changed, "channels": None, "tags": None}


async def test_null_is_refused_where_something_must_be(webhooks: Webhooks, channel: str) -> None:
    made = await webhooks.create(channelIds=[channel])
    answer = await webhooks.try_update(made["id"], url=None, events=None, enabled=None)

    assert field_codes(answer.error) == {"url": "NULL", "events": "NULL", "enabled": "NULL"}
    assert await webhooks.shown(made["id"]) == made


async def test_a_channel_is_told_from_when_it_was_added_and_not_once_it_is_removed(
    webhooks: Webhooks, robot: Robot, channel: str
) -> None:
    other = (await robot.bind(2))["id"]
    made = await webhooks.create(channelIds=[channel])
    both = await webhooks.update(made["id"], channelIds=[channel, other])
    assert {each["channel"]["id"] for each in both["positions"]} == {channel, other}
    kept = next(each for each in both["positions"] if each["channel"]["id"] == channel)
    assert kept == made["positions"][0]

    [only] = (await webhooks.update(made["id"], channelIds=[other]))["positions"]
    assert only["channel"]["id"] == other
    # Whoever comes back begins anew.
    again = await webhooks.update(made["id"], channelIds=[channel])
    assert again["positions"][0]["at"] > kept["at"]


async def test_tags_that_were_deleted_stay_in_the_filter_but_do_not_come_into_one(
    webhooks: Webhooks, robot: Robot, channel: str
) -> None:
    gone, living = [await robot.create_ad_tag(channel, name, "1") for name in ("Spring", "Autumn")]
    with_it, without = await webhooks.create(tagIds=[gone]), await webhooks.create(tagIds=[living])
    await robot.ask("mutation($id: ID!) { deleteTag(id: $id) { tag { id } } }", id=gone)

    [shown] = (await webhooks.shown(with_it["id"]))["tags"]
    assert shown["id"] == gone
    assert is_new(shown["deletedAt"])
    assert len((await webhooks.update(with_it["id"], tagIds=[gone, living]))["tags"]) == 2
    refused = await webhooks.try_update(without["id"], tagIds=[living, gone])
    assert (refused.code, field_codes(refused.error)) == ("NOT_FOUND", {"tagIds.1": "NOT_FOUND"})


async def test_a_filter_by_tags_does_not_outlive_their_channels(webhooks: Webhooks, robot: Robot, channel: str) -> None:
    other = (await robot.bind(2))["id"]
    tag = await robot.create_ad_tag(channel, "Spring", "1")
    made = await webhooks.create(channelIds=[channel, other], tagIds=[tag])

    refused = await webhooks.try_update(made["id"], channelIds=[other])
    assert field_codes(refused.error) == {"tagIds.0": "OTHER_CHANNEL"}
    assert (await webhooks.update(made["id"], channelIds=[other], tagIds=None))["channels"] == [{"id": other}]


async def test_an_unbound_channel_stays_followed(webhooks: Webhooks, robot: Robot, channel: str) -> None:
    made = await webhooks.create(channelIds=[channel])
    await robot.ask("mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }", id=channel)

    shown = await webhooks.shown(made["id"])
    assert (shown["channels"], shown["state"]) == ([{"id": channel}], "ACTIVE")
    assert [each["channel"]["id"] for each in shown["positions"]] == [channel]


async def test_it_is_switched_off_and_on(webhooks: Webhooks, channel: str) -> None:
    made = await webhooks.create(channelIds=[channel])

    assert await webhooks.update(made["id"], enabled=False) == {**made, "state": "OFF"}
    assert await webhooks.update(made["id"], description=None) == {**made, "state": "OFF"}
    assert await webhooks.update(made["id"], enabled=True) == made


@pytest.mark.parametrize("given", [{"enabled": True}, {"url": "https://1.0.0.1/"}])
async def test_what_waits_for_its_next_attempt_is_tried_at_once(
    webhooks: Webhooks, channel: str, given: dict[str, Any]
) -> None:
    made = await webhooks.create(channelIds=[channel])
    endpoint_id = await _number(webhooks, made)
    later = datetime.now(UTC) + timedelta(hours=1)
    await rows(
        webhooks.robot,
        "update webhook_position set next_attempt_at = $2, failing_since = $3, reason = 'It answered with status 500.'"
        " where endpoint_id = $1",
        endpoint_id,
        later,
        datetime.now(UTC) - timedelta(days=1),
    )
    assert (await webhooks.shown(made["id"]))["state"] == "RETRYING"
    await webhooks.update(made["id"], description="patience")
    [waiting] = await rows(webhooks.robot, "select * from webhook_position where endpoint_id = $1", endpoint_id)
    assert waiting["next_attempt_at"] == later

    await webhooks.update(made["id"], **given)
    [hurried] = await rows(webhooks.robot, "select * from webhook_position where endpoint_id = $1", endpoint_id)
    assert hurried["next_attempt_at"] <= datetime.now(UTC)


async def test_its_state_is_that_of_the_channel_where_it_fares_worst(
    webhooks: Webhooks, robot: Robot, channel: str
) -> None:
    other = (await robot.bind(2))["id"]
    made = await webhooks.create(channelIds=[channel, other])
    endpoint_id = await _number(webhooks, made)
    now = datetime.now(UTC)

    async def fares(channel_index: int, failing_since: datetime | None, reason: str | None) -> tuple[str, str | None]:
        await rows(
            robot,
            "update webhook_position set failing_since = $3, reason = $4, last_success_at = $5 where endpoint_id = $1"
            " and channel_id = (select channel_id from channel where robot_id = $2 order by 1 offset $6 limit 1)",
            endpoint_id,
            robot.name,
            failing_since,
            reason,
            now - timedelta(hours=channel_index),
            channel_index,
        )
        shown = await webhooks.shown(made["id"])
        return shown["state"], shown["reason"]

    assert await fares(0, now - timedelta(hours=1), "No answer came.") == ("RETRYING", "No answer came.")
    assert await fares(1, now - timedelta(days=3), "It broke.") == ("FAILING", "It broke.")
    shown = await webhooks.shown(made["id"])
    assert datetime.fromisoformat(shown["lastSuccessAt"]) == now
    assert await fares(1, None, None) == ("RETRYING", "No answer came.")
    assert await fares(0, None, None) == ("ACTIVE", None)
    await rows(
        robot, "update webhook_endpoint set state = 'GONE', reason = 'Gone.' where endpoint_id = $1", endpoint_id
    )
    assert await fares(0, now, "No answer came.") == ("GONE", "Gone.")
    assert (await webhooks.update(made["id"], enabled=True))["state"] == "RETRYING"


async def test_the_former_secret_signs_for_a_day(webhooks: Webhooks, channel: str) -> None:
    made = await webhooks.create(channelIds=[channel])
    rotated = endpoint_in(await webhooks.robot.ask(ROTATE, id=made["id"]))
    twice = endpoint_in(await webhooks.robot.ask(ROTATE, id=made["id"]))

    assert len({each["secret"] for each in (made, rotated, twice)}) == 3
    assert len({each["publicKey"] for each in (made, rotated, twice)}) == 3
    until = datetime.fromisoformat(rotated["formerSecretUntil"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < until <= timedelta(hours=24)
    changed = {"secret", "publicKey", "formerSecretUntil"}
    assert {name: made[name] for name in made.keys() - changed} == {
        name: twice[name] for name in twice.keys() - changed
    }
    [row] = await rows(
        webhooks.robot, "select * from webhook_endpoint where endpoint_id = $1", await _number(webhooks, made)
    )
    box = SecretBox((SECRETS_KEY,))
    assert (box.decrypt(row["secret"]), box.decrypt(row["former_secret"])) == (twice["secret"], rotated["secret"])


async def test_the_public_key_goes_with_the_private_one(webhooks: Webhooks, channel: str) -> None:
    made = await webhooks.create(channelIds=[channel])
    [row] = await rows(
        webhooks.robot, "select * from webhook_endpoint where endpoint_id = $1", await _number(webhooks, made)
    )
    private = SecretBox((SECRETS_KEY,)).decrypt(row["signing_key"]).removeprefix("whsk_")
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private))

    public = base64.b64decode(made["publicKey"].removeprefix("whpk_"))
    assert key.public_key().public_bytes_raw() == public


async def test_a_deleted_endpoint_is_gone_with_its_positions(webhooks: Webhooks, channel: str) -> None:
    made, other = await webhooks.create(channelIds=[channel]), await webhooks.create()
    endpoint_id = await _number(webhooks, made)
    answer = await webhooks.robot.ask(DELETE, id=made["id"])

    assert answer["deleteWebhookEndpoint"] == {"deletedId": made["id"]}
    assert (await webhooks.robot.ask(NODE, id=made["id"])).code == "NOT_FOUND"
    assert (await webhooks.robot.ask(DELETE, id=made["id"])).code == "NOT_FOUND"
    assert await rows(webhooks.robot, "select * from webhook_position where endpoint_id = $1", endpoint_id) == []
    assert await webhooks.every() == [other]


async def test_secrets_are_sealed_and_in_no_log(
    webhooks: Webhooks, channel: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = await webhooks.create(channelIds=[channel])
    rotated = endpoint_in(await webhooks.robot.ask(ROTATE, id=made["id"]))
    await webhooks.robot.ask(LIST)
    stored = await rows(
        webhooks.robot,
        "select encode(secret, 'escape') || encode(former_secret, 'escape') || encode(signing_key, 'escape') || e::text"
        " from webhook_endpoint e where robot_id = $1",
        webhooks.robot.name,
    )
    entries = await audit_rows_at(str(webhooks.robot.web.settings.database_url), webhooks.robot.name)

    for secret in (made["secret"], rotated["secret"]):
        for text in (caplog.text, str(stored), str(entries)):
            assert secret.removeprefix("whsec_") not in text
    assert "whsk_" not in caplog.text + str(stored) + str(entries)


@pytest.mark.parametrize("role", ["agent", "integrator"])
async def test_others_do_not_learn_that_there_is_one(webhooks: Webhooks, channel: str, role: str) -> None:
    made = await webhooks.create(channelIds=[channel])
    trial = await webhooks.test(made["id"])
    node = "query($id: ID!) { node(id: $id) { id } }"

    for given in (made["id"], trial["id"]):
        refused = await webhooks.robot.ask(node, role, id=given)
        assert (refused.data, refused.code) == ({"node": None}, "NOT_FOUND")
        unknown = await webhooks.robot.ask(node, role, id=gid("WebhookEndpoint", 999_999))
        assert refused.error["message"] == unknown.error["message"]


async def test_a_narrowed_admin_manages_what_is_only_about_its_channels(
    webhooks: Webhooks, robot: Robot, channel: str
) -> None:
    other = (await robot.bind(2))["id"]
    own, for_all, mixed = (
        await webhooks.create(channelIds=[channel]),
        await webhooks.create(),
        await webhooks.create(channelIds=[channel, other]),
    )
    token = robot.token("admin", channels=[channel])
    assert (await robot.web.run(LIST, token=token))["webhookEndpoints"] == [own]
    for each in (for_all, mixed):
        for operation in (NODE, DELETE, ROTATE):
            assert (await robot.web.run(operation, token=token, id=each["id"])).code == "NOT_FOUND"

    given = {"url": URL, "events": ["TAG_CREATED"]}
    create = (
        "mutation($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { endpoint { id } } }"
    )
    assert (await robot.web.run(create, token=token, input=given)).code == "FORBIDDEN"
    assert (await robot.web.run(create, token=token, input=given | {"channelIds": [other]})).code == "NOT_FOUND"
    made = await robot.web.run(create, token=token, input=given | {"channelIds": [channel]})
    update = (
        "mutation($input: UpdateWebhookEndpointInput!) { updateWebhookEndpoint(input: $input) { endpoint { id } } }"
    )
    id_given = {"id": made["createWebhookEndpoint"]["endpoint"]["id"]}
    assert (await robot.web.run(update, token=token, input=id_given | {"channelIds": None})).code == "FORBIDDEN"
    assert (await robot.web.run(update, token=token, input=id_given | {"channelIds": [other]})).code == "NOT_FOUND"
    assert (await robot.web.run(update, token=token, input=id_given | {"description": "mine"})).errors == []


async def test_acts_are_on_record_without_the_address(webhooks: Webhooks, channel: str) -> None:
    made = await webhooks.create(url="https://1.1.1.1/hooks/hush", channelIds=[channel])
    await webhooks.update(made["id"])
    await webhooks.update(made["id"], enabled=False)
    await webhooks.robot.ask(ROTATE, id=made["id"])
    await webhooks.robot.ask(DELETE, id=made["id"])
    entries = [
        each
        for each in await audit_rows_at(str(webhooks.robot.web.settings.database_url), webhooks.robot.name)
        if "Webhook" in each["action"]
    ]

    assert [each["action"] for each in entries] == [
        "createWebhookEndpoint",
        "updateWebhookEndpoint",
        "rotateWebhookSecret",
        "deleteWebhookEndpoint",
    ]
    assert {each["target_id"] for each in entries} == {made["id"]}
    assert entries[0]["after"]["host"] == "1.1.1.1"
    assert entries[0]["after"]["channels"] == [channel]
    assert (entries[1]["before"], entries[1]["after"]) == ({"state": "ON"}, {"state": "OFF"})
    assert "hush" not in str(entries)


async def _number(webhooks: Webhooks, endpoint: dict[str, Any]) -> int:
    """Return the number of an endpoint in the database."""
    found = await rows(
        webhooks.robot,
        "select endpoint_id from webhook_endpoint where robot_id = $1 order by endpoint_id",
        webhooks.robot.name,
    )
    [number] = [each["endpoint_id"] for each in found if gid("WebhookEndpoint", each["endpoint_id"]) == endpoint["id"]]
    return int(number)
