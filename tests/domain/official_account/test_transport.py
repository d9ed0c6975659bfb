"""Know of each call whether anything of it may have gone out, and send nothing too late, twice, or elsewhere."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from service.foundation.settings import Settings, WechatCalls
from service.wechat.api.errors import TooLateError, UnansweredError
from service.wechat.api.message_calls import Sent, send_customer_service_text
from service.wechat.api.tag_calls import list_tags
from service.wechat.api.transport import MAX_CONNECTIONS, WechatTransport
from tests.support.servers import free_port
from tests.support.waiting import wait_until

MESSAGE = send_customer_service_text("oAda", "hi")
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"errcode":0}'
MOVED = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Take requests on a socket, and answer each when it is let, or hang up on it."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[bytes] = []
        self.connections = 0
        self.answer = OK
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read requests until the other side goes, or the answer is to hang up."""
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
                body = await reader.readexactly(int(lines.get(b"Content-Length", b"0")))
                self.requests.append(head + body)
                await self.may_answer.wait()
                if not self.answer:
                    break
                writer.write(self.answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Listen on the machine itself."""
    served = Server()
    listening = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        yield served


@asynccontextmanager
async def transport_to(url: str, call_within: float = 5.0) -> AsyncIterator[WechatTransport]:
    calls = WechatCalls(call_within=timedelta(seconds=call_within))
    transport = WechatTransport(Settings(wechat_api_url=url, wechat=calls))
    yield transport
    await transport.aclose()


async def unanswered(transport: WechatTransport, call_before: float | None = None) -> UnansweredError:
    """Send a message, and return what it ends with instead of an answer."""
    with pytest.raises(UnansweredError) as raised:
        await transport.send(MESSAGE, "token", call_before=call_before)
    return raised.value


async def test_connections_are_used_again(server: Server) -> None:
    async with transport_to(server.url) as transport:
        for _ in range(3):
            assert await transport.send(MESSAGE, "token") == Sent(None)

    assert (len(server.requests), server.connections) == (3, 1)


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}", "http://nowhere.invalid:{}", "https://127.0.0.1:{}"])
async def test_without_a_connection_nothing_is_sent(url: str) -> None:
    async with transport_to(url.format(free_port())) as transport:
        assert not (await unanswered(transport)).sent


async def test_a_server_that_is_not_trusted_is_sent_nothing(server: Server) -> None:
    async with transport_to(server.url.replace("http:", "https:"), call_within=1.0) as transport:
        assert not (await unanswered(transport)).sent

    assert server.requests == []


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{", b"HTTP/1.1 500 No\r\n\r\n"])
async def test_without_a_whole_answer_it_may_have_been_sent(server: Server, answer: bytes) -> None:
    server.answer = answer
    async with transport_to(server.url, call_within=0.5) as transport:
        assert (await unanswered(transport)).sent

    assert len(server.requests) == 1


async def test_a_connection_that_was_hung_up_meanwhile_is_not_proof_of_anything(server: Server) -> None:
    async with transport_to(server.url) as transport:
        await transport.send(MESSAGE, "token")
        server.answer = b""

        assert (await unanswered(transport)).sent


async def test_what_the_library_would_repeat_goes_out_once(server: Server) -> None:
    server.answer = b""
    async with transport_to(server.url) as transport:
        with pytest.raises(UnansweredError):
            await transport.send(list_tags(), "token")

    assert len(server.requests) == 1


async def test_nobody_is_sent_on_to_another_address(server: Server) -> None:
    server.answer = MOVED
    async with transport_to(server.url) as transport:
        assert (await unanswered(transport)).reason == "HTTP 302"

    assert len(server.requests) == 1


async def test_no_proxy_of_the_environment_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    async with transport_to(server.url) as transport:
        assert await transport.send(MESSAGE, "token") == Sent(None)


async def test_no_call_is_made_after_its_deadline(server: Server) -> None:
    async with transport_to(server.url) as transport:
        assert await transport.send(MESSAGE, "token", call_before=time.monotonic() + 60) == Sent(None)
        late = await unanswered(transport, call_before=time.monotonic())

    assert isinstance(late, TooLateError)
    assert not late.sent
    assert len(server.requests) == 1


async def test_the_deadline_counts_when_there_is_a_connection_at_last(server: Server) -> None:
    server.may_answer.clear()
    async with transport_to(server.url) as transport:
        busy = [asyncio.create_task(transport.send(MESSAGE, "token")) for _ in range(MAX_CONNECTIONS)]
        await wait_until(lambda: len(server.requests) == MAX_CONNECTIONS)
        deadline = time.monotonic() + 0.05
        waiting = asyncio.create_task(unanswered(transport, call_before=deadline))
        await wait_until(lambda: time.monotonic() > deadline)
        server.may_answer.set()

        assert isinstance(await waiting, TooLateError)
        await asyncio.gather(*busy)

        # The connection that it did not use is good for the next.
        assert await transport.send(MESSAGE, "token") == Sent(None)
    assert len(server.requests) == MAX_CONNECTIONS + 1
