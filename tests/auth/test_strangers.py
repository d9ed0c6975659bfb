"""Limit how often an address is refused for want of credentials; whoever has them is never held up."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.support.web import WebClient, web_process

VIEWER = "{ viewer { robotId } }"
FEW: dict[str, Any] = {"refusals_per_second": 2, "refusals_burst": timedelta(seconds=1)}
pytestmark = pytest.mark.usefixtures("stopped_quotas")
STRANGERS = {
    "no token": ("POST", "/graphql", {}),
    "a wrong token": ("POST", "/graphql/stream", {"Authorization": "Bearer wrong"}),
    "an import": ("POST", "/import/return-data", {"Authorization": "Bearer wrong"}),
    "an unknown address": ("GET", "/nope", {}),
    "an unknown push": ("POST", "/wechat/unknown", {}),
    "an unknown ad feed": ("GET", "/ads/unknown", {}),
    "an unknown batchset": ("POST", "/openapi/label/batchset/unknown", {}),
    "an unknown export": ("GET", "/export/unknown", {}),
}


async def refusals(web: WebClient, name: str, **more: str) -> list[httpx.Response]:
    method, path, headers = STRANGERS[name]
    return [await web.http.request(method, path, headers={**headers, **more}) for _ in range(4)]


@pytest.mark.parametrize("name", STRANGERS)
async def test_an_address_that_is_refused_too_often_is_told_to_wait(
    database_url: str, redis_url: str, name: str
) -> None:
    async with web_process(database_url, redis_url, **FEW) as web:
        answers = await refusals(web, name)
        assert [answer.status_code == 429 for answer in answers] == [False, False, True, True]
        limited = answers[-1]
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
        # At the same time, from the same address.
        assert (await web.run(VIEWER, token=web.token("agent")))["viewer"]
        assert (await web.http.get("/healthz")).status_code == 200


async def test_only_a_trusted_proxy_says_where_a_request_comes_from(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url, **FEW) as web:
        await refusals(web, "no token", **{"X-Forwarded-For": "192.0.2.1"})
        assert (await refusals(web, "no token", **{"X-Forwarded-For": "192.0.2.2"}))[0].status_code == 429
    async with web_process(database_url, redis_url, trusted_proxies=("127.0.0.0/8",), **FEW) as web:
        await refusals(web, "no token", **{"X-Forwarded-For": "192.0.2.1"})
        assert (await refusals(web, "no token", **{"X-Forwarded-For": "192.0.2.2"}))[0].status_code == 401


async def test_unusual_documents_cost_their_principal_its_budget_and_nobody_elses(
    database_url: str, redis_url: str
) -> None:
    async with web_process(database_url, redis_url, cpu_share=0.01, cpu_burst=timedelta(milliseconds=20)) as web:
        eager, calm = web.token("agent", subject="eager"), web.token("agent", subject="calm")
        assert (await web.run(VIEWER, token=eager))["viewer"]
        new = ["{ " + f"viewer {{ robotId }} a{number}: __typename " * 20 + "}" for number in range(200)]
        answers = [await web.run(text, token=eager) for text in new]
        limited = [answer for answer in answers if answer.codes == ["RATE_LIMITED"]]
        assert limited
        assert limited[0].status == 429
        assert (await web.run(VIEWER, token=eager))["viewer"]
        assert (await web.run(new[-1], token=calm)).data


async def test_a_principal_has_a_limited_number_of_sockets(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url, sockets_per_principal=1) as web:
        async with web.socket(web.token("agent")) as first:
            async with web.socket(web.token("agent")) as second:
                assert (await second.wait_for_close())[0] == 1013
            async with web.socket(web.token("agent", subject="somebody else")) as third:
                assert (await (await third.subscribe(VIEWER)).next())["viewer"]
            assert (await (await first.subscribe(VIEWER)).next())["viewer"]

        async with web.socket(web.token("agent")) as again:
            assert (await (await again.subscribe(VIEWER)).next())["viewer"]


async def test_nothing_but_a_short_initialisation_is_read_before_the_token(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url, init_bytes=1_000) as web:
        async with web.uninitialised_socket() as socket:
            await socket.send('{"type":"ping"}'.ljust(1_001))
            assert (await socket.wait_for_close())[0] == 1009
        async with web.socket(web.token("agent")) as socket:
            await socket.send('{"type":"ping"}'.ljust(100_000))
            assert (await socket.receive())["type"] == "pong"
