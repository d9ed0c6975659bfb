"""Call real receivers over HTTPS: by the name's certificate, once, and over connections that are kept."""

import trustme

from tests.webhooks.conftest import ClientMaker
from tests.webhooks.name_server import NameServer
from tests.webhooks.receiver import receiver

HEADERS = {"webhook-id": "msg_a1"}


async def test_a_delivery_arrives_whole_and_with_the_name(
    ca: trustme.CA, names: NameServer, client_with: ClientMaker
) -> None:
    names.addresses["hooks.example.com"] = ["127.0.0.1"]
    client = client_with()
    async with receiver(ca, "hooks.example.com") as receiving:
        url = f"https://hooks.example.com:{receiving.port}/in?key=%26a"
        answer = await client.send(url, HEADERS, b'{"events":[]}')

    assert (answer.status, answer.acknowledged, answer.text) == (200, True, "ok")
    [request] = receiving.requests
    assert (request.line, request.body) == ("POST /in?key=%26a HTTP/1.1", b'{"events":[]}')
    assert request.headers["host"] == f"hooks.example.com:{receiving.port}"
    assert request.headers["webhook-id"] == "msg_a1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["user-agent"].startswith("user-tags/")
    assert receiving.server_names == ["hooks.example.com"]


async def test_a_connection_is_kept_for_the_next_call_but_the_name_is_asked_for_anew(
    ca: trustme.CA, names: NameServer, client_with: ClientMaker
) -> None:
    names.addresses["hooks.example.com"] = ["127.0.0.1"]
    client = client_with()
    async with receiver(ca, "hooks.example.com") as receiving:
        for _ in range(3):
            assert (await client.send(f"https://hooks.example.com:{receiving.port}/", {}, b"{}")).acknowledged

    assert (len(receiving.requests), receiving.connections, names.asked["hooks.example.com"]) == (3, 1, 3)


async def test_two_names_at_one_address_share_no_connection(
    ca: trustme.CA, names: NameServer, client_with: ClientMaker
) -> None:
    names.addresses |= {"a.example.com": ["127.0.0.1"], "b.example.com": ["127.0.0.1"]}
    client = client_with()
    async with receiver(ca, "a.example.com") as receiving:
        assert (await client.send(f"https://a.example.com:{receiving.port}/", {}, b"{}")).acknowledged
        answer = await client.send(f"https://b.example.com:{receiving.port}/", {}, b"{}")

    assert answer.error == "TLS"
    assert len(receiving.requests) == 1


async def test_an_ip_address_needs_a_certificate_of_its_own(ca: trustme.CA, client_with: ClientMaker) -> None:
    client = client_with()
    async with receiver(ca, "127.0.0.1") as receiving:
        assert (await client.send(f"https://127.0.0.1:{receiving.port}/", {}, b"{}")).acknowledged
    async with receiver(ca, "hooks.example.com") as receiving:
        assert (await client.send(f"https://127.0.0.1:{receiving.port}/", {}, b"{}")).error == "TLS"


async def test_who_is_not_trusted_gets_nothing(client_with: ClientMaker) -> None:
    async with receiver(trustme.CA(), "127.0.0.1") as receiving:
        answer = await client_with().send(f"https://127.0.0.1:{receiving.port}/", {}, b"{}")

    assert (answer.error, answer.status, receiving.requests) == ("TLS", None, [])
    assert answer.reason is not None
    assert "certificate" in answer.reason


async def test_the_second_address_is_tried_where_the_first_takes_no_connection(
    ca: trustme.CA, names: NameServer, client_with: ClientMaker
) -> None:
    names.addresses["hooks.example.com"] = ["127.0.0.77", "127.0.0.1"]
    async with receiver(ca, "hooks.example.com") as receiving:
        url = f"https://hooks.example.com:{receiving.port}/"
        assert (await client_with().send(url, {}, b"{}")).acknowledged


async def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(
    ca: trustme.CA, client_with: ClientMaker
) -> None:
    client = client_with()
    async with receiver(ca, "127.0.0.1") as receiving:
        url = f"https://127.0.0.1:{receiving.port}/"
        assert (await client.send(url, {}, b"{}")).acknowledged
        receiving.answer, receiving.hang_up_after = b"", True
        assert (await client.send(url, {}, b"{}")).error == "CONNECT"
        # The kept connection, and a fresh one; where a fresh one is hung up on at once, that is how it is.
        assert (len(receiving.requests), receiving.connections) == (3, 2)
        assert (await client.send(url, {}, b"{}")).error == "CONNECT"

    assert (len(receiving.requests), receiving.connections) == (4, 3)
