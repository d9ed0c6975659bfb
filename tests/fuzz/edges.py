"""`python -m tests.fuzz.edges`: send wrong variables, odd files and damaged pushes to the service of a fuzzing run.

--max-time N, --seed N. Every answer must be a proper one; an undamaged file or push must have its effect.
"""

import argparse
import asyncio
import collections
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson
from graphql import build_schema
from websockets.asyncio.client import connect

from service.wechat.crypto import Envelope
from tests.fuzz.answers import LEAK, error_list_errors
from tests.fuzz.files import csv_file, odd_file
from tests.fuzz.junk import damaged, damaged_bytes
from tests.fuzz.operations import Operation, operations_of, right_variables
from tests.fuzz.pushes import AES_KEY, CALLBACK_TOKEN, encrypted_push
from tests.fuzz.world import OPENIDS, SCHEMA_FILE, URL, FuzzedRobot

SCHEMA: Final = build_schema(Path(os.environ[SCHEMA_FILE]).read_text(encoding="utf-8"))
OPERATIONS: Final = operations_of(SCHEMA)
PROTOCOL: Final = "graphql-transport-ws"
CONDITIONS: Final[tuple[Any, ...]] = (True, False, None, "true", 1, [], [True], {})
REPEATED: Final = 40
PUSHES_AND_CALLS: Final = (
    "mutation ($id: ID!, $token: String!, $key: String!) "
    "{ updateChannel(input: {id: $id, callbackToken: $token, encodingAesKey: $key}) "
    "{ channel { pushUrl adReturnAddress appId } } }"
)
ENDPOINT: Final = "{ returnEndpoint { address appId key } }"
KNOWN: Final = "query ($c: ID!, $o: String!) { user(channelId: $c, openid: $o) { openid following } }"


