"""Call webhooks: at a public address that was just checked, over HTTPS, bounded in time and size.

Source: docs/specification.md §6.8.
"""

import asyncio
import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import SimpleNamespace
from typing import Final

import aiohttp
import certifi

from service import __version__
from service.entities.webhooks import WebhookError
from service.foundation.clock import Clock
from service.foundation.settings import WebhookCalls
from service.webhooks.addresses import AddressRefusedError, IPAddress, WebhookAddress, read_address, require_public
from service.webhooks.answers import KEPT_BYTES, SUCCESSES, Answer, read_answer
from service.webhooks.names import NameResolver, NoAddressError

# Of a name with more addresses only the first are tried.
MAX_ADDRESSES: Final = 4
# Seconds that a connection is kept for the next call.
KEPT_OPEN: Final = 15.0
HEADERS: Final = {
    "Content-Type": "application/json",
    # Uncompressed, since a few bytes can become many.
    "Accept-Encoding": "identity",
    "User-Agent": f"user-tags/{__version__}",
}

log = logging.getLogger(__name__)


class WebhookClient:
    """Call webhooks over connections of one process, which are opened by the first calls.

    Each call resolves the name anew and goes to one of the addresses that were checked, with the name in SNI and
    certificate; it follows no redirect and takes no proxy from the environment.
    """

    def __init__(
        self,
        limits: WebhookCalls,
        clock: Clock,
        *,
        resolver: NameResolver | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._resolver = resolver or NameResolver()
        self._trusted = trusted
        self._session: aiohttp.ClientSession | None = None

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return what became of a call to a URL; whatever goes wrong is in the answer."""
        try:
            with _told_as_failures():
                async with asyncio.timeout(self._limits.call_within.total_seconds()):
                    address = read_address(url, allow_private=self._limits.allow_private)
                    return await self._call_any(address, await self.resolve(address), headers, body)
        except CallError as error:
            return Answer(None, error.error, str(error))
        except Exception:
            # What the other side sends must end as a failure that is shown and retried more and more rarely.
            log.exception("calling a webhook failed in an unexpected way")
            return Answer(None, WebhookError.CONNECT, "What it answered could not be read.")

    async def resolve(self, address: WebhookAddress) -> list[IPAddress]:
        """Return all IP addresses of an address.

        Raises AddressRefusedError unless all are public, or private ones allowed; NoAddressError where there is none.
        """
        found = [address.ip] if address.ip is not None else await self._resolver.addresses(address.host)
        if not self._limits.allow_private:
            require_public(found, None if address.ip is not None else address.host)
        return found

    async def aclose(self) -> None:
        """Close the connections; call it once, at the end."""
        if self._session is not None:
            await self._session.close()
        await self._resolver.aclose()

    async def _call_any(
        self, address: WebhookAddress, ips: list[IPAddress], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Call the first of the IP addresses that takes a connection."""
        *others, last = ips[:MAX_ADDRESSES]
        for ip in others:
            try:
                return await self._call(address, ip, headers, body)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                continue
        return await self._call(address, last, headers, body)

    async def _call(self, address: WebhookAddress, ip: IPAddress, headers: Mapping[str, str], body: bytes) -> Answer:
        attempt = _Attempt()
        try:
            return await self._exchange(address, ip, headers, body, attempt)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if not attempt.reused:
                raise
        # A connection that was kept open may have been closed by the other side meanwhile, which tells nothing.
        return await self._exchange(address, ip, headers, body, _Attempt())

    async def _exchange(
        self, address: WebhookAddress, ip: IPAddress, headers: Mapping[str, str], body: bytes, attempt: "_Attempt"
    ) -> Answer:
        # The host of this URL is an IP address, so that nothing is resolved again and no other connection is used.
        async with self._open().post(
            address.url.with_host(str(ip)).with_port(address.port),
            data=body,
            headers={**headers, "Host": address.host_header},
            server_hostname=address.host if address.encrypted else None,
            allow_redirects=False,
            trace_request_ctx=attempt,
        ) as answer:
            content = await self._read(answer)
            return read_answer(answer.status, content, answer.headers.get("Retry-After"), self._clock())

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        """Return the beginning of a body, of which nothing more is read where the status says all."""
        limit = self._limits.answer_bytes if answer.status in SUCCESSES else KEPT_BYTES
        received = bytearray()
        async for part in answer.content.iter_any():
            received += part
            if len(received) > limit:
                answer.close()
                if answer.status in SUCCESSES:
                    raise CallError(WebhookError.ANSWER_TOO_LARGE, f"Its answer has more than {limit} bytes.")
                break
        return bytes(received)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_connection_reuseconn.append(_note_reuse)
            connector = aiohttp.TCPConnector(
                limit=0,  # whoever calls bounds the calls
                ssl=self._trusted or _trusted(),
                keepalive_timeout=KEPT_OPEN,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers=HEADERS,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._limits.connect_within.total_seconds()),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trace_configs=[trace],
            )
        return self._session


class CallError(Exception):
    """A call came to no end; the message is for people."""

    def __init__(self, error: WebhookError, reason: str) -> None:
        super().__init__(reason)
        self.error = error


@dataclass(slots=True)
class _Attempt:
    """Know whether a request went over a connection that an earlier one had opened."""

    reused: bool = False


async def _note_reuse(_session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: object) -> None:
    context.trace_request_ctx.reused = True


@contextmanager
def _told_as_failures() -> Iterator[None]:
    """Turn whatever goes wrong with a call into a CallError: nothing in it repeats what was sent or the keys."""
    try:
        yield
    except AddressRefusedError as error:
        raise CallError(WebhookError.ADDRESS_REFUSED, str(error)) from None
    except NoAddressError as error:
        raise CallError(WebhookError.DNS, str(error)) from None
    except TimeoutError:
        raise CallError(WebhookError.TIMEOUT, "It did not answer in time.") from None
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise CallError(WebhookError.TLS, _reason_of(error)) from None
    except aiohttp.ClientConnectorError:
        raise CallError(WebhookError.CONNECT, "It took no connection.") from None
    except aiohttp.ClientResponseError as error:
        what = HTTPStatus(error.status).phrase if error.status else "nothing"
        raise CallError(WebhookError.CONNECT, f"What it answered is no HTTP: {what}.") from None
    except (aiohttp.ClientError, OSError, ValueError):
        raise CallError(WebhookError.CONNECT, "It ended the connection without a whole answer.") from None


def _reason_of(error: Exception) -> str:
    """Return why a certificate or a handshake was refused, as OpenSSL says it."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    why = getattr(cause, "verify_message", None) or type(cause).__name__
    return f"Its certificate, or how it encrypts, was refused: {why}."


def _trusted() -> ssl.SSLContext:
    """Trust the authorities of this machine, and those that come with the service where it has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
