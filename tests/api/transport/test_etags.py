"""Answer GET with 304 if the client has the present answer, and let clients store nothing else."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.entities.principal import Role
from tests.support.robot import Robot, event_input
from tests.support.web import WebClient, web_process

VIEWER = "{ viewer { robotId } }"
TYPE = "{ __typename }"
USER = "query ($c: ID!, $o: String!) { user(channelId: $c, openid: $o) { tags { tag { name } } } }"
USERS = "query ($c: ID!, $o: [String!]!) { users(channelId: $c, openids: $o) { id openid tags { id tag { name } } } }"
GRAPHQL = "application/graphql-response+json"


async def get(
    robot: Robot, query: str, seen: str | None = None, role: Role | str = Role.AGENT, **given: Any
) -> httpx.Response:
    """Send a GET, perhaps with the entity tag of an earlier answer."""
    headers = {"Authorization": f"Bearer {robot.token(role)}"} | given.pop("headers", {})
    headers |= {} if seen is None else {"If-None-Match": seen}
    return await robot.web.http.get("/graphql", params={"query": query, **given}, headers=headers)


async def test_an_unchanged_answer_is_304(robot: Robot) -> None:
    first = await get(robot, VIEWER)
    assert first.headers["cache-control"] == "private, no-cache"
    assert {each.strip() for each in first.headers["vary"].split(",")} >= {"Authorization", "Accept"}
    assert first.headers["etag"].startswith('W/"')
    again = await get(robot, VIEWER, first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "vary"):
        assert again.headers[name] == first.headers[name]
    assert "content-type" not in again.headers
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


@pytest.mark.parametrize("written", ["{}", '"other", {}', 'W/"a" , {} ,W/"b"', "strong {}"])
async def test_if_none_match_takes_every_form_of_an_entity_tag(robot: Robot, written: str) -> None:
    """Compare weakly (RFC 9110 §13.1.2)."""
    tag = (await get(robot, VIEWER)).headers["etag"]
    seen = tag.removeprefix("W/") if written.startswith("strong") else written.format(tag)
    assert (await get(robot, VIEWER, seen)).status_code == 304


@pytest.mark.parametrize("seen", ['W/"other"', "", "*", "W/", ",,"])
async def test_another_entity_tag_is_answered_in_full(robot: Robot, seen: str) -> None:
    assert (await get(robot, VIEWER, seen)).json()["data"] == {"viewer": {"robotId": robot.name}}


async def test_a_changed_answer_is_sent(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await robot.record(channel, event_input("ada", "FOLLOW"))
    given = {"variables": f'{{"c": "{channel}", "o": "ada"}}'}
    seen = (await get(robot, USER, **given)).headers["etag"]
    assert (await get(robot, USER, seen, **given)).status_code == 304
    await robot.record(channel, event_input("ada", "MESSAGE", timedelta(0)))
    changed = await get(robot, USER, seen, **given)
    assert changed.status_code == 200
    assert "Opened" in changed.text
    assert changed.headers["etag"] != seen


async def test_an_entity_tag_is_not_valid_for_another_principal(robot: Robot) -> None:
    """Send equal bytes to two principals."""
    seen = (await get(robot, TYPE)).headers["etag"]
    other = Robot(robot.web, f"{robot.name}b")
    for reader, role in ((other, Role.AGENT), (robot, Role.ADMIN)):
        answer = await get(reader, TYPE, seen, role)
        assert (answer.status_code, answer.json()) == (200, {"data": {"__typename": "Query"}})
    somebody_else = {"Authorization": f"Bearer {robot.web.token('agent', robot=robot.name, subject='else')}"}
    assert (await get(robot, TYPE, seen, headers=somebody_else)).status_code == 200
    narrowed = {"Authorization": f"Bearer {robot.token('agent', ['none'])}"}
    assert (await get(robot, TYPE, seen, headers=narrowed)).status_code == 200
    assert (await get(robot, TYPE, seen)).status_code == 304


async def test_an_entity_tag_is_not_valid_for_another_media_type(robot: Robot) -> None:
    seen = (await get(robot, VIEWER)).headers["etag"]
    answer = await get(robot, VIEWER, seen, headers={"Accept": GRAPHQL})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(GRAPHQL)


async def test_a_request_without_a_valid_token_is_never_304(robot: Robot) -> None:
    seen = (await get(robot, VIEWER)).headers["etag"]
    for header in ({"Authorization": ""}, {"Authorization": "Bearer x"}):
        refused = await get(robot, VIEWER, seen, headers=header)
        assert (refused.status_code, refused.headers["cache-control"]) == (401, "no-store")


@pytest.mark.parametrize(
    "query",
    ["{ nowhere }", "{ viewer {", '{ channel(id: "none") { id } }', '{ viewer { id } channel(id: "x") { id } }'],
)
async def test_an_answer_with_errors_is_not_stored(robot: Robot, query: str) -> None:
    answer = await get(robot, query)
    assert answer.json()["errors"]
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


@pytest.mark.parametrize("query", [VIEWER, 'mutation { unbindChannel(id: "x") { channel { id } } }'])
async def test_an_answer_to_post_is_not_stored(robot: Robot, query: str) -> None:
    headers = {"Authorization": f"Bearer {robot.token()}", "If-None-Match": "*"}
    answer = await robot.web.http.post("/graphql", json={"query": query}, headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "etag" not in answer.headers


async def test_a_mutation_by_get_is_refused_and_not_stored(robot: Robot) -> None:
    refused = await get(robot, 'mutation { unbindChannel(id: "x") { channel { id } } }', role=Role.ADMIN)
    assert (refused.status_code, refused.headers["cache-control"]) == (405, "no-store")
    assert "etag" not in refused.headers


@pytest.mark.parametrize("way", ["POST", "GET"])
async def test_a_stream_is_not_stored(robot: Robot, way: str) -> None:
    headers = {"Authorization": f"Bearer {robot.token()}", "Accept": "text/event-stream"}
    given: dict[str, Any] = {"params": {"query": VIEWER}} if way == "GET" else {"json": {"query": VIEWER}}
    streamed = await robot.web.http.request(way, "/graphql/stream", headers=headers, **given)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert "no-store" in streamed.headers["cache-control"]
    assert "etag" not in streamed.headers


async def test_compression_does_not_change_the_entity_tag(robot: Robot) -> None:
    """Use one weak tag for both; a cache keeps them apart by `Vary`."""
    channel = (await robot.bind())["id"]
    openids = [f"o{number}" for number in range(50)]
    await robot.record(channel, *(event_input(openid, "FOLLOW") for openid in openids))
    given = {"variables": f'{{"c": "{channel}", "o": {openids}}}'.replace("'", '"')}
    small = await get(robot, USERS, headers={"Accept-Encoding": "gzip"}, **given)
    large = await get(robot, USERS, headers={"Accept-Encoding": "identity"}, **given)
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in large.headers
    assert small.headers["etag"] == large.headers["etag"]
    assert "Accept-Encoding" in small.headers["vary"]
    assert "Accept-Encoding" in large.headers["vary"]
    again = await get(robot, USERS, small.headers["etag"], headers={"Accept-Encoding": "gzip"}, **given)
    assert (again.status_code, again.content) == (304, b"")
    assert "content-encoding" not in again.headers


async def test_the_answer_to_a_trusted_document_is_304(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    listed = tmp_path_factory.mktemp("list") / "d.json"
    listed.write_text('{"viewer": "{ viewer { robotId } }"}', encoding="utf-8")
    trusting = {"trusted_documents": (str(listed),), "trusted_documents_mode": "only"}
    async with web_process(database_url, redis_url, **trusting) as web:
        first = await _named(web, None)
        assert first.json()["data"]["viewer"]["robotId"] == "r1"
        assert (await _named(web, first.headers["etag"])).status_code == 304


async def _named(web: WebClient, seen: str | None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {web.token('agent')}"} | ({"If-None-Match": seen} if seen else {})
    return await web.http.get("/graphql", params={"documentId": "viewer"}, headers=headers)
