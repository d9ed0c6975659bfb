"""Store the secrets of a channel encrypted, replace and remove them, and never return them."""

import logging
from typing import Any

import asyncpg
import pytest

from service.foundation.encryption import SecretBox
from tests.support.robot import BIND, Robot
from tests.support.web import SECRETS_KEY

SECRETS = {
    "appSecret": "the-app-secret-0123456789",
    "callbackToken": "CallbackToken123",
    "encodingAesKey": "Zx9" * 14 + "A",
}
UPDATE = """
mutation($input: UpdateChannelInput!) {
  updateChannel(input: $input) {
    channel { name credentials { appSecretSet callbackTokenSet encodingAesKeySet lastPushAt } }
  }
}
"""
RESET = "mutation($id: ID!) { resetChannelAddresses(channelId: $id) { channel { pushUrl } } }"


async def stored(robot: Robot) -> dict[str, bytes | None]:
    connection = await asyncpg.connect(robot.web.settings.database_url)
    try:
        row = await connection.fetchrow(
            "select app_secret, callback_token, encoding_aes_key, push_secret, push_secret_hash"
            " from channel where robot_id = $1",
            robot.name,
        )
        assert row
        return dict(row)
    finally:
        await connection.close()


async def rows_of_everything(robot: Robot) -> str:
    """Return every row of every table, bytes as hexadecimal."""
    connection = await asyncpg.connect(robot.web.settings.database_url)
    try:
        tables = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        rows = " union all ".join(f"select t::text from {table} t" for (table,) in tables)  # noqa: S608
        return "\n".join(row for (row,) in await connection.fetch(rows))
    finally:
        await connection.close()


async def credentials(robot: Robot, channel_id: str, **given: Any) -> list[bool]:
    """Update the channel, and return which of the three are set."""
    answer = await robot.ask(UPDATE, input={"id": channel_id, **given})
    shown = answer["updateChannel"]["channel"]["credentials"]
    return [shown["appSecretSet"], shown["callbackTokenSet"], shown["encodingAesKeySet"]]


async def test_secrets_are_encrypted_in_the_table(robot: Robot) -> None:
    channel = await robot.bind(**SECRETS)
    row, secret_box = await stored(robot), SecretBox((SECRETS_KEY,))
    path_secret = channel["pushUrl"].rpartition("/")[2]

    opened = {
        name: secret_box.decrypt(row[name] or b"") for name in ("app_secret", "callback_token", "encoding_aes_key")
    }
    assert list(opened.values()) == list(SECRETS.values())
    assert secret_box.decrypt(row["push_secret"] or b"") == path_secret
    dump = await rows_of_everything(robot)
    assert robot.app_id() in dump
    assert (row["app_secret"] or b"").hex() in dump
    for secret in (*SECRETS.values(), path_secret):
        assert secret not in dump
        assert secret.encode().hex() not in dump


async def test_secrets_are_not_returned_and_not_logged(robot: Robot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="service")
    details = {"kind": "SERVICE_ACCOUNT", "appId": robot.app_id(), "name": "n", "verified": True, **SECRETS}
    answers = [
        await robot.ask(BIND, input=details),
        await robot.ask(BIND, input=details | {"name": ""}),
        await robot.ask(BIND, input=details | {"encodingAesKey": SECRETS["encodingAesKey"] + "!"}),
        await robot.ask(
            "{ channels { name credentials { appSecretSet callbackTokenSet encodingAesKeySet lastPushAt } } }"
        ),
    ]

    assert [answer.codes for answer in answers] == [[], ["BAD_USER_INPUT"], ["BAD_USER_INPUT"], []]
    for secret in SECRETS.values():
        assert secret not in str([answer.body for answer in answers])
        assert secret not in caplog.text


async def test_a_secret_stays_until_it_is_replaced_or_removed(robot: Robot) -> None:
    channel = await robot.bind(**SECRETS)
    before = await stored(robot)

    assert await credentials(robot, channel["id"], name="new") == [True, True, True]
    assert await stored(robot) == before
    await robot.bind(name="newer")
    assert await stored(robot) == before
    assert await credentials(robot, channel["id"], appSecret="another", callbackToken="") == [True, False, True]
    row = await stored(robot)
    assert SecretBox((SECRETS_KEY,)).decrypt(row["app_secret"] or b"") == "another"
    assert row["callback_token"] is None
    assert row["encoding_aes_key"] == before["encoding_aes_key"]


async def test_resetting_the_addresses_makes_a_new_push_secret(robot: Robot) -> None:
    channel = await robot.bind()
    before = await stored(robot)
    reset = (await robot.ask(RESET, id=channel["id"]))["resetChannelAddresses"]["channel"]["pushUrl"]
    row = await stored(robot)

    assert reset != channel["pushUrl"]
    assert row["push_secret"] != before["push_secret"]
    assert row["push_secret_hash"] != before["push_secret_hash"]
    assert SecretBox((SECRETS_KEY,)).decrypt(row["push_secret"] or b"") == reset.rpartition("/")[2]
    assert len(reset.rpartition("/")[2]) == 32
