"""Verify the push address by GET; it is gone after a reset, and cannot be guessed."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from service.wechat.crypto import sign
from tests.support.robot import Robot, table_digests
from tests.web.endpoints.push_account import TOKEN, PushingAccount, bind_account, message_fields


async def verify(account: PushingAccount, sent: datetime | None = None, /, **changes: str) -> httpx.Response:
    """Ask as WeChat does when the address is configured."""
    timestamp = str(int((sent or datetime.now(UTC)).timestamp()))
    signature = sign(account.token, timestamp, "nonce")
    query = {"signature": signature, "timestamp": timestamp, "nonce": "nonce", "echostr": "5963<b>&"}
    return await account.robot.web.http.get(account.url, params={**query, **changes})


@pytest.mark.parametrize("encrypted", [True, False])
async def test_the_address_is_verified_by_its_echo(robot: Robot, encrypted: bool) -> None:
    answer = await verify(await bind_account(robot, encrypted=encrypted))

    assert (answer.status_code, answer.text) == (200, "5963<b>&")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "changes",
    [{"signature": "0" * 40}, {"signature": ""}, {"nonce": "other"}, {"timestamp": "1"}, {"timestamp": "x"}],
)
async def test_a_forged_verification_is_rejected(
    account: PushingAccount, changes: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = await verify(account, **changes)

    assert answer.status_code == 403
    assert "5963" not in answer.text
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("away", [timedelta(minutes=-11), timedelta(minutes=11)])
async def test_a_stale_verification_is_rejected(account: PushingAccount, away: timedelta) -> None:
    assert (await verify(account, datetime.now(UTC) + away)).status_code == 403
    assert (await verify(account, datetime.now(UTC) + away * 0.8)).status_code == 200


async def test_a_verification_without_echo_is_rejected(account: PushingAccount) -> None:
    assert (await verify(account, echostr="")).status_code == 400


async def test_a_channel_without_a_callback_token_takes_nothing(robot: Robot) -> None:
    account = await bind_account(robot, encrypted=False, callbackToken="")
    before = await table_digests(robot.web)

    for token in (TOKEN, ""):
        assert (await verify(account.with_changes(token=token))).status_code == 403
        assert (await account.with_changes(token=token).push(message_fields())).status_code == 403
    assert await table_digests(robot.web) == before


@pytest.mark.parametrize("secret", ["nothing", "x" * 5_000, "%00", "%F0%9F%8D%B5", "..%2Fgraphql", "a%20b"])
async def test_an_unknown_address_is_not_found(
    account: PushingAccount, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = account.with_changes(url=f"{account.robot.web.url}/wechat/{secret}")
    before = await table_digests(account.robot.web)

    assert (await verify(elsewhere)).status_code == 404
    assert (await elsewhere.push(message_fields())).status_code == 404
    assert await table_digests(account.robot.web) == before
    assert [record for record in caplog.records if record.exc_info] == []


async def test_the_address_is_not_that_of_another_channel(robot: Robot, account: PushingAccount) -> None:
    other = await bind_account(robot, appId=robot.app_id(2))
    before = await table_digests(robot.web)

    answer = await account.with_changes(url=other.url).push(message_fields())
    assert (answer.status_code, answer.text) == (400, "BAD_ENVELOPE")
    assert await table_digests(robot.web) == before


async def test_an_old_address_is_gone_at_once(account: PushingAccount) -> None:
    assert (await account.push(message_fields())).text == "success"
    reset = "mutation($id: ID!) { resetChannelAddresses(channelId: $id) { channel { pushUrl } } }"
    answer = await account.robot.ask(reset, id=account.channel)
    before = await table_digests(account.robot.web)

    assert (await account.push(message_fields())).status_code == 404
    assert (await verify(account)).status_code == 404
    assert await table_digests(account.robot.web) == before
    moved = account.with_changes(url=answer["resetChannelAddresses"]["channel"]["pushUrl"])
    assert (await verify(moved)).status_code == 200
    assert (await moved.push(message_fields())).text == "success"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_not_allowed(account: PushingAccount, method: str) -> None:
    assert (await account.robot.web.http.request(method, account.url)).status_code == 405
