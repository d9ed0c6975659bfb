"""The push address: verified by GET, dead after a reset, and unknown to whoever guesses."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from service.wechat.crypto import sign
from tests.api.robot import Robot, everything
from tests.http.account import TOKEN, Account, bound_account, message


async def verify(account: Account, sent: datetime | None = None, /, **changes: str) -> httpx.Response:
    """Ask as WeChat does when the address is configured."""
    timestamp = str(int((sent or datetime.now(UTC)).timestamp()))
    signature = sign(account.token, timestamp, "nonce")
    query = {"signature": signature, "timestamp": timestamp, "nonce": "nonce", "echostr": "5963<b>&"}
    return await account.robot.web.http.get(account.url, params={**query, **changes})


@pytest.mark.parametrize("encrypted", [True, False])
async def test_the_address_is_verified_by_its_echo(robot: Robot, encrypted: bool) -> None:
    answer = await verify(await bound_account(robot, encrypted=encrypted))

    assert (answer.status_code, answer.text) == (200, "5963<b>&")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "changes",
    [{"signature": "0" * 40}, {"signature": ""}, {"nonce": "other"}, {"timestamp": "1"}, {"timestamp": "x"}],
)
async def test_a_forged_verification_is_refused(
    account: Account, changes: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = await verify(account, **changes)

    assert answer.status_code == 403
    assert "5963" not in answer.text
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("away", [timedelta(minutes=-11), timedelta(minutes=11)])
async def test_a_stale_verification_is_refused(account: Account, away: timedelta) -> None:
    assert (await verify(account, datetime.now(UTC) + away)).status_code == 403
    assert (await verify(account, datetime.now(UTC) + away * 0.8)).status_code == 200


async def test_a_verification_without_echo_is_refused(account: Account) -> None:
    assert (await verify(account, echostr="")).status_code == 400


async def test_a_channel_without_a_callback_token_takes_nothing(robot: Robot) -> None:
    account = await bound_account(robot, encrypted=False, callbackToken="")
    before = await everything(robot.web)

    for token in (TOKEN, ""):
        assert (await verify(account.but(token=token))).status_code == 403
        assert (await account.but(token=token).push(message())).status_code == 403
    assert await everything(robot.web) == before


@pytest.mark.parametrize("secret", ["nothing", "x" * 5_000, "%00", "%F0%9F%8D%B5", "..%2Fgraphql", "a%20b"])
async def test_an_unknown_address_is_not_found(account: Account, secret: str, caplog: pytest.LogCaptureFixture) -> None:
    elsewhere = account.but(url=f"{account.robot.web.url}/wechat/{secret}")
    before = await everything(account.robot.web)

    assert (await verify(elsewhere)).status_code == 404
    assert (await elsewhere.push(message())).status_code == 404
    assert await everything(account.robot.web) == before
    assert [record for record in caplog.records if record.exc_info] == []


async def test_the_address_is_not_that_of_another_channel(robot: Robot, account: Account) -> None:
    other = await bound_account(robot, appId=robot.app_id(2))
    before = await everything(robot.web)

    answer = await account.but(url=other.url).push(message())
    assert (answer.status_code, answer.text) == (400, "BAD_ENVELOPE")
    assert await everything(robot.web) == before


async def test_an_old_address_is_dead_at_once(account: Account) -> None:
    assert (await account.push(message())).text == "success"
    reset = "mutation($id: ID!) { resetChannelAddresses(channelId: $id) { channel { pushUrl } } }"
    answer = await account.robot.ask(reset, id=account.channel)
    before = await everything(account.robot.web)

    assert (await account.push(message())).status_code == 404
    assert (await verify(account)).status_code == 404
    assert await everything(account.robot.web) == before
    moved = account.but(url=answer["resetChannelAddresses"]["channel"]["pushUrl"])
    assert (await verify(moved)).status_code == 200
    assert (await moved.push(message())).text == "success"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_not_allowed(account: Account, method: str) -> None:
    assert (await account.robot.web.http.request(method, account.url)).status_code == 405
