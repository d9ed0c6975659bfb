"""The four ways in: one operation sent by POST, by GET, as a stream of events, or on a socket, and the answer."""

import json
from typing import Any, Final

from tests.support.web import WebClient

TRANSPORTS: Final = ("post", "get", "stream", "socket")


async def execute_over(web: WebClient, transport: str, payload: dict[str, Any], role: str = "admin") -> dict[str, Any]:
    """The first answer, as JSON."""
    headers = {"Authorization": f"Bearer {web.token(role)}"}
    if transport == "socket":
        return await _by_socket(web, payload, role)
    if transport == "stream":
        headers["Accept"] = "text/event-stream"
        response = await web.http.post("/graphql/stream", json=payload, headers=headers)
        assert response.headers["content-type"].startswith("text/event-stream"), response.text
        return dict(json.loads(response.text.split("data: ", 1)[1].split("\r\n", 1)[0]))
    if transport == "get":
        given = {name: each if isinstance(each, str) else json.dumps(each) for name, each in payload.items()}
        return dict((await web.http.get("/graphql", params=given, headers=headers)).json())
    return dict((await web.http.post("/graphql", json=payload, headers=headers)).json())


async def error_codes(web: WebClient, transport: str, payload: dict[str, Any], role: str = "admin") -> list[str]:
    """The codes of all errors."""
    return [
        each["extensions"]["code"] for each in (await execute_over(web, transport, payload, role)).get("errors", [])
    ]


async def _by_socket(web: WebClient, payload: dict[str, Any], role: str) -> dict[str, Any]:
    async with web.socket(web.token(role)) as socket:
        await socket.send({"type": "subscribe", "id": "1", "payload": payload})
        message = await socket.receive()
        assert message["type"] in {"next", "error"}, message
        return {"errors": message["payload"]} if message["type"] == "error" else message["payload"]
