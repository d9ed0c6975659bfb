"""Addresses are written in one form each, and what is none is not taken for one."""

import pytest

from service.foundation.client_addresses import ip_address_or_none, peer_of


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:4711", None),
        ("fe80::1%eth0", "fe80::1"),
        ("fe80::1%<script>" + "x" * 10_000, "fe80::1"),
        ("%eth0", None),
        ("unknown", None),
        ("", None),
        (None, None),
        ("x" * 10_000, None),
    ],
)
def test_an_address_has_one_form(text: str | None, address: str | None) -> None:
    assert ip_address_or_none(text) == address


@pytest.mark.parametrize(("client", "peer"), [(("203.0.113.7", 4711), "203.0.113.7"), (None, None)])
def test_a_socket_without_an_address_has_no_peer(client: tuple[str, int] | None, peer: str | None) -> None:
    assert peer_of({"client": client}) == peer
