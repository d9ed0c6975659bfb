"""Read the report of a broadcast all the time, from outside, and check that its numbers close whenever it is read."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import httpx
from websockets.exceptions import WebSocketException

from tests.faults.harness.bound_channel import token
from tests.faults.harness.programs import WebProgram
from tests.support.sockets import OperationCompleteError, OperationError, open_socket

COUNTS: Final = """
fragment Counts on Broadcast {
  state waitingFor matched planned sent failed uncertain held { reason count } unsendable { reason count }
}
"""
REPORT: Final = f"query Report($id: ID!) {{ broadcast(id: $id) {{ ...Counts }} }} {COUNTS}"
PROGRESS: Final = f"subscription Progress($id: ID!) {{ jobProgress(id: $id) {{ ...Counts }} }} {COUNTS}"
# Seconds.
READ_AGAIN_AFTER: Final = 0.05
COME_BACK_AFTER: Final = 0.2
NO_TIMEOUT: Final = 600.0
TRANSIENT_ERRORS: Final = (OSError, TimeoutError, WebSocketException, OperationCompleteError)
# What a client is told of a database that is away, and while the process stops.
PASSING_CODES: Final = {"INTERNAL"}


class Watch:
    """Read a broadcast by `broadcast(id)` and by `jobProgress`; `reads` counts reports, `newest` is the last one."""

    def __init__(self, web: WebProgram, broadcast: str) -> None:
        self.reads = 0
        self.newest: Mapping[str, Any] = {}
        self._web, self._broadcast = web, broadcast

    async def poll(self) -> None:
        """Ask for the report without end."""
        head = {"Authorization": f"Bearer {token()}"}
        body = {"query": REPORT, "variables": {"id": self._broadcast}}
        before: Mapping[str, Any] = {}
        async with httpx.AsyncClient(base_url=self._web.url, headers=head, trust_env=False) as http:
            while True:
                try:
                    answer = (await http.post("/graphql", json=body)).json()
                except (httpx.TransportError, ValueError):
                    answer = {"errors": []}
                if "errors" in answer:
                    codes = {error["extensions"]["code"] for error in answer["errors"]}
                    assert codes <= PASSING_CODES, answer
                else:
                    before = self.newest = self._checked(answer["data"]["broadcast"], before)
                await asyncio.sleep(READ_AGAIN_AFTER)

    async def follow(self) -> None:
        """Follow the progress without end, coming back as often as the connection breaks or the job ends."""
        while True:
            with suppress(*TRANSIENT_ERRORS):
                await self._follow_once()
            await asyncio.sleep(COME_BACK_AFTER)

    async def _follow_once(self) -> None:
        async with open_socket(self._web.url, ping_interval=None) as socket:
            await socket.initialise({"Authorization": f"Bearer {token()}"})
            operation = await socket.subscribe(PROGRESS, id=self._broadcast)
            before: Mapping[str, Any] = {}
            while True:
                try:
                    answer = await operation.next(within=NO_TIMEOUT)
                except OperationError as error:
                    if set(error.codes) <= PASSING_CODES:
                        return
                    raise
                before = self._checked(answer["jobProgress"], before)

    def _checked(self, report: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a report that closes, and tells of no fewer messages that were sent than one read before."""
        self.reads += 1
        beside = sum(each["count"] for each in (*report["held"], *report["unsendable"]))
        counted = report["planned"] + report["sent"] + report["failed"] + report["uncertain"] + beside
        assert report["matched"] == counted, f"the report does not close: {report}"
        assert report["sent"] >= before.get("sent", 0), f"a message is no longer sent: {before}, then {report}"
        return report


@asynccontextmanager
async def watching(watches: Sequence[Watch]) -> AsyncIterator[None]:
    """Read inside the block, and raise what any of the readers found."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work()) for watch in watches for work in (watch.poll, watch.follow)]
        yield
        for task in tasks:
            task.cancel()
