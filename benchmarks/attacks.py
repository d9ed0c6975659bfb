"""Make the worst requests that we know, and send them from three connections while somebody else is measured."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import httpx

from service.entities.ids import tag_gid

CONNECTIONS: Final = 3
# Of each connection: a request that is answered at once is not sent again at once.
REQUESTS_PER_SECOND: Final = 5
READ_BYTES: Final = 65_536
PATIENCE: Final = 60.0
MANY: Final = 10_000

BIND: Final = (
    "mutation ($input: BindChannelInput!) { bindChannel(input: $input) { channel { id tags { nodes { id } } } } }"
)
AUDIENCE: Final = "query ($c: ID!, $e: TagExpressionInput!) { audience(channelId: $c, expression: $e) { count } }"
EVENTS: Final = (
    "mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { accepted rejected { index code } } }"
)
RETURN: Final = (
    "mutation ($input: SubmitReturnDataInput!) "
    "{ submitReturnData(input: $input) { receipt { added rejected { index code } } } }"
)
PEOPLE: Final = (
    "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on DefaultTag { users(first: 200) { nodes { openid } } } } }"
)


@dataclass(frozen=True, slots=True)
class Tenant:
    """Hold the channel of the robot that attacks, its default tags, and the token of its admin."""

    channel: str
    tags: tuple[str, ...]
    token: str


@dataclass(slots=True)
class Answers:
    """Count what was answered, by the first line of the answer; `none` counts connections closed without one."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, head: bytes) -> None:
        """Count an answer."""
        status = head.split(b" ", 2)[1].decode() if head.startswith(b"HTTP/1.1 ") else "none"
        self.counts[status] = self.counts.get(status, 0) + 1

    def text(self) -> str:
        """Return the counts as `401 × 12, none × 1`."""
        return ", ".join(f"{status} × {count:,}" for status, count in sorted(self.counts.items()))


async def bind_tenant(port: int, token: str) -> Tenant:
    """Bind a channel of the attacking robot, and return what its requests need."""
    details = {"kind": "SERVICE_ACCOUNT", "appId": "wxhostile000000001", "name": "Hostile", "verified": True}
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
        answer = await client.post(
            f"http://127.0.0.1:{port}/graphql", json={"query": BIND, "variables": {"input": details}}
        )
    channel = answer.raise_for_status().json()["data"]["bindChannel"]["channel"]
    return Tenant(channel["id"], tuple(tag["id"] for tag in channel["tags"]["nodes"]), token)


def requests_of_strangers(tenant: Tenant) -> Iterator[bytes]:
    """Yield, for ever, requests without a valid token, and to addresses whose secret is not known."""
    forged = tenant.token.rpartition(".")[0] + ".forged"
    bodies = [_many_operands(tenant), _line_ends(2_000_000), _graphql(f"{{ {'a ' * 1_000_000} }}")]
    requests = [_post("/graphql", body, token) for body in bodies for token in (None, forged)]
    requests += [
        _post("/graphql/stream", _many_operands(tenant), None),
        _post("/openapi/label/batchset/unknown", b'{"encrypt":"' + b"A" * 3_000_000 + b'"}', None),
        _post("/wechat/unknown", b"<xml>" + b"<a>" * 200_000, None),
        _post("/nowhere", b"[" * 1_000_000, None),
    ]
    return itertools.cycle(requests)


def oversized_requests(tenant: Tenant) -> Iterator[bytes]:
    """Yield, for ever, requests with a valid token that no limit lets through, or that should cost next to nothing."""
    search = "query ($s: String!, $c: ID!) { channel(id: $c) { tags(search: $s) { totalCount } } }"
    returned = {"channelId": tenant.channel, "category": "a", "label": "b", "openids": ["?"] * 200_000}
    fixed = [
        _many_operands(tenant),
        _line_ends(2_000_000),
        _line_ends(65_000),
        _graphql(search, s="a" + "\u0301" * 40_000, c=tenant.channel),
        _graphql(PEOPLE, ids=[*tenant.tags, *(tag_gid(1, number) for number in range(90))]),
        _graphql(RETURN, input=returned),
        _graphql("{ " + "[" * 30_000 + " }"),
        b"[" + b"[]," * 1_000_000 + b"[]]",
    ]
    for number in itertools.count():
        # Texts that were never seen before: nothing that is remembered helps.
        fresh = [_conflicting_fields(number), _unknown_fields(number), _many_fragments(number)]
        for body in [*fixed, *fresh]:
            yield _post("/graphql", body, tenant.token)


def largest_requests(tenant: Tenant) -> Iterator[bytes]:
    """Yield, for ever, requests as large as may be: 10,000 events, and 10,000 openids of which none is one."""
    now = datetime.now(UTC).isoformat()
    events = [{"openid": f"o{number}", "type": "MESSAGE", "at": now} for number in range(MANY)]
    returned = {"channelId": tenant.channel, "category": "a", "label": "b", "openids": ["?"] * MANY}
    bodies = [
        _graphql(EVENTS, input={"channelId": tenant.channel, "events": events}),
        _graphql(RETURN, input=returned),
    ]
    return itertools.cycle([_post("/graphql", body, tenant.token) for body in bodies])


@asynccontextmanager
async def sending(port: int, requests: Iterator[bytes]) -> AsyncIterator[Answers]:
    """Send the requests from three connections until the block ends; yields the answers so far."""
    answers = Answers()
    tasks = [asyncio.create_task(_attack(port, requests, answers)) for _ in range(CONNECTIONS)]
    try:
        yield answers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _attack(port: int, requests: Iterator[bytes], answers: Answers) -> None:
    """Send one request after another, each on a connection of its own, not more often than the pace allows."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + 1 / REQUESTS_PER_SECOND
        answers.add(await _send(port, next(requests)))
        await asyncio.sleep(max(0.0, due - loop.time()))


async def _send(port: int, request: bytes) -> bytes:
    """Return the beginning of the answer, after all of it was read; b"" if there was none."""
    head = b""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            writer.write(request)
            while part := await reader.read(READ_BYTES):
                head = head or part
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return head


def _post(path: str, body: bytes, token: str | None) -> bytes:
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"{authorization}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _graphql(query: str, **variables: object) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


def _many_operands(tenant: Tenant) -> bytes:
    return _graphql(AUDIENCE, c=tenant.channel, e={"all": [{"tag": "x"}] * 200_000})


def _line_ends(count: int) -> bytes:
    return _graphql("\n" * count + "?")


def _conflicting_fields(number: int) -> bytes:
    """Return a text in which every field has another alias of the same name to be compared with."""
    fields = " ".join("... on Channel { name: id }" if each % 2 else "... on Channel { name }" for each in range(380))
    return _graphql(f'query Q{number} {{ node(id: "x") {{ {fields} }} }}')


def _unknown_fields(number: int) -> bytes:
    return _graphql(f"query Q{number} {{ {' '.join(f'nonsense{each}' for each in range(390))} }}")


def _many_fragments(number: int) -> bytes:
    spreads = " ".join(f"...F{each}" for each in range(300))
    fragments = " ".join(f"fragment F{each} on Query {{ viewer {{ role }} }}" for each in range(300))
    return _graphql(f"query Q{number} {{ {spreads} }} {fragments}")
