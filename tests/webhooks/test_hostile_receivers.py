"""Call receivers that do what they should not: each ends as a failure with a reason, in time and within bounds."""

import asyncio
import gzip
import time

import psutil
import pytest

from service.foundation.clock import system_clock
from service.foundation.settings import WebhookCalls
from service.webhooks.client import WebhookClient
from tests.support.servers import free_port
from tests.webhooks.conftest import ClientMaker
from tests.webhooks.receiver import OK, Receiver, receiver


async def call(client: WebhookClient, receiving: Receiver) -> tuple[str | None, int | None]:
    answer = await client.send(f"http://127.0.0.1:{receiving.port}/", {}, b"{}")
    assert answer.acknowledged or answer.reason
    return answer.error, answer.status


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers])
    return head.encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
async def test_no_redirect_is_followed(client_with: ClientMaker, status: str) -> None:
    async with receiver() as elsewhere, receiver() as receiving:
        receiving.answer = http(status, b"", f"Location: http://127.0.0.1:{elsewhere.port}/")

        assert await call(client_with(), receiving) == ("REDIRECT", int(status[:3]))
        assert elsewhere.requests == []


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
async def test_other_statuses_are_failures(client_with: ClientMaker, status: int) -> None:
    async with receiver() as receiving:
        receiving.answer = http(f"{status} No", b"not now", "Retry-After: 30")
        answer = await client_with().send(f"http://127.0.0.1:{receiving.port}/", {}, b"{}")

    assert (answer.error, answer.status, answer.text, answer.gone) == ("STATUS", status, "not now", status == 410)
    assert answer.retry_after is not None
    assert answer.retry_after.total_seconds() == 30


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x00\xff\x16\x03\x01" * 20,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)
async def test_garbage_is_no_acknowledgement(client_with: ClientMaker, garbage: bytes) -> None:
    async with receiver() as receiving:
        receiving.answer, receiving.hang_up_after = garbage, True
        error, _ = await call(client_with(call_within=2.0), receiving)

    assert error in {"CONNECT", "STATUS"}


async def test_a_refused_connection_is_told_as_such(client_with: ClientMaker) -> None:
    assert await call(client_with(), Receiver(port=free_port())) == ("CONNECT", None)


async def silence(writer: asyncio.StreamWriter) -> None:
    """Say nothing until the other side goes."""
    await writer.wait_closed()


async def one_byte_at_a_time(writer: asyncio.StreamWriter) -> None:
    """Answer so slowly that each byte comes in time and the whole never does."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await asyncio.sleep(0.05)


async def without_end(writer: asyncio.StreamWriter) -> None:
    """Answer for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        await writer.drain()


async def interim_without_end(writer: asyncio.StreamWriter) -> None:
    """Announce an answer again and again."""
    while not writer.is_closing():
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100)
        await writer.drain()


@pytest.mark.parametrize("answer", [silence, one_byte_at_a_time, interim_without_end])
async def test_slow_answers_are_given_up(client_with: ClientMaker, answer: object) -> None:
    client = client_with(call_within=0.5)
    async with receiver() as receiving:
        receiving.answer = answer  # type: ignore[assignment]
        began = time.monotonic()
        assert await call(client, receiving) == ("TIMEOUT", None)

    assert time.monotonic() - began < 5


async def test_a_silent_tls_handshake_is_given_up(client_with: ClientMaker) -> None:
    async with receiver() as receiving:
        client = client_with(call_within=0.5)
        answer = await client.send(f"https://127.0.0.1:{receiving.port}/", {}, b"{}")

    assert answer.error == "TIMEOUT"


async def test_an_answer_without_end_is_not_read_on(client_with: ClientMaker) -> None:
    async with receiver() as receiving:
        receiving.answer = without_end

        assert await call(client_with(), receiving) == ("ANSWER_TOO_LARGE", None)


async def test_of_a_failure_only_the_beginning_is_read(client_with: ClientMaker) -> None:
    async with receiver() as receiving:
        receiving.answer = http("500 No", b"x" * 10_000_000)

        assert await call(client_with(), receiving) == ("STATUS", 500)


async def test_compressed_answers_are_not_unpacked(client_with: ClientMaker) -> None:
    bomb = gzip.compress(b"\x00" * 50_000_000)
    async with receiver() as receiving:
        receiving.answer = http("200 OK", bomb, "Content-Encoding: gzip")
        client = client_with()
        before = psutil.Process().memory_info().rss
        assert await call(client, receiving) == (None, 200)

    assert psutil.Process().memory_info().rss - before < 20_000_000


async def test_cookies_are_not_kept(client_with: ClientMaker) -> None:
    client = client_with()
    async with receiver() as receiving:
        receiving.answer = http("200 OK", b"", "Set-Cookie: a=b")
        await call(client, receiving)
        await call(client, receiving)

    assert all("cookie" not in each.headers for each in receiving.requests)


async def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as proxy, receiver() as receiving:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        client = WebhookClient(WebhookCalls(allow_private=True), system_clock)
        receiving.answer = OK
        assert await call(client, receiving) == (None, 200)
        await client.aclose()

        assert proxy.connections == 0
