"""Find the IP addresses of a host name, without a thread that waits for a slow name server."""

from collections.abc import Sequence
from ipaddress import ip_address
from socket import SOCK_STREAM
from typing import Final

import aiodns

from service.webhooks.addresses import IPAddress

# Seconds for each try, and how often each server is asked.
TIMEOUT: Final = 3.0
TRIES: Final = 2


class NoAddressError(Exception):
    """A host name has no IP address, or no name server said so in time; the message says which, for people."""


class NameResolver:
    """Ask the name servers of this machine, or others; hosts that the machine itself knows need none."""

    def __init__(self, servers: Sequence[str] = (), *, port: int | None = None) -> None:
        self._servers = servers
        self._port = port
        self._resolver: aiodns.DNSResolver | None = None

    async def addresses(self, host: str) -> list[IPAddress]:
        """Return all IP addresses of a host name, the preferred first. Raises NoAddressError."""
        try:
            found = await self._open().getaddrinfo(host, type=SOCK_STREAM)
        except aiodns.error.DNSError as error:
            raise NoAddressError(f"The name could not be resolved: {error.args[-1]}.") from None
        addresses = [ip_address(_text(node.addr[0])) for node in found.nodes]
        if not addresses:
            raise NoAddressError("The name has no address.")
        return list(dict.fromkeys(addresses))

    async def aclose(self) -> None:
        """Stop asking; call it once, at the end."""
        if self._resolver is not None:
            await self._resolver.close()

    def _open(self) -> aiodns.DNSResolver:
        if self._resolver is None:
            self._resolver = aiodns.DNSResolver(
                self._servers or None, timeout=TIMEOUT, tries=TRIES, udp_port=self._port, tcp_port=self._port
            )
        return self._resolver


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
