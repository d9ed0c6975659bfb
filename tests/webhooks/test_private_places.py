"""Call nobody whom only this network reaches, whatever an address looks like (server-side request forgery)."""

import pytest
import trustme

from tests.unit.webhooks.test_addresses import LOOPBACK
from tests.webhooks.conftest import ClientMaker
from tests.webhooks.name_server import NameServer
from tests.webhooks.receiver import receiver


@pytest.mark.parametrize("host", [*LOOPBACK, "localhost", "localhost."])
async def test_the_machine_itself_is_not_called(client_with: ClientMaker, host: str) -> None:
    async with receiver() as receiving:
        answer = await client_with(allow_private=False).send(f"https://{host}:8443/", {}, b"{}")

    assert answer.error == "ADDRESS_REFUSED"
    assert receiving.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["100.64.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["64:ff9b:1::7f00:1"],
        ["2002:7f00:1::"],
        ["fd00::1"],
        ["ff02::1"],
        ["93.184.216.34", "127.0.0.1"],
        ["93.184.216.34", "::1"],
    ],
)
async def test_a_name_that_leads_there_is_not_called(
    client_with: ClientMaker, names: NameServer, addresses: list[str]
) -> None:
    names.addresses["rebound.example.com"] = addresses
    answer = await client_with(allow_private=False).send("https://rebound.example.com/", {}, b"{}")

    assert answer.error == "ADDRESS_REFUSED"
    # Which addresses names of the inside have is nobody's business.
    assert answer.reason == "rebound.example.com is not only at public addresses."


async def test_a_name_is_not_asked_for_again_between_check_and_connection(
    ca: trustme.CA, client_with: ClientMaker, names: NameServer
) -> None:
    # The first answer passes the check, whoever asks again is sent to the receiver.
    name = "rebound.example.com"
    names.addresses[name] = ["127.0.0.1"]
    names.next_addresses[name] = [["192.0.3.1"]]
    async with receiver(ca, name) as receiving:
        await client_with(allow_private=False, call_within=0.5).send(f"https://{name}:8443/", {}, b"{}")
        assert names.asked[name] == 1

        names.next_addresses[name] = [["127.0.0.77"], ["127.0.0.1"]]
        answer = await client_with(call_within=2.0).send(f"https://{name}:{receiving.port}/", {}, b"{}")
        assert (answer.error, names.asked[name], receiving.connections) == ("CONNECT", 2, 0)


async def test_a_name_that_leads_elsewhere_by_now_is_refused_over_a_kept_connection_too(
    ca: trustme.CA, client_with: ClientMaker, names: NameServer
) -> None:
    name = "moving.example.com"
    names.addresses[name] = ["127.0.0.1"]
    client = client_with(call_within=2.0)
    async with receiver(ca, name) as receiving:
        assert (await client.send(f"https://{name}:{receiving.port}/", {}, b"{}")).acknowledged
        names.addresses[name] = ["127.0.0.77"]
        assert (await client.send(f"https://{name}:{receiving.port}/", {}, b"{}")).error == "CONNECT"

    assert len(receiving.requests) == 1


async def test_an_unknown_name_is_told_as_such(client_with: ClientMaker) -> None:
    assert (await client_with(allow_private=False).send("https://nowhere.example.com/", {}, b"{}")).error == "DNS"


async def test_a_silent_name_server_is_given_up(client_with: ClientMaker, names: NameServer) -> None:
    names.silent = True
    client = client_with(allow_private=False, call_within=0.3)

    assert (await client.send("https://slow.example.com/", {}, b"{}")).error == "TIMEOUT"
