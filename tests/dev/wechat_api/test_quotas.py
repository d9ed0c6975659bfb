"""Count calls against quotas of a day in Beijing and rates of a minute, and tell what is left."""

from datetime import UTC, datetime, timedelta

import pytest

from service.dev.demo.wechat_api.limits import Quota
from tests.dev.wechat_api.wechat import ACCOUNT, MINI_PROGRAM, Wechat, open_wechat

PATH = "/cgi-bin/tags/get"


async def code(wechat: Wechat) -> int:
    return int((await wechat.call("tags/get")).get("errcode", 0))


async def test_a_daily_quota_begins_anew_at_midnight_in_beijing() -> None:
    async with open_wechat() as wechat:
        wechat.account.quotas.set_quota(PATH, Quota(2))

        assert [await code(wechat) for _ in range(3)] == [0, 0, 45009]
        wechat.clock.now = datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC)
        assert await code(wechat) == 45009
        wechat.clock.advance(timedelta(seconds=1))
        assert await code(wechat) == 0
        assert wechat.books.calls.outcomes[ACCOUNT.app_id, PATH, 45009] == 2


async def test_a_rate_begins_anew_each_minute_and_what_is_refused_uses_nothing() -> None:
    async with open_wechat() as wechat:
        wechat.account.quotas.set_quota(PATH, Quota(4, calls=2, seconds=60))

        assert [await code(wechat) for _ in range(4)] == [0, 0, 45011, 45011]
        wechat.clock.advance(timedelta(minutes=1))
        assert [await code(wechat) for _ in range(3)] == [0, 0, 45009]


async def test_tokens_have_quotas_too() -> None:
    async with open_wechat() as wechat:
        wechat.account.quotas.set_quota("/cgi-bin/stable_token", Quota(1))

        assert "access_token" in await wechat.stable()
        assert (await wechat.stable())["errcode"] == 45009
        assert "access_token" in await wechat.stable(MINI_PROGRAM)


@pytest.mark.parametrize("inside", [False, True])
async def test_what_is_left_is_told_in_either_shape(inside: bool) -> None:
    async with open_wechat() as wechat:
        wechat.books.behaviour.rate_limit_inside_quota = inside
        wechat.account.quotas.set_quota(PATH, Quota(10, calls=5, seconds=30))
        await code(wechat)
        found = await wechat.call("openapi/quota/get", {"cgi_path": PATH})

    assert found["errcode"] == 0
    day = {name: found["quota"][name] for name in ("daily_limit", "used", "remain")}
    assert day == {"daily_limit": 10, "used": 1, "remain": 9}
    assert (found["quota"] if inside else found)["rate_limit"] == {"call_count": 5, "refresh_second": 30}


@pytest.mark.parametrize("path", ["", "cgi-bin/tags/get", "https://api.weixin.qq.com/cgi-bin/tags/get", "/cgi-bin/no"])
async def test_a_path_that_is_none_has_no_quota(path: str) -> None:
    async with open_wechat() as wechat:
        assert (await wechat.call("openapi/quota/get", {"cgi_path": path}))["errcode"] == 76021


async def test_a_mini_program_may_ask_for_its_quotas() -> None:
    async with open_wechat() as wechat:
        token = await wechat.token(MINI_PROGRAM)
        found = await wechat.post("openapi/quota/get", {"cgi_path": "/cgi-bin/user/get"}, access_token=token)

    assert found["quota"]["daily_limit"] == 500


async def test_a_callback_that_is_configured_can_be_checked() -> None:
    async with open_wechat() as wechat:

        async def check(action: str, operator: str = "DEFAULT") -> dict[str, object]:
            return await wechat.call("callback/check", {"action": action, "check_operator": operator})

        assert (await check("all"))["errcode"] == 40201
        wechat.configure_callback("http://127.0.0.1/wechat")
        assert list(await check("all")) == ["dns", "ping"]
        assert (list(await check("dns")), list(await check("ping"))) == (["dns"], ["ping"])
        assert (await check("look"))["errcode"] == 40202
        assert (await check("all", "NOBODY"))["errcode"] == 40203
