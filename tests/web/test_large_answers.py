"""Ask a running service for the largest answers that it gives: making and sending them holds its loop for no 50 ms."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from service.auth.tokens import sign_token
from service.entities.principal import Role
from service.foundation.settings import Settings
from tests.support.processes import JWT_SECRET, environment, web
from tests.support.robot import BIND, RECORD
from tests.support.stalls import assert_undisturbed
from tests.support.web import DEFAULT_TTL

TAGS: Final = 50
MEMBERS: Final = 220
SUBMIT: Final = "mutation ($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { added } } }"
# The largest that are answered, by what most of their time goes into.
QUERIES: Final = {
    "objects": "openid followedAt channel { id }",
    "lists": "tags { tag { id name } }",
    "attributes": "a: openid b: openid c: openid followedAt",
    "errors": "tagHistory(first: 0) { nodes { cause } }",
}


@dataclass(frozen=True)
class Target:
    """Hold a running service with a channel in which everybody has many tags."""

    url: str
    channel: str = ""

    @property
    def token(self) -> str:
        settings = Settings(jwt_secret=JWT_SECRET)
        return sign_token(settings, robot="r1", role=Role.ADMIN, subject="somebody", ttl=DEFAULT_TTL)

    def query(self, fields: str, pages: int) -> dict[str, Any]:
        text = "query ($c: ID!) { channel(id: $c) { tags(first: %d) { nodes { users(first: %d) { nodes { %s } } } } } }"
        return {"query": text % (TAGS, pages, fields), "variables": {"c": self.channel}}

    async def post(self, body: object, encoding: str = "identity") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": encoding}
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=60) as http:
            return await http.post("/graphql", json=body, headers=headers)

    async def run(self, query: str, **variables: Any) -> Any:
        return (await self.post({"query": query, "variables": variables})).json()["data"]

    async def largest(self, fields: str) -> dict[str, Any]:
        """Return the query for these fields of so many members that one more would be refused beforehand."""
        allowed, refused = 1, 201
        while refused - allowed > 1:
            tried = (allowed + refused) // 2
            answer = (await self.post(self.query(fields, tried))).json()
            if "LIMIT_EXCEEDED" in json.dumps(answer.get("errors", []))[:2_000]:
                refused = tried
            else:
                allowed = tried
        return self.query(fields, allowed)


async def seed(target: Target) -> Target:
    """Bind a channel in which each of many people has each of many tags."""
    given = {"kind": "SERVICE_ACCOUNT", "name": "Tea house", "verified": True, "appId": "wxlarge"}
    channel = (await target.run(BIND, input=given))["bindChannel"]["channel"]["id"]
    openids = [f"o{number:027}" for number in range(MEMBERS)]
    events = [{"openid": each, "kind": "FOLLOW", "at": "2026-03-01T12:00:00Z"} for each in openids]
    await target.run(RECORD, input={"channelId": channel, "events": events})
    for number in range(TAGS):
        returned = {"channelId": channel, "category": "Level", "label": f"L{number}", "openids": openids}
        receipt = (await target.run(SUBMIT, input=returned))["submitReturnData"]["receipt"]
        assert receipt["added"] == MEMBERS
    return Target(target.url, channel)


@pytest.fixture
async def target(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Target]:
    limits = {"OPERATIONS_PER_SECOND": "100000", "CPU_BURST": "1m"}
    async with web(environment(database_url, redis_url, **limits), tmp_path / "web.log") as url:
        yield await seed(Target(url))


async def test_making_a_large_answer_holds_nobody_up(target: Target) -> None:
    wrong = {}
    for name, fields in QUERIES.items():
        body = await target.largest(fields)
        for encoding in ("identity", "gzip"):
            try:
                await assert_undisturbed(target.url, partial(target.post, body, encoding))
            except AssertionError as error:
                wrong[name, encoding] = str(error)
    assert wrong == {}
