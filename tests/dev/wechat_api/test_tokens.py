"""Issue tokens in two spaces, as WeChat does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.dev.demo.wechat_api.books.tokens import TokenSpace
from tests.dev.wechat_api.wechat import ACCOUNT, MINI_PROGRAM, OTHER, Wechat, open_wechat


async def is_good(wechat: Wechat, token: str) -> int:
    """Return the errcode of a business call with this token."""
    return int((await wechat.get("user/get", access_token=token)).get("errcode", 0))


async def plain(wechat: Wechat, **changes: str) -> dict[str, Any]:
    asked = {"grant_type": "client_credential", "appid": ACCOUNT.app_id, "secret": ACCOUNT.secret}
    return await wechat.get("token", **{**asked, **changes})


async def test_a_stable_token_is_the_same_until_five_minutes_before_it_expires() -> None:
    async with open_wechat() as wechat:
        first = await wechat.stable()
        wechat.clock.advance(timedelta(minutes=114))
        second = await wechat.stable()
        wechat.clock.advance(timedelta(minutes=1))
        third = await wechat.stable()

        assert (first["expires_in"], second["expires_in"], third["expires_in"]) == (7200, 360, 7200)
        assert first["access_token"] == second["access_token"] != third["access_token"]
        assert len(first["access_token"]) == 512
        assert "errcode" not in first
        assert (await is_good(wechat, first["access_token"]), await is_good(wechat, third["access_token"])) == (0, 0)
        wechat.clock.advance(timedelta(minutes=5))
        assert await is_good(wechat, first["access_token"]) == 42001


async def test_a_forced_refresh_kills_the_old_token_at_once() -> None:
    async with open_wechat() as wechat:
        old = await wechat.token()
        new = (await wechat.stable(force_refresh=True))["access_token"]

        assert (await is_good(wechat, old), await is_good(wechat, new)) == (40001, 0)


async def test_forced_refreshes_are_thirty_seconds_apart_and_twenty_a_day() -> None:
    async with open_wechat() as wechat:
        await wechat.token()
        tokens = {(await wechat.stable(force_refresh=True))["access_token"]}
        assert (await wechat.stable(force_refresh=True))["access_token"] in tokens
        for _ in range(25):
            wechat.clock.advance(timedelta(seconds=30))
            tokens.add((await wechat.stable(force_refresh=True))["access_token"])

        assert len(tokens) == 20
        forced = [each for each in wechat.books.tokens.issued if each.space is TokenSpace.FORCED]
        assert len(forced) == 20
        wechat.books.behaviour.forced_refresh_code = 45009
        assert (await wechat.stable(force_refresh=True))["errcode"] == 45009
        wechat.clock.advance(timedelta(days=1))
        assert (await wechat.stable(force_refresh=True))["access_token"] not in tokens


async def test_a_token_that_the_platform_killed_is_answered_until_it_is_forced() -> None:
    async with open_wechat() as wechat:
        dead = await wechat.token()
        wechat.books.tokens.kill(ACCOUNT.app_id, wechat.clock())

        assert await wechat.token() == dead
        assert await is_good(wechat, dead) == 40001
        assert await is_good(wechat, (await wechat.stable(force_refresh=True))["access_token"]) == 0


async def test_a_plain_token_replaces_the_one_before_within_five_minutes() -> None:
    async with open_wechat() as wechat:
        first = (await plain(wechat))["access_token"]
        second = (await plain(wechat))["access_token"]

        assert (await is_good(wechat, first), await is_good(wechat, second)) == (0, 0)
        wechat.clock.advance(timedelta(minutes=5))
        assert (await is_good(wechat, first), await is_good(wechat, second)) == (40001, 0)


async def test_the_two_kinds_of_token_know_nothing_of_each_other() -> None:
    async with open_wechat() as wechat:
        stable, first = await wechat.token(), (await plain(wechat))["access_token"]
        await plain(wechat)
        await wechat.stable(force_refresh=True)

        assert await is_good(wechat, first) == 0
        assert stable != first
        spaces = [token.space for token in wechat.books.tokens.issued]
        assert spaces == [TokenSpace.STABLE, TokenSpace.PLAIN, TokenSpace.PLAIN, TokenSpace.FORCED]


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"appid": "wx0000000000000000"}, 40013),
        ({"appid": ""}, 41002),
        ({"secret": "wrong"}, 40125),
        ({"secret": ""}, 41004),
        ({"grant_type": "password"}, 40002),
    ],
)
async def test_wrong_credentials_get_no_token(changes: dict[str, str], errcode: int) -> None:
    async with open_wechat() as wechat:
        for answer in (await wechat.stable(ACCOUNT, **changes), await plain(wechat, **changes)):
            assert answer["errcode"] == errcode
        assert wechat.books.tokens.issued == []


async def test_a_wrong_secret_may_be_answered_otherwise() -> None:
    async with open_wechat() as wechat:
        wechat.books.behaviour.wrong_secret_code = 40001

        assert (await wechat.stable(secret="wrong"))["errcode"] == 40001


async def test_an_address_that_is_not_allowed_is_named() -> None:
    async with open_wechat() as wechat:
        wechat.platform.register(replace(ACCOUNT, ip_whitelist=frozenset({"10.0.0.1"})))
        refused = await wechat.stable()
        wechat.platform.register(replace(ACCOUNT, ip_whitelist=frozenset({"127.0.0.1"})))

        assert refused["errcode"] == 40164
        assert refused["errmsg"].startswith("invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: ")
        assert "access_token" in await wechat.stable()


async def test_tokens_are_asked_for_by_their_own_methods() -> None:
    async with open_wechat() as wechat:
        assert (await wechat.get("stable_token"))["errcode"] == 43002
        assert (await wechat.post("token", {}))["errcode"] == 43001


async def test_a_call_needs_a_living_token_of_a_verified_official_account() -> None:
    async with open_wechat() as wechat:
        wechat.platform.register(replace(OTHER, verified=False))

        assert (await wechat.get("user/get"))["errcode"] == 41001
        assert await is_good(wechat, "é") == 40014
        assert await is_good(wechat, "strange") == 40001
        assert await is_good(wechat, await wechat.token(MINI_PROGRAM)) == 48001
        assert await is_good(wechat, await wechat.token(OTHER)) == 48001
