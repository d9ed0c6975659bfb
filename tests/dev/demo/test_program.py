"""Run `python -m service.dev.demo` as a process against a stand-in for the service."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from service.dev.demo.accounts import demo_accounts
from service.dev.demo.crowd import FOLLOWERS
from service.dev.demo.hosting import serve_app
from service.dev.demo.wechat_api.books.people import PlatformUser
from service.dev.demo.wechat_api.books.saving import SAVED
from service.foundation.clock import system_clock
from service.wechat.pushes import Push, decode_push, verify_url
from tests.unit.foundation.test_production_settings import PRODUCTION

SECRET = "0123456789abcdef0123456789abcdef"
MAX_AGE = timedelta(minutes=10)
PAST = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class StandIn:
    """Speak as much GraphQL as `bindChannel` needs; `unready` calls are answered 503 first.

    After `memory` pushes it loses its bindings once, as a service does that is started on a new database.
    """

    unready: int = 0
    error: str | None = None
    memory: int | None = None
    bindings: dict[str, dict[str, Any]] = field(default_factory=dict)
    times_bound: int = 0
    pushes: list[Push] = field(default_factory=list)
    wanted: int = 40
    busy: asyncio.Event = field(default_factory=asyncio.Event)

    async def graphql(self, request: Request) -> Response:
        if self.unready:
            self.unready -= 1
            return Response("starting", status_code=503)
        if self.error is not None:
            failure = {"message": "Refused.", "extensions": {"code": self.error}}
            return JSONResponse({"data": None, "errors": [failure]})
        claims = jwt.decode(request.headers["authorization"].removeprefix("Bearer "), SECRET, ["HS256"])
        assert (claims["robot"], claims["role"]) == ("demo", "admin")
        asked = await request.json()
        if "bindChannel" not in asked["query"]:
            return JSONResponse({"data": {}})
        given = asked["variables"]["input"]
        self.times_bound += 1
        self.bindings[given["appId"]] = given
        channel = {
            "id": f"channel {given['appId']}",
            "pushUrl": f"https://public.example/wechat/{given['appId']}",
        }
        return JSONResponse({"data": {"bindChannel": {"channel": channel}}})

    async def callback(self, request: Request) -> Response:
        if self.memory is not None and len(self.pushes) >= self.memory:
            self.memory = None
            self.bindings.clear()
        bound, query = self.bindings.get(request.path_params["secret"]), request.query_params
        if bound is None:
            return Response(status_code=404)
        if request.method == "GET":
            return PlainTextResponse(verify_url(query, bound["callbackToken"], system_clock(), MAX_AGE))
        push = decode_push(
            query,
            await request.body(),
            token=bound["callbackToken"],
            encoding_aes_key=bound["encodingAesKey"],
            app_ids=[bound["appId"]],
            now=system_clock(),
            max_age=MAX_AGE,
        )
        self.pushes.append(push)
        if len(self.pushes) >= self.wanted:
            self.busy.set()
        return PlainTextResponse("success")

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/graphql", self.graphql, methods=["POST"]),
                Route("/wechat/{secret}", self.callback, methods=["GET", "POST"]),
            ]
        )


@asynccontextmanager
async def demo(stand_in: StandIn, **environment: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    async with serve_app(stand_in.application()) as address:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "service.dev.demo",
            env={
                **os.environ,
                "USER_TAGS_DEMO_SERVICE_URL": address,
                "USER_TAGS_JWT_SECRET": SECRET,
                "USER_TAGS_DEMO_PORT": "0",
                **environment,
            },
            cwd=Path(__file__).parents[3],
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(60):
                yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_the_demo_waits_for_the_service_pushes_and_stops_cleanly(stop: signal.Signals, tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    stand_in = StandIn(unready=2)
    async with demo(stand_in, USER_TAGS_DEMO_FILE=str(file)) as process:
        await stand_in.busy.wait()
        process.send_signal(stop)
        _, said = await process.communicate()

    assert process.returncode == 0
    assert b"Traceback" not in said
    written = json.loads(file.read_text())
    official, mini = demo_accounts(SECRET)
    assert [channel["appId"] for channel in written["channels"]] == [official.app_id, mini.app_id]
    assert written["watched"]["channelId"] == f"channel {official.app_id}"
    assert stand_in.pushes[0].openid == written["watched"]["openid"]
    assert written["platformUrl"].startswith("http://127.0.0.1:")
    assert {binding["kind"] for binding in stand_in.bindings.values()} == {"SERVICE_ACCOUNT", "MINI_PROGRAM"}
    assert all("appSecret" not in binding for binding in stand_in.bindings.values())


async def test_the_demo_binds_again_when_the_service_lost_its_data() -> None:
    stand_in = StandIn(memory=10)
    async with demo(stand_in, USER_TAGS_WECHAT_API_URL="http://127.0.0.1:8089") as process:
        await stand_in.busy.wait()
        process.terminate()
        await process.communicate()

    assert process.returncode == 0
    assert stand_in.times_bound > 2
    assert all(binding["appSecret"] for binding in stand_in.bindings.values())


async def test_production_refuses_the_demo() -> None:
    async with demo(StandIn(), **PRODUCTION) as process:
        _, said = await process.communicate()

    assert process.returncode == 1
    assert b"production refuses it" in said


async def test_a_demo_that_is_started_again_remembers_who_followed(tmp_path: Path) -> None:
    file, books = tmp_path / "demo.json", tmp_path / "demo-books.json"
    official = demo_accounts(SECRET)[0].app_id
    found: list[dict[str, PlatformUser]] = []
    for _ in range(2):
        stand_in = StandIn(wanted=20)
        async with demo(stand_in, USER_TAGS_DEMO_FILE=str(file)) as process:
            await stand_in.busy.wait()
            process.terminate()
            await process.communicate()
        found.append({user.openid: user for user in SAVED.validate_json(books.read_bytes())[official].people})

    first, second = found
    assert len(first) > FOLLOWERS
    assert first.keys() <= second.keys()
    later = {openid for openid in first if first[openid].followed_at != second[openid].followed_at}
    assert all((first[each].followed_at or PAST) < (second[each].followed_at or PAST) for each in later)
    assert len(later) < FOLLOWERS


async def test_the_demo_gives_up_when_the_service_refuses_for_good() -> None:
    async with demo(StandIn(error="FORBIDDEN")) as process:
        _, said = await process.communicate()

    assert process.returncode == 1
    assert b"Refused." in said
