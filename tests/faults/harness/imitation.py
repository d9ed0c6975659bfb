"""Start the imitated server API of WeChat beside an installation, and read and change its books over HTTP."""

import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx

from service.dev.stack.account import die_with_parent
from service.dev.stack.servers import tail_log
from tests.faults.harness.bound_channel import APP_ID, APP_SECRET
from tests.faults.harness.servers import TIMEOUT
from tests.support.servers import free_port
from tests.support.waiting import wait_until

# Seconds: the server closes connections that are idle for 5.
CLOSE_BEFORE_SERVER: Final = 2.0


@dataclass(frozen=True, slots=True)
class Imitation:
    """Hold one account of a running imitation; `url` is for the service, `http` for the test."""

    url: str
    http: httpx.AsyncClient
    app_id: str = APP_ID

    def of(self, app_id: str) -> "Imitation":
        """Return another account of the same imitation."""
        return replace(self, app_id=app_id)

    async def order(self, path: str, /, **body: Any) -> None:
        """Change something by one of the control calls of the imitation."""
        answer = (await self.http.post(path, json=body)).json()
        assert answer["errcode"] == 0, answer

    async def order_of_account(self, what: str, /, **body: Any) -> None:
        await self.order(f"/demo/accounts/{self.app_id}/{what}", **body)

    async def kill_tokens(self) -> None:
        """Refuse all tokens from now on, as WeChat does now and then."""
        await self.http.delete(f"/demo/accounts/{self.app_id}/tokens")

    async def books(self) -> dict[str, Any]:
        """Return what is in the books of the account."""
        found: list[dict[str, Any]] = (await self.http.get("/demo/books")).json()["accounts"]
        return next(account for account in found if account["appId"] == self.app_id)

    async def calls(self) -> dict[str, Counter[str]]:
        """Return how many calls had which outcome, by path; those that no account could be told of are left out."""
        groups = (await self.books())["calls"]
        return {path: Counter(group["outcomes"]) for path, group in groups.items() if path.startswith("/")}

    async def remote_tags(self) -> dict[str, int]:
        """Return the ids of the account's own tags by their names, of which each is there once."""
        tags = (await self.books())["tags"]
        found = {tag["name"]: tag["id"] for tag in tags}
        assert len(found) == len(tags), tags
        return found

    async def tag_as_others_do(self, what: str, remote_tag_id: int, openids: list[str]) -> None:
        """Tag or untag at most 50 people as another client of the account, which has its own kind of token."""
        asked = {"grant_type": "client_credential", "appid": self.app_id, "secret": APP_SECRET}
        token = (await self.http.get("/cgi-bin/token", params=asked)).json()["access_token"]
        path = f"/cgi-bin/tags/members/{what}"
        body = {"tagid": remote_tag_id, "openid_list": openids}
        answer = (await self.http.post(path, params={"access_token": token}, json=body)).json()
        assert answer["errcode"] == 0, answer

    async def members(self, remote_tag_id: int) -> frozenset[str]:
        """Return the openids of everybody who has a tag."""
        return frozenset((await self.http.get(f"/demo/books/{self.app_id}/tags/{remote_tag_id}")).json()["openids"])

    async def receipts(self, text: str) -> Counter[str]:
        """Return how often each got a message with this text in it, by openid."""
        answer = await self.http.get(f"/demo/books/{self.app_id}/messages", params={"containing": text})
        return Counter(answer.json()["receipts"])


@asynccontextmanager
async def open_imitation(directory: Path, **limits: int) -> AsyncIterator[Imitation]:
    """Run the imitation inside the block, by the clock of the installation in that directory."""
    port, log = free_port(), directory / "imitation.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.faults.harness.imitation_program", str(port), str(directory / "offset"), json.dumps(limits)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=lambda: die_with_parent(signal.SIGKILL),
        )
    url = f"http://127.0.0.1:{port}"
    try:
        limits_of_connections = httpx.Limits(keepalive_expiry=CLOSE_BEFORE_SERVER)
        async with httpx.AsyncClient(
            base_url=url, trust_env=False, timeout=TIMEOUT, limits=limits_of_connections
        ) as http:

            async def ready() -> bool:
                assert process.returncode is None, tail_log(log)
                try:
                    return (await http.get("/demo/books")).status_code == httpx.codes.OK
                except httpx.TransportError:
                    return False

            await wait_until(ready, within=TIMEOUT)
            yield Imitation(url, http)
    finally:
        process.kill()
        await process.wait()