class Edges:
    """Send one kind of request after another, and collect the faults of their answers."""

    def __init__(self, random: Random, http: httpx.AsyncClient) -> None:
        self._random = random
        self._http = http
        self._robot = FuzzedRobot()
        self.faults: list[str] = []
        self.sent: collections.Counter[str] = collections.Counter()
        self._known = self._robot.channels[0]
        self._channel = self._known["channels"][0]
        self._pushes = self._robot.ask(PUSHES_AND_CALLS, id=self._channel, token=CALLBACK_TOKEN, key=AES_KEY)[
            "updateChannel"
        ]["channel"]
        self._endpoint = self._robot.ask(ENDPOINT)["returnEndpoint"]

    async def run(self, until: float) -> None:
        """Send requests until then."""
        kinds: list[Callable[[], Awaitable[None]]] = [
            *[self._variables] * 6,
            self._raw_body,
            self._csv,
            self._odd_csv,
            self._push,
            self._damaged_push,
            self._batchset,
        ]
        while time.monotonic() < until and len(self.faults) < REPEATED:
            kind = self._random.choice(kinds)
            self.sent[kind.__name__.strip("_")] += 1
            if self.sent.total() % 500 == 0:
                self._robot.restore()
            try:
                await kind()
            except httpx.TransportError as error:
                self._fault(kind.__name__, "", f"no answer: {error!r}")

    async def _variables(self) -> None:
        operation = self._random.choice(OPERATIONS)
        variables: Any = right_variables(operation, self._known, self._random)
        if self._random.random() < 0.7:
            variables = damaged(variables, self._random)
        if isinstance(variables, dict) and self._random.random() < 0.9:
            variables = variables | {"b": self._random.choice(CONDITIONS)}
        if operation.kind == "subscription" or self._random.random() < 0.2:
            await self._send_over_socket(operation, variables)
        elif operation.kind == "query" and self._random.random() < 0.3:
            await self._send_by_get(operation, variables)
        else:
            body = _json({"query": operation.text, "variables": variables})
            self._check_answer(operation.text, variables, await self._post("/graphql", body))

    async def _send_by_get(self, operation: Operation, variables: Any) -> None:
        text = _json(variables).decode()
        if len(text) < 10_000:
            parameters = {"query": operation.text, "variables": text}
            answer = await self._http.get("/graphql", params=parameters, headers=self._headers())
            self._check_answer(operation.text, variables, answer)

    async def _send_over_socket(self, operation: Operation, variables: Any) -> None:
        """Send over a connection of its own, since a malformed message closes it."""
        url = os.environ[URL].replace("http", "ws", 1) + "/graphql"
        async with connect(url, subprotocols=[PROTOCOL], max_size=None, compression=None) as socket:  # type: ignore[list-item]
            token = self._robot.token("admin")
            await socket.send(json.dumps({"type": "connection_init", "payload": {"token": token}}))
            payload = {"query": operation.text, "variables": variables}
            try:
                await socket.send(_json({"type": "subscribe", "id": "1", "payload": payload}).decode())
                async with asyncio.timeout(5):
                    await socket.recv()
                    while (message := json.loads(await socket.recv()))["type"] in {"ping", "pong"}:
                        pass
            except TimeoutError:
                return  # a feed may have nothing to say
            except OSError as error:
                self._fault(operation.text, variables, f"the connection broke: {error}")
                return
            except Exception as error:  # noqa: BLE001 - closed with a code, which says why
                code = getattr(getattr(error, "rcvd", None), "code", None)
                if code not in {1009, 4400}:
                    self._fault(operation.text, variables, f"closed with {code}: {error}")
                return
        payload = message.get("payload")
        answer = payload if message["type"] == "next" else {"errors": payload or []}
        for fault in error_list_errors(SCHEMA, answer | ({"data": {}} if message["type"] == "complete" else {})):
            self._fault(operation.text, variables, fault)

    async def _raw_body(self) -> None:
        operation = self._random.choice(OPERATIONS)
        given: dict[str, Any] = {"query": operation.text, "variables": {}, "operationName": None, "extensions": {}}
        body = _json(damaged(given, self._random))
        if self._random.random() < 0.5:
            body = damaged_bytes(body, self._random)
        self._check_answer(operation.text, body[:300], await self._post("/graphql", body))

    async def _csv(self) -> None:
        made = csv_file(self._random)
        label = f"File {self._random.randrange(2**32)}"
        answer = await self._upload(made.content, made.parameters, label)
        summary = answer.json() if answer.status_code == 200 else {}
        if summary.get("added") != len(made.openids):
            self._fault("csv", made.content[:400], f"{answer.status_code} {answer.text[:300]}")

    async def _odd_csv(self) -> None:
        content = odd_file(self._random)
        if self._random.random() < 0.5:
            content = damaged_bytes(csv_file(self._random).content, self._random)
        answer = await self._upload(content, {}, "Odd")
        self._check_json("csv", content[:400], answer)

    async def _upload(self, content: bytes, parameters: dict[str, str], label: str) -> httpx.Response:
        given = {"channelId": self._channel, "category": "Files", "label": label[:64], **parameters}
        headers = self._headers() | {"Content-Type": "text/csv"}
        return await self._http.post("/import/return-data", params=given, content=content, headers=headers)

    async def _push(self) -> None:
        """Send a genuine push with odd fields that nobody reads: it must be taken, and the person be known."""
        openid = f"pushed-{self._random.randrange(2**40)}"
        query, body = encrypted_push(self._pushes["appId"], openid, self._random)
        answer = await self._http.post(self._path("pushUrl"), params=query, content=body)
        if answer.status_code != 200 or answer.text not in {"", "success"}:
            self._fault("push", body[:400], f"{answer.status_code} {answer.text[:200]}")
            return
        found = await self._post("/graphql", _json({"query": KNOWN, "variables": {"c": self._channel, "o": openid}}))
        if not (found.json().get("data") or {}).get("user"):
            self._fault("push", body[:400], f"the person is not known: {found.text[:200]}")

    async def _damaged_push(self) -> None:
        query, body = encrypted_push(self._pushes["appId"], self._random.choice(OPENIDS), self._random)
        broken = damaged_bytes(body, self._random)
        answer = await self._http.post(self._path("pushUrl"), params=query, content=broken)
        if answer.status_code >= 500 or LEAK.search(answer.text):
            self._fault("damaged push", broken[:400], f"{answer.status_code} {answer.text[:200]}")

    async def _batchset(self) -> None:
        envelope = Envelope(self._endpoint["key"], self._endpoint["appId"])
        openids = "".join(f"<openid>{each}</openid>" for each in self._random.sample(OPENIDS, 3))
        xml = (
            f"<xml><appid>{self._pushes['appId']}</appid><category>Level</category><label>Called</label>"
            f"<desc>fuzzed</desc><list>{openids}</list></xml>"
        ).encode()
        whole = self._random.random() < 0.5
        inner = xml if whole else damaged_bytes(xml, self._random)
        body = orjson.dumps({"encrypt": envelope.encrypt(inner)})
        if not whole and self._random.random() < 0.3:
            body = damaged_bytes(body, self._random)
        headers = {"Content-Type": "application/json"}
        answer = await self._http.post(urlsplit(self._endpoint["address"]).path, content=body, headers=headers)
        self._check_json("batchset", inner[:400], answer)
        if whole and answer.json().get("errcode") != 0:
            self._fault("batchset", inner[:400], answer.text[:300])

    def _path(self, name: str) -> str:
        return str(urlsplit(self._pushes[name]).path)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._robot.token('admin')}"}

    async def _post(self, path: str, body: bytes) -> httpx.Response:
        return await self._http.post(path, content=body, headers=self._headers() | {"Content-Type": "application/json"})

    def _check_answer(self, text: str, given: Any, answer: httpx.Response) -> None:
        for fault in _answer_faults(answer):
            self._fault(text, given, fault)

    def _check_json(self, what: str, given: Any, answer: httpx.Response) -> None:
        try:
            answer.json()
        except ValueError:
            self._fault(what, given, f"no JSON: {answer.status_code} {answer.text[:200]}")
        if answer.status_code >= 500 or LEAK.search(answer.text):
            self._fault(what, given, f"{answer.status_code} {answer.text[:300]}")

    def _fault(self, what: str, given: Any, fault: str) -> None:
        self.faults.append(f"{fault}\n    {what[:300]}\n    {given!r:.400}")


def _answer_faults(answer: httpx.Response) -> Iterator[str]:
    if answer.status_code >= 500:
        yield f"status {answer.status_code}"
    if "x-request-id" not in answer.headers:
        yield "no X-Request-Id"
    try:
        body = answer.json()
    except ValueError:
        yield f"no JSON: {answer.text[:200]!r}"
        return
    yield from error_list_errors(SCHEMA, body)


def _json(value: Any) -> bytes:
    """Return JSON, with half emojis as escapes, as careless clients write it."""
    return json.dumps(value).encode()


async def fuzz_edges(seconds: float, seed: int) -> int:
    """Send requests for some seconds; print and count what is wrong."""
    async with httpx.AsyncClient(base_url=os.environ[URL], timeout=30, trust_env=False) as http:
        edges = Edges(Random(seed), http)
        await edges.run(time.monotonic() + seconds)
    print(f"edges (seed {seed}): {dict(edges.sent)}")
    print("\n".join(edges.faults) or "every answer is as promised")
    return int(bool(edges.faults))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz.edges")
    arguments.add_argument("--max-time", type=float, default=60)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    sys.exit(asyncio.run(fuzz_edges(given.max_time, given.seed)))
