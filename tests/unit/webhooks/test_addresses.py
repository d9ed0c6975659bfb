"""Refuse addresses of webhooks that lead elsewhere than to a public place."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.webhooks.addresses import AddressRefusedError, is_public, read_address, require_public


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://example.com", "example.com", 443),
        ("HTTPS://Example.COM:8443/hooks?a=b%20c", "example.com", 8443),
        ("https://example.com./hooks", "example.com", 443),
        ("https://例え.jp/あ", "xn--r8jz45g.jp", 443),
        ("https://my_hooks.example.com/", "my_hooks.example.com", 443),
        ("https://8.8.8.8/", "8.8.8.8", 443),
        ("https://[2606:4700::1111]:8443/", "2606:4700::1111", 8443),
    ],
)
def test_public_addresses_are_taken_apart(url: str, host: str, port: int) -> None:
    address = read_address(url, allow_private=False)

    assert (address.host, address.port, address.encrypted) == (host, port, True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "https:example.com",
        "http://example.com/",
        "ftp://example.com/",
        "https:///hooks",
        "https://example.com:80/",
        "https://example.com:22/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://@example.com/",
        "https://example.com\\@evil.example/",
        "https://example.com/ hooks",
        "https://example.com/\nhooks",
        "https://example.com../",
        "https://.example.com/",
        "https://a..example.com/",
        "https://-a.example.com/",
        "https://[fe80::1%25eth0]/",
        "https://" + "a" * 64 + ".example.com/",
        "https://" + "a." * 130 + "com/",
        "https://example.com/" + "a" * 2_048,
    ],
)
def test_other_than_plain_https_is_refused(url: str) -> None:
    with pytest.raises(AddressRefusedError):
        read_address(url, allow_private=False)


# All of these are 127.0.0.1 to one system or another.
LOOPBACK = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "2130706433",
    "2130706433.",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.0x1",
    "１２７.０.０.１",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::127.0.0.1]",
    "[2002:7f00:1::]",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_the_machine_itself_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(AddressRefusedError):
        read_address(f"https://{host}/", allow_private=False)


# One address out of each range, its first and its last where they are easily missed.
NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - to be refused
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.1.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "::8.8.8.8",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:808:808::1",
    "2620:4f:8000::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2400:3200::1",
    "2606:4700::1111",
    "2a00:1450::1",
    "2003::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_special_ranges_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_their_neighbours_are(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_calls_otherwise(address: object) -> None:
    found = ip_address(str(address))
    if found.is_private or found.is_multicast or found.is_reserved or found.is_link_local or found.is_unspecified:
        assert not is_public(found)


def test_one_private_address_among_public_ones_is_enough() -> None:
    require_public([ip_address("8.8.8.8"), ip_address("1.1.1.1")])
    with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.1"):
        require_public([ip_address("8.8.8.8"), ip_address("10.0.0.1")])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8055/hooks", "http://localhost/", "https://[::1]:9000/", "https://receiver/"]
)
def test_private_places_may_be_allowed(url: str) -> None:
    assert read_address(url, allow_private=True).url.path in {"/", "/hooks"}


@pytest.mark.parametrize("url", ["https://user@127.0.0.1/", "ftp://127.0.0.1/", "http://2130706433/", "http:///"])
def test_odd_addresses_are_refused_even_then(url: str) -> None:
    with pytest.raises(AddressRefusedError):
        read_address(url, allow_private=True)


@given(st.text(max_size=40))
def test_any_text_is_refused_or_taken_apart(text: str) -> None:
    try:
        address = read_address(f"https://{text}", allow_private=False)
    except AddressRefusedError:
        return
    assert address.host.isascii()
    assert address.host_header
