"""Upload the worst files to a running service: none holds its event loop for more than 50 ms.

The rule: docs/specification.md §4.2.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest

from service.auth.tokens import sign_token
from service.entities.principal import Role
from service.foundation.settings import Settings
from tests.support.processes import JWT_SECRET, environment, web
from tests.support.stalls import assert_undisturbed
from tests.support.web import DEFAULT_TTL

BIND = """
mutation { bindChannel(input: {kind: SERVICE_ACCOUNT, name: "Tea house", verified: true, appId: "wxuploads"}) {
  channel { id }
} }
"""
FILES = {
    "people": b"openid\n" + b"".join(b"o%027d\n" % number for number in range(15_000)),
    "rejects": b"openid\n" + b"".join(b"o %0190d\n" % number for number in range(10_000)),
    "blank lines": b"openid\n" + b" \n" * 100_000,
    "a quote that is never closed": b'openid\n"' + b"\n" * 100_000,
    "quotes in every cell": b"openid\n" + (b'"a,' * 3_000 + b"\n") * 15,
    "an endless line": b"openid\n" + b"x" * 4_000_000,
}


@dataclass
class Target:
    """Send files to a channel of a running service."""

    http: httpx.AsyncClient
    channel: str = ""

    async def upload(self, content: bytes) -> None:
        query = {"channelId": self.channel, "category": "Level", "label": "Gold"}
        answer = await self.http.post("/import/return-data", params=query, content=content)
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def target(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Target]:
    """Run a web process of its own with a bound channel; its loop is not that of the test."""
    settings = Settings(jwt_secret=JWT_SECRET)
    token = sign_token(settings, robot="r1", role=Role.ADMIN, subject="somebody", ttl=DEFAULT_TTL)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        web(environment(database_url, redis_url), tmp_path / "web.log") as url,
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60) as http,
    ):
        answer = await http.post("/graphql", json={"query": BIND})
        yield Target(http, answer.json()["data"]["bindChannel"]["channel"]["id"])


async def test_no_file_holds_the_event_loop(target: Target) -> None:
    for name, content in FILES.items():
        try:
            await assert_undisturbed(str(target.http.base_url), partial(target.upload, content))
        except AssertionError as error:
            error.add_note(name)
            raise
