"""Verify tokens with keys at a JWKS URL of a real HTTP server, through rotations and outages."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as elliptic_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.auth.keys import MAX_JWKS_SIZE, JwksKeyProvider
from service.auth.tokens import TokenVerifier
from service.entities.errors import UnauthenticatedError
from service.foundation.settings import Settings
from tests.support.waiting import PATIENCE

RSA, WEAK_RSA = rsa_key(65537, 2048), rsa_key(65537, 1024)  # noqa: S505
P256, OTHER_P256 = elliptic_key(SECP256R1()), elliptic_key(SECP256R1())
ED25519 = Ed25519PrivateKey.generate()
SECRET = "0123456789abcdef0123456789abcdef"


def jwk(private: Any, kid: str | None, **members: Any) -> dict[str, Any]:
    algorithm: Any = {"R": RSAAlgorithm, "E": OKPAlgorithm if private is ED25519 else ECAlgorithm}[
        type(private).__name__[0]
    ]
    public: dict[str, Any] = json.loads(algorithm.to_jwk(private.public_key()))
    public.pop("key_ops", None)
    return public | ({} if kid is None else {"kid": kid}) | members


def signed(private: Any, kid: str | None, algorithm: str) -> str:
    claims = {"sub": "ann", "robot": "r-1", "role": "admin", "exp": int(time.time()) + 600}
    headers = None if kid is None else {"kid": kid}
    return jwt.encode(claims, private, algorithm=algorithm, headers=headers)


@dataclass
class Clock:
    """Count seconds that pass when the test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Issuer:
    """Publish keys, and count how often they are fetched."""

    keys: list[Any] = field(default_factory=list)
    body: bytes | None = None
    status: int = 200
    requests: int = 0
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jwks.json"

    def __post_init__(self) -> None:
        self.port: int = self.listening.getsockname()[1]

    async def answer(self, _request: Request) -> Response:
        self.requests += 1
        body = json.dumps({"keys": self.keys}).encode() if self.body is None else self.body
        return Response(body, self.status, media_type="application/json")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer until the block ends; the listening socket holds connections made too early."""
        app = Starlette(routes=[Route("/jwks.json", self.answer)])
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[self.listening]))
        try:
            yield
        finally:
            server.should_exit = True
            await running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def unserved() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.listening.close()


@pytest.fixture
async def issuer(unserved: Issuer) -> AsyncIterator[Issuer]:
    async with unserved.serving():
        yield unserved


@pytest.fixture
def verifier(unserved: Issuer, clock: Clock) -> TokenVerifier:
    return TokenVerifier(Settings(jwt_jwks_url=unserved.url), clock)


@pytest.mark.parametrize(("private", "algorithm"), [(RSA, "RS256"), (P256, "ES256"), (ED25519, "EdDSA")])
async def test_the_key_is_found_by_its_id(
    issuer: Issuer, verifier: TokenVerifier, private: Any, algorithm: str
) -> None:
    issuer.keys = [jwk(OTHER_P256, "other"), jwk(private, "k1")]
    assert (await verifier.verify(signed(private, "k1", algorithm))).robot_id == "r-1"


async def test_a_single_key_needs_no_id(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.keys = [jwk(P256, None)]
    assert (await verifier.verify(signed(P256, None, "ES256"))).robot_id == "r-1"


async def test_among_several_keys_the_token_must_name_one(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.keys = [jwk(P256, "k1"), jwk(OTHER_P256, "k2")]
    with pytest.raises(UnauthenticatedError, match="key is not known"):
        await verifier.verify(signed(P256, None, "ES256"))


async def test_a_token_under_the_id_of_another_key(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.keys = [jwk(P256, "k1"), jwk(OTHER_P256, "k2")]
    with pytest.raises(UnauthenticatedError, match="signature"):
        await verifier.verify(signed(P256, "k2", "ES256"))


async def test_a_key_is_used_only_with_the_algorithm_it_names(issuer: Issuer, clock: Clock) -> None:
    issuer.keys = [jwk(RSA, "k1", alg="PS256", use="sig"), jwk(RSA, "k2")]
    settings = Settings(jwt_jwks_url=issuer.url, jwt_algorithms=("RS256", "PS256"))
    verifier = TokenVerifier(settings, clock)
    await verifier.verify(signed(RSA, "k1", "PS256"))
    await verifier.verify(signed(RSA, "k2", "PS256"))
    await verifier.verify(signed(RSA, "k2", "RS256"))
    with pytest.raises(UnauthenticatedError, match="key is not known"):
        await verifier.verify(signed(RSA, "k1", "RS256"))


async def test_a_new_key_is_found_once_the_pause_is_over(issuer: Issuer, verifier: TokenVerifier, clock: Clock) -> None:
    issuer.keys = [jwk(P256, "k1")]
    await verifier.verify(signed(P256, "k1", "ES256"))
    issuer.keys.append(jwk(RSA, "k2"))
    clock.now += 29
    with pytest.raises(UnauthenticatedError, match="key is not known"):
        await verifier.verify(signed(RSA, "k2", "RS256"))
    clock.now += 1
    assert (await verifier.verify(signed(RSA, "k2", "RS256"))).robot_id == "r-1"
    assert issuer.requests == 2


async def test_a_withdrawn_key_is_refused_after_ten_minutes(
    issuer: Issuer, verifier: TokenVerifier, clock: Clock
) -> None:
    issuer.keys = [jwk(P256, "k1")]
    await verifier.verify(signed(P256, "k1", "ES256"))
    issuer.keys = [jwk(RSA, "k2")]
    clock.now += 599
    await verifier.verify(signed(P256, "k1", "ES256"))
    clock.now += 1
    with pytest.raises(UnauthenticatedError, match="key is not known"):
        await verifier.verify(signed(P256, "k1", "ES256"))


async def test_many_at_once_fetch_the_keys_once(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.keys = [jwk(P256, "k1")]
    token = signed(P256, "k1", "ES256")
    await asyncio.gather(*(verifier.verify(token) for _ in range(50)))
    assert issuer.requests == 1


async def test_made_up_key_ids_cause_no_more_fetches(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.keys = [jwk(P256, "k1")]
    tokens = [signed(OTHER_P256, f"made-up-{number}", "ES256") for number in range(50)]
    answers = await asyncio.gather(*(verifier.verify(token) for token in tokens), return_exceptions=True)
    assert all(isinstance(answer, UnauthenticatedError) for answer in answers)
    assert issuer.requests == 1


async def test_the_algorithm_is_refused_without_asking_the_issuer(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.keys = [jwk(P256, "k1")]
    with pytest.raises(UnauthenticatedError, match="algorithm"):
        await verifier.verify(signed(SECRET, "k1", "HS256"))
    assert issuer.requests == 0


async def test_known_keys_are_accepted_while_the_issuer_is_away(
    unserved: Issuer, verifier: TokenVerifier, clock: Clock
) -> None:
    unserved.keys = [jwk(P256, "k1")]
    token = signed(P256, "k1", "ES256")
    async with unserved.serving():
        await verifier.verify(token)
    clock.now += 86_400
    assert (await verifier.verify(token)).robot_id == "r-1"
    with pytest.raises(UnauthenticatedError, match="key is not known"):
        await verifier.verify(signed(RSA, "k2", "RS256"))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"keys":[]}', b'{"keys":{"kid":"k1"}}'])
async def test_known_keys_are_accepted_after_a_wrong_answer(
    issuer: Issuer, verifier: TokenVerifier, clock: Clock, body: bytes
) -> None:
    issuer.keys = [jwk(P256, "k1")]
    token = signed(P256, "k1", "ES256")
    await verifier.verify(token)
    issuer.body = body
    clock.now += 86_400
    assert (await verifier.verify(token)).robot_id == "r-1"
    assert issuer.requests == 2


async def test_an_issuer_that_is_down_at_first_is_asked_again_soon(
    issuer: Issuer, verifier: TokenVerifier, clock: Clock
) -> None:
    issuer.keys, issuer.status = [jwk(P256, "k1")], 503
    token = signed(P256, "k1", "ES256")
    for _ in range(3):
        with pytest.raises(UnauthenticatedError, match="cannot be fetched"):
            await verifier.verify(token)
    assert issuer.requests == 1
    issuer.status = 200
    clock.now += 2
    assert (await verifier.verify(token)).robot_id == "r-1"


UNUSABLE: dict[str, Any] = {
    "a shared secret": json.loads(HMACAlgorithm.to_jwk(SECRET)) | {"kid": "k1"},
    "a shared secret in disguise": json.loads(HMACAlgorithm.to_jwk(SECRET)) | {"kid": "k1", "alg": "RS256"},
    "a private key": json.loads(RSAAlgorithm.to_jwk(RSA)) | {"kid": "k1"},
    "a short key": jwk(WEAK_RSA, "k1"),
    "a key for encryption": jwk(RSA, "k1", use="enc"),
    "an algorithm that was not pinned": jwk(RSA, "k1", alg="RS512"),
    "the algorithm of another kind": jwk(RSA, "k1", alg="ES256"),
    "an odd algorithm": jwk(RSA, "k1", alg=["RS256"]),
    "an odd id": jwk(RSA, None) | {"kid": 7},
    "an odd type": {"kty": ["RSA"], "kid": "k1"},
    "an odd modulus": {"kty": "RSA", "kid": "k1", "n": 7, "e": "AQAB"},
    "no modulus": {"kty": "RSA", "kid": "k1"},
    "a point off the curve": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43, "kid": "k1"},
    "an unknown type": {"kty": "new", "kid": "k1"},
    "an unknown curve": {"kty": "EC", "crv": "P-1", "x": "AA", "y": "AA", "kid": "k1"},
    "no object": "k1",
    "nothing": None,
}


@pytest.mark.parametrize("entry", UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_an_unusable_key_is_passed_over(issuer: Issuer, verifier: TokenVerifier, entry: Any) -> None:
    issuer.keys = [entry, jwk(P256, "good"), entry]
    await verifier.verify(signed(P256, "good", "ES256"))
    with pytest.raises(UnauthenticatedError, match="key is not known"):
        await verifier.verify(signed(RSA, "k1", "RS256"))
    with pytest.raises(UnauthenticatedError, match="algorithm"):
        await verifier.verify(signed(SECRET, "k1", "HS256"))


async def test_a_cached_token_is_refused_once_its_key_is_replaced(
    issuer: Issuer, verifier: TokenVerifier, clock: Clock
) -> None:
    """Replace the key under the same id."""
    issuer.keys = [jwk(P256, "k1")]
    token = signed(P256, "k1", "ES256")
    for _ in range(2):
        assert (await verifier.verify(token)).subject == "ann"
    issuer.keys = [jwk(OTHER_P256, "k1")]
    clock.now += 601
    with pytest.raises(UnauthenticatedError, match="signature"):
        await verifier.verify(token)
    issuer.keys = [jwk(OTHER_P256, "k2")]
    clock.now += 601
    with pytest.raises(UnauthenticatedError, match="key is not known"):
        await verifier.verify(token)


@asynccontextmanager
async def dripping_issuer() -> AsyncIterator[str]:
    """Answer the head at once, then a space every 50 ms for ever; yield the URL."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks.json"


async def test_an_answer_that_drips_is_given_up(clock: Clock) -> None:
    async with dripping_issuer() as url:
        provider = JwksKeyProvider(url, ("ES256",), clock, fetch_timeout=0.3)
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(UnauthenticatedError, match="cannot be fetched"):
                await provider.key_for("k1", "ES256")


async def test_an_answer_that_is_too_large_is_given_up(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.body = json.dumps({"keys": [jwk(P256, "k1")]}).encode() + b" " * MAX_JWKS_SIZE
    with pytest.raises(UnauthenticatedError, match="cannot be fetched"):
        await verifier.verify(signed(P256, "k1", "ES256"))


async def test_callers_that_go_away_do_not_have_the_keys_fetched_again(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.keys = [jwk(P256, "k1")]
    token = signed(P256, "k1", "ES256")
    for _ in range(5):
        caller = asyncio.create_task(verifier.verify(token))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.wait({caller})
    assert (await verifier.verify(token)).robot_id == "r-1"
    assert issuer.requests == 1
