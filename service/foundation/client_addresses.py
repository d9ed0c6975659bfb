"""Tell the address of a client, as far as the server and trusted proxies know it."""

import ipaddress
from collections.abc import Mapping
from typing import Any


def peer_of(scope: Mapping[str, Any]) -> str | None:
    """Return what the server says of where a request comes from (ASGI); None on a socket that has no address.

    A trusted proxy may have said it, so that it is any text where that proxy is not careful.
    """
    client = scope.get("client")
    return client[0] if client else None


def ip_address_or_none(text: str | None) -> str | None:
    """Return an IP address in its shortest form, an IPv4 address as such; None for any other text.

    A zone, as in `fe80::1%eth0`, is left out: it can be any text, however long, and says nothing on another machine.
    """
    try:
        address = ipaddress.ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
