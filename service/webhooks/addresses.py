"""Take the address of a webhook apart, and tell which ones are refused: others than public ones are not called.

Source: docs/specification.md §6.8. The ranges are those of the registries of special-purpose addresses of IANA, by RFC
6890; the standard library's own answer differs between the versions of Python.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

from yarl import URL

IPAddress: TypeAlias = IPv4Address | IPv6Address

MAX_LENGTH: Final = 2_048
PORTS: Final = frozenset({443, 8443})
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
MAX_HOST_LENGTH: Final = 253
# Underscores are not in names of hosts, but people have them.
LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
AFTER_AUTHORITY: Final = re.compile(r"[/?#]")
UNWRITABLE: Final = re.compile(r"[\x00-\x20\x7f\\]")

NOT_PUBLIC_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by the customers of a provider
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local, where clouds tell their machines secrets
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocols
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/3",  # multicast, reserved, broadcast
        ),
    )
)
# All else is IPv4 in other clothes (::ffff:0:0/96, NAT64's 64:ff9b::/96 and 64:ff9b:1::/48), local or unassigned.
GLOBAL_V6: Final = IPv6Network("2000::/3")
NOT_PUBLIC_V6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocols: Teredo, ORCHID, benchmarks
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)


class AddressRefusedError(Exception):
    """An address is not called; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """Hold the address of a webhook, taken apart.

    `host` is a name in ASCII and lower case without a full stop at its end, or an IP address, which is then `ip`, too.
    """

    url: URL
    host: str
    port: int
    ip: IPAddress | None

    @property
    def encrypted(self) -> bool:
        """Return whether it is called by https."""
        return self.url.scheme == "https"

    @property
    def host_header(self) -> str:
        """Return the host as a request names it, with a port that is not the usual one."""
        host = f"[{self.host}]" if isinstance(self.ip, IPv6Address) else self.host
        return host if self.port == DEFAULT_PORTS[self.url.scheme] else f"{host}:{self.port}"


def read_address(text: str, *, allow_private: bool) -> WebhookAddress:
    """Return the address of a webhook, taken apart.

    Raises AddressRefusedError unless it is https, on port 443 or 8443, without user or password, and with a host that
    is written plainly and, where it is an IP address, public. With `allow_private` http, any port and any host may be.
    """
    if len(text) > MAX_LENGTH:
        raise AddressRefusedError(f"The address has more than {MAX_LENGTH} characters.")
    if UNWRITABLE.search(text):
        raise AddressRefusedError("The address has a space, a control character or a backslash.")
    try:
        url = URL(text)
    except ValueError:
        raise AddressRefusedError("The address is no URL.") from None
    if url.scheme != "https" and not (allow_private and url.scheme == "http"):
        raise AddressRefusedError("The address must begin with https://.")
    # An empty user has gone from the URL by now.
    if "@" in AFTER_AUTHORITY.split(text.partition("//")[2])[0]:
        raise AddressRefusedError("The address may hold neither a user nor a password.")
    host, ip = _read_host(url.raw_host or "")
    port = url.port or 0
    if not port or not (allow_private or port in PORTS):
        raise AddressRefusedError("The port must be 443 or 8443.")
    if ip is not None and not allow_private:
        require_public([ip])
    return WebhookAddress(url.with_fragment(None), host, port, ip)


def require_public(addresses: Iterable[IPAddress], name: str | None = None) -> None:
    """Raise AddressRefusedError unless all of some IP addresses are public: unicast, and reached from everywhere.

    Where they are those of a `name` the message does not tell them: what names mean inside is not for everybody.
    """
    for each in addresses:
        if not is_public(each):
            raise AddressRefusedError(
                f"{each} is not a public address." if name is None else f"{name} is not only at public addresses."
            )


def is_public(address: IPAddress) -> bool:
    """Tell whether an IP address is unicast and reached from everywhere, not one that stands for another."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4)
    if address.scope_id is not None or address not in GLOBAL_V6:
        return False
    return not any(address in network for network in NOT_PUBLIC_V6)


def _read_host(host: str) -> tuple[str, IPAddress | None]:
    """Return a host, and the IP address that it is. Raises AddressRefusedError where it is written in an odd way."""
    try:
        ip = ip_address(host)
    except ValueError:
        ip = None
    if ip is not None:
        return str(ip), ip
    name = host.lower().removesuffix(".")
    labels = name.split(".")
    if NUMBER.fullmatch(labels[-1]):
        # A system may take 2130706433, 0x7f.1 and 0177.0.0.1 for 127.0.0.1.
        raise AddressRefusedError("An IP address must be written as in 192.0.2.1 or [2001:db8::1].")
    if len(name) > MAX_HOST_LENGTH or not all(LABEL.fullmatch(each) for each in labels):
        raise AddressRefusedError("The address has no proper host name.")
    return name, None
