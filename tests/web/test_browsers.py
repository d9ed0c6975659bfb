"""Let pages of allowed origins call the API from a browser, and tell browsers what they may do with every answer."""

from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.support.robot import Robot
from tests.support.sockets import open_socket
from tests.support.web import WebClient, web_process

LOCAL: Final = "http://localhost:5173"
FRIEND: Final = "https://tags.example.com"
STRANGER: Final = "https://evil.example.com"
SHARED: Final = ("/graphql", "/graphql/stream", "/import/return-data")
ANSWERS: Final = (
    ("GET", "/nowhere", 404),
    ("DELETE", "/healthz", 405),
    ("GET", "/healthz", 200),
    ("GET", "/export/no-such-link", 404),
    ("POST", "/import/return-data", 401),
    ("POST", "/wechat/no-such-address", 404),
    ("GET", "/ads/no-such-address", 404),
)


@pytest.fixture
async def production(database_url: str, redis_url: str) -> AsyncIterator[WebClient]:
    async with web_process(
        database_url, redis_url, production=True, public_url="https://api.example.com", allowed_origins=(FRIEND,)
    ) as running:
        yield running


async def preflight(web: WebClient, path: str, origin: str) -> httpx.Response:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    return await web.http.options(path, headers={"Origin": origin, **asked})


@pytest.mark.parametrize("path", SHARED)
async def test_a_page_of_this_machine_may_call_in_development(web: WebClient, path: str) -> None:
    answer = await preflight(web, path, LOCAL)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == LOCAL
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in (await preflight(web, path, STRANGER)).headers


async def test_an_allowed_page_reads_answers_and_errors(robot: Robot) -> None:
    query = {"query": "{ viewer { id } }"}
    for token in (robot.token(), "no token"):
        headers = {"Authorization": f"Bearer {token}", "Origin": LOCAL}
        answer = await robot.web.http.post("/graphql", json=query, headers=headers)
        assert answer.headers["access-control-allow-origin"] == LOCAL
        readable = answer.headers["access-control-expose-headers"].split(", ")
        assert {"X-Request-Id", "Retry-After", "x-import-rejected", "x-import-newUsers"} <= set(readable)
        other = await robot.web.http.post("/graphql", json=query, headers=headers | {"Origin": STRANGER})
        assert "access-control-allow-origin" not in other.headers


async def test_production_allows_the_origins_of_the_setting_only(production: WebClient) -> None:
    for path in SHARED:
        assert (await preflight(production, path, FRIEND)).headers["access-control-allow-origin"] == FRIEND
        for origin in (LOCAL, STRANGER, "null"):
            assert "access-control-allow-origin" not in (await preflight(production, path, origin)).headers


async def test_a_websocket_is_refused_to_pages_of_other_origins(production: WebClient) -> None:
    async with open_socket(production.url, origin=FRIEND):
        pass
    async with open_socket(production.url, origin=production.url):
        pass
    async with open_socket(production.url):
        pass
    for origin in (LOCAL, STRANGER):
        with pytest.raises(InvalidStatus, match="403"):
            async with open_socket(production.url, origin=origin):
                pass


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
async def test_every_answer_has_the_headers(production: WebClient, method: str, path: str, status: int) -> None:
    answer = await production.http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers.get_list("cache-control") == ["no-store"]


async def test_an_answer_that_may_be_stored_keeps_its_own_words(robot: Robot) -> None:
    headers = {"Authorization": f"Bearer {robot.token()}"}
    answer = await robot.web.http.get("/graphql", params={"query": "{ viewer { id } }"}, headers=headers)
    assert answer.headers.get_list("cache-control") == ["private, no-cache"]
    assert "Origin" in answer.headers["vary"]
    assert "strict-transport-security" not in answer.headers, "it is served over plain HTTP"


async def test_what_says_that_there_is_no_ide_loads_nothing(web: WebClient) -> None:
    page = await web.http.get("/graphql", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "make console" in page.json()["errors"][0]["message"]
    assert page.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert page.headers["x-content-type-options"] == "nosniff"
