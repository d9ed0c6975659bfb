"""Compress large answers for clients that accept it, but no streams and no small answers."""

import gzip

import httpx

from tests.support.robot import Robot, event_input

USERS = "query ($c: ID!, $o: [String!]!) { users(channelId: $c, openids: $o) { id openid tags { id tag { name } } } }"


async def answer(robot: Robot, query: str, accept_encoding: str, **variables: object) -> tuple[httpx.Response, bytes]:
    """Return the response, and the body as it was on the wire."""
    headers = {"Authorization": f"Bearer {robot.token()}", "Accept-Encoding": accept_encoding}
    body = {"query": query, "variables": variables}
    async with robot.web.http.stream("POST", "/graphql", json=body, headers=headers) as response:
        return response, b"".join([part async for part in response.aiter_raw()])


async def test_a_long_list_is_compressed(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    openids = [f"o{number}" for number in range(50)]
    await robot.record(channel, *(event_input(openid, "FOLLOW") for openid in openids))
    small, packed = await answer(robot, USERS, "gzip", c=channel, o=openids)
    large, plain = await answer(robot, USERS, "identity", c=channel, o=openids)
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in large.headers
    assert gzip.decompress(packed) == plain
    assert len(packed) * 4 < len(plain)
    assert small.headers["vary"] == large.headers["vary"] == "Accept-Encoding"


async def test_a_small_answer_is_not_compressed(robot: Robot) -> None:
    response, body = await answer(robot, "{ viewer { subject } }", "gzip")
    assert "content-encoding" not in response.headers
    assert body == b'{"data":{"viewer":{"subject":"somebody"}}}'


async def test_an_answer_is_not_compressed_for_a_client_that_refuses_it(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    openids = [f"o{number}" for number in range(50)]
    await robot.record(channel, *(event_input(openid, "FOLLOW") for openid in openids))
    for accept_encoding in ("gzip;q=0", "identity, gzip;q=0.0", "*;q=0", "br"):
        response, body = await answer(robot, USERS, accept_encoding, c=channel, o=openids)
        assert "content-encoding" not in response.headers, accept_encoding
        assert body.startswith(b"{")
    response, body = await answer(robot, USERS, "br, GZIP;q=0.3", c=channel, o=openids)
    assert response.headers["content-encoding"] == "gzip"
