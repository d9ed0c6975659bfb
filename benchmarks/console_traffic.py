"""Give the loaded channel 500 tags and 1,000 conversations, and let 50 tags of people change a second."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.loading import openid_of
from benchmarks.machine import BENCHMARK_SECRET, ROBOT
from service.auth.tokens import sign_token
from service.dev.demo.hosting import serve_app
from service.entities.principal import Role
from service.entities.tags import DefaultTagRule
from service.foundation.settings import Settings

TAGS: Final = 500
CONVERSATIONS: Final = 1_000
CHANGES_PER_SECOND: Final = 50
PEOPLE_AT_ONCE: Final = 5
MEMBERS: Final = 200
# Who talks now is at the top of the list: their tags are in sight.
TALKING: Final = 100
SUBMIT: Final = """
mutation Submit($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { id } } }
"""


def token() -> str:
    """Sign a token for the whole robot, good for a day."""
    settings = Settings(jwt_secret=BENCHMARK_SECRET)
    return sign_token(settings, robot=ROBOT, role=Role.CREATOR, subject="console", ttl=timedelta(days=1))


class Traffic:
    """Change tags of a channel through the API of a web process. `made` counts the changes of one person's tags."""

    def __init__(self, http: httpx.AsyncClient, channel_id: str) -> None:
        self.made = 0
        self._http = http
        self._channel_id = channel_id
        self._rng = random.Random(1)

    async def make_tags(self) -> None:
        """Make as many tags as are missing, each of some people."""
        for number in range(TAGS - len(DefaultTagRule)):
            people = self._rng.sample(range(CONVERSATIONS), MEMBERS)
            await self._submit(number, people, "ADD")

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Let 50 tags of people change a second while the block runs."""
        changing = asyncio.create_task(self._keep_changing())
        try:
            yield
        finally:
            changing.cancel()
            await asyncio.wait({changing})
        if not changing.cancelled() and (failure := changing.exception()):
            raise failure

    async def _keep_changing(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for turn in itertools.count():
            number = self._rng.randrange(TAGS - len(DefaultTagRule))
            people = self._rng.sample(range(TALKING), PEOPLE_AT_ONCE)
            mode = "ADD" if turn % 2 else "REMOVE"
            await self._submit(number, people, mode)
            self.made += PEOPLE_AT_ONCE
            await asyncio.sleep(began + self.made / CHANGES_PER_SECOND - loop.time())

    async def _submit(self, number: int, people: list[int], mode: str) -> None:
        given = {
            "channelId": self._channel_id,
            "category": f"Category {number % 20}",
            "label": f"Tag {number}",
            "openids": [openid_of(each) for each in people],
            "mode": mode,
        }
        answer = await self._http.post("/graphql", json={"query": SUBMIT, "variables": {"input": given}})
        if "errors" in answer.json():
            raise RuntimeError(f"refused: {answer.json()['errors']}")


@asynccontextmanager
async def conversations() -> AsyncIterator[str]:
    """Serve what the demo would, 1,000 conversations in which nothing more is said; yield the address."""
    now = datetime.now(UTC)
    listed = [_conversation(number, now) for number in range(CONVERSATIONS)]

    async def newest(request: Request) -> JSONResponse:
        return JSONResponse({"conversations": listed[: int(request.query_params.get("limit", CONVERSATIONS))]})

    async def one(_request: Request) -> JSONResponse:
        return JSONResponse({"utterances": []})

    routes = [Route("/demo/conversations", newest), Route("/demo/conversations/{openid}", one)]
    async with serve_app(Starlette(routes=routes)) as url:
        yield url


def _conversation(number: int, now: datetime) -> dict[str, Any]:
    at = (now - timedelta(seconds=10 * number)).isoformat().replace("+00:00", "Z")
    last = {"number": CONVERSATIONS - number, "at": at, "by": "PERSON", "kind": "text", "text": f"Is tea {number} in?"}
    return {"openid": openid_of(number), "last": last}
