"""Call `/ads/{secret}` as the ad platform does, in every spelling (docs/specification.md §9.3)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.robot import Robot, event_input, table_digests
from tests.support.web import web_process
from tests.web.endpoints.push_account import ADA, event_fields
from tests.web.endpoints.push_account import PushingAccount as PushAccount

CHANNEL = """
query($c: ID!) {
  channel(id: $c) { adReturnAddress adReturnConfirmed credentials { lastAdCallAt } userCount }
}
"""
TAGS = "query($c: ID!) { channel(id: $c) { tags(kind: AD) { nodes { name state memberCount } } } }"


def unix_seconds(ahead: timedelta = timedelta(minutes=1)) -> str:
    """Return a time after the channel was bound, in whichever second that was."""
    return str(int((datetime.now(UTC) + ahead).timestamp()))


@dataclass(frozen=True)
class Advertiser:
    """Hold a bound channel as the ad platform knows it."""

    robot: Robot
    channel: str
    address: str

    async def calls(self, query: str = "", **given: str) -> httpx.Response:
        return await self.robot.web.http.get(f"{self.address}?{query}" if query else self.address, params=given or None)

    async def state(self) -> dict[str, Any]:
        channel: dict[str, Any] = (await self.robot.ask(CHANNEL, c=self.channel))["channel"]
        return channel

    async def ad_tags(self) -> dict[str, tuple[str, int]]:
        """Return state and size of each ad tag, `{name: (state, size)}`."""
        nodes = (await self.robot.ask(TAGS, c=self.channel))["channel"]["tags"]["nodes"]
        return {node["name"]: (node["state"], node["memberCount"]) for node in nodes}

    async def ads_of(self, openid: str) -> list[str]:
        query = "query($c: ID!, $o: String!) { user(channelId: $c, openid: $o) { adIds } }"
        ads: list[str] = (await self.robot.ask(query, c=self.channel, o=openid))["user"]["adIds"]
        return sorted(ads)


async def advertiser_of(robot: Robot) -> Advertiser:
    channel = (await robot.bind())["id"]
    return Advertiser(robot, channel, (await robot.ask(CHANNEL, c=channel))["channel"]["adReturnAddress"])


@pytest.fixture
async def advertiser(robot: Robot) -> Advertiser:
    return await advertiser_of(robot)


async def test_the_first_genuine_call_confirms_the_address_and_its_tags_enter_into_force(
    advertiser: Advertiser,
) -> None:
    await advertiser.robot.create_ad_tag(advertiser.channel, "Spring", "42")
    assert await advertiser.ad_tags() == {"Spring": ("PENDING", 0)}
    before = await advertiser.state()
    assert (before["adReturnConfirmed"], before["credentials"]["lastAdCallAt"]) == (False, None)

    answer = await advertiser.calls(wechat_openid="ada", adgroup_id="42", act_time=unix_seconds())
    assert (answer.status_code, answer.json()["ret"]) == (200, 0)
    assert await advertiser.ad_tags() == {"Spring": ("ACTIVE", 1)}
    after = await advertiser.state()
    assert after["adReturnConfirmed"] is True
    assert after["credentials"]["lastAdCallAt"] is not None
    assert await advertiser.robot.tags(advertiser.channel, "ada") == {"Spring"}


@pytest.mark.parametrize(
    ("query", "ads"),
    [
        ("wechat_openid=ada&adgroup_id=1&ad_id=2&campaign_id=3&act_time={t}", ["1", "2", "3"]),
        ("WECHAT_OPENID=ada&AdGroup_Id=1&ACT_TIME={t}&trace_id=x&position_id=&advertiser_id=5", ["1"]),
        ("wechat_openid=ada&ad_id=2&ad_id=3&adgroup_id=2&act_time={t}", ["2", "3"]),
        ("wechat_openid=ada&adgroup_id=__ADGROUP_ID__&ad_id=&campaign_id=7&act_time={t}", ["7"]),
        ("wechat_openid=ada&adgroup_id=&act_time={t}", []),
        ("wechat_openid=ada&adgroup_id=1&act_time=__ACT_TIME__", ["1"]),
        ("wechat_openid=ada&adgroup_id=1&act_time=", ["1"]),
        ("wechat_openid=__WECHAT_OPENID__&wechat_openid=ada&adgroup_id=%201%20", ["1"]),
        ("mine=1&wechat_openid=ada&adgroup_id=%E6%98%A5", ["春"]),
    ],
)
async def test_every_spelling_is_understood(query: str, ads: list[str], advertiser: Advertiser) -> None:
    answer = await advertiser.calls(query.format(t=unix_seconds()))

    assert answer.status_code == 200
    assert await advertiser.ads_of("ada") == ads
    await advertiser.robot.record(advertiser.channel, event_input("ada", "FOLLOW"))
    assert "Advertising" in await advertiser.robot.tags(advertiser.channel, "ada")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "MALFORMED_OPENID"),
        ("adgroup_id=1", "MALFORMED_OPENID"),
        ("wechat_openid=&adgroup_id=1", "MALFORMED_OPENID"),
        ("wechat_openid=__WECHAT_OPENID__&adgroup_id=1", "MALFORMED_OPENID"),
        ("wechat_openid=__WECHAT_OPEN_ID__&adgroup_id=1", "MALFORMED_OPENID"),
        ("wechat_openid=a%20b&adgroup_id=1", "MALFORMED_OPENID"),
        ("wechat_openid=%00&adgroup_id=1", "MALFORMED_OPENID"),
        ("wechat_openid=" + "x" * 129, "MALFORMED_OPENID"),
        ("wechat_openid=ada&adgroup_id=" + "1" * 65, "BAD_VALUE"),
        ("wechat_openid=ada&adgroup_id=1%002", "BAD_VALUE"),
        ("wechat_openid=ada" + "".join(f"&ad_id={number}" for number in range(101)), "BAD_VALUE"),
    ],
)
async def test_malformed_calls_write_nothing(query: str, code: str, advertiser: Advertiser) -> None:
    await advertiser.robot.create_ad_tag(advertiser.channel, "Spring", "1")
    before = await table_digests(advertiser.robot.web)

    answer = await advertiser.calls(query)
    assert (answer.status_code, answer.text) == (400, code)
    assert await table_digests(advertiser.robot.web) == before


@pytest.mark.parametrize(
    "time",
    [
        *("", "__ACT_TIME__", "0", "00", "-1", "1.5", "yesterday", "%00", "١٧٧٢٣٦٦٤٠٠", "9" * 30, "1295567999"),
        *("{now}000", "{now}.0", "{now}999", "99999999999", "{soon}"),
    ],
)
async def test_a_time_that_no_follow_can_have_counts_as_now(time: str, advertiser: Advertiser) -> None:
    await advertiser.robot.create_ad_tag(advertiser.channel, "Spring", "42")
    given = time.format(now=unix_seconds(), soon=unix_seconds(timedelta(minutes=6)))

    assert (await advertiser.calls(f"wechat_openid=ada&adgroup_id=42&act_time={given}")).status_code == 200
    assert await advertiser.robot.tags(advertiser.channel, "ada") == {"Spring"}
    await advertiser.robot.record(advertiser.channel, event_input("ada", "FOLLOW"))
    # Since the channel was bound, so not at a time long ago.
    assert "Advertising" in await advertiser.robot.tags(advertiser.channel, "ada")


async def test_an_unknown_secret_is_not_found(advertiser: Advertiser) -> None:
    before = await table_digests(advertiser.robot.web)
    push_url = (await advertiser.robot.ask("query($c: ID!) { channel(id: $c) { pushUrl } }", c=advertiser.channel))[
        "channel"
    ]["pushUrl"]
    secret = push_url.rpartition("/")[2]

    for wrong in ("nothing", advertiser.address.rpartition("/")[2][:-1], secret, "x" * 5_000, "%00"):
        answer = await advertiser.robot.web.http.get(f"/ads/{wrong}", params={"wechat_openid": "ada"})
        assert answer.status_code == 404
    assert (await advertiser.robot.web.http.get("/ads/")).status_code == 404
    for method in ("POST", "HEAD", "PUT"):
        answer = await advertiser.robot.web.http.request(method, advertiser.address, params={"wechat_openid": "ada"})
        assert answer.status_code == 405
    assert await table_digests(advertiser.robot.web) == before


async def test_a_reset_address_is_gone_at_once_and_the_new_one_unconfirmed(advertiser: Advertiser) -> None:
    await advertiser.calls(wechat_openid="ada", adgroup_id="1")
    reset = (
        "mutation($c: ID!) { resetChannelAddresses(channelId: $c) { channel { adReturnAddress adReturnConfirmed } } }"
    )
    channel = (await advertiser.robot.ask(reset, c=advertiser.channel))["resetChannelAddresses"]["channel"]

    assert channel["adReturnConfirmed"] is False
    assert (await advertiser.calls(wechat_openid="ben")).status_code == 404
    assert (await advertiser.robot.web.http.get(channel["adReturnAddress"], params={"wechat_openid": "ben"})).is_success
    assert (await advertiser.state())["adReturnConfirmed"] is True


async def test_the_same_call_again_changes_nothing(advertiser: Advertiser) -> None:
    await advertiser.robot.create_ad_tag(advertiser.channel, "Spring", "1")
    call = {"wechat_openid": "ada", "adgroup_id": "1", "act_time": unix_seconds()}
    await advertiser.calls(**call)
    before = await table_digests(advertiser.robot.web)

    assert (await advertiser.calls(**call)).status_code == 200
    assert await table_digests(advertiser.robot.web) == before


async def test_the_push_and_the_feed_of_one_follow_may_come_in_any_order(account: PushAccount) -> None:
    robot, channel = account.robot, account.channel
    address = (await robot.ask(CHANNEL, c=channel))["channel"]["adReturnAddress"]
    await robot.create_ad_tag(channel, "Spring", "1")
    at = datetime.now(UTC) + timedelta(minutes=1)
    call = {"adgroup_id": "1", "act_time": str(int(at.timestamp()))}
    await robot.web.http.get(address, params={"wechat_openid": "first_by_feed", **call})
    for openid in ("first_by_feed", "first_by_push"):
        await account.push(event_fields("subscribe", openid, at))
    await robot.web.http.get(address, params={"wechat_openid": "first_by_push", **call})

    tags = await robot.tags(channel, "first_by_feed")
    assert {"Spring", "Advertising", "New user"} <= tags
    assert await robot.tags(channel, "first_by_push") == tags
    await account.push(event_fields("subscribe", ADA, at))
    assert "Non-advertising" in await robot.tags(channel, ADA)


async def test_what_cannot_be_recorded_is_not_acknowledged(
    database_url: str, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with web_process(database_url, redis_url) as web:
        advertiser = await advertiser_of(Robot(web))
        connection = await asyncpg.connect(database_url)
        for table in ("user_ad", "channel_user", "channel"):
            await connection.execute(f"alter table {table} rename to away")
            answer = await advertiser.calls(wechat_openid="ada", adgroup_id="1", act_time=unix_seconds())
            assert (answer.status_code, answer.text) == (503, "TRY_AGAIN")
            await connection.execute(f"alter table away rename to {table}")
        await connection.close()
        assert (await advertiser.calls(wechat_openid="ada", adgroup_id="1", act_time=unix_seconds())).is_success
        assert await advertiser.ads_of("ada") == ["1"]
        assert advertiser.address.rpartition("/")[2] not in caplog.text


async def test_the_names_of_parameters_are_settings(database_url: str, redis_url: str) -> None:
    names = {
        "ad_feed_openid_names": ("who", "openid"),
        "ad_feed_ad_names": ("creative",),
        "ad_feed_time_names": ("ts",),
    }
    async with web_process(database_url, redis_url, **names) as web:
        advertiser = await advertiser_of(Robot(web))
        answer = await advertiser.calls(openid="ada", Creative="9", adgroup_id="1", ts=unix_seconds())

        assert answer.status_code == 200
        assert await advertiser.ads_of("ada") == ["9"]
        assert (await advertiser.calls(wechat_openid="ada")).status_code == 400


async def test_a_mini_program_has_no_ad_return_address(robot: Robot) -> None:
    channel = (await robot.bind(kind="MINI_PROGRAM"))["id"]

    assert (await robot.ask(CHANNEL, c=channel))["channel"]["adReturnAddress"] is None
    confirm = "mutation($c: ID!) { confirmAdReturnAddress(channelId: $c) { channel { id } } }"
    assert (await robot.ask(confirm, c=channel)).code == "BAD_USER_INPUT"
