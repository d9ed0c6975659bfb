"""Verify tokens with a public key that is given as PEM."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, SECP521R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as elliptic_key
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from service.auth.tokens import TokenVerifier
from service.entities.errors import UnauthenticatedError
from service.foundation.settings import Settings, SettingsError


@dataclass(frozen=True)
class Pair:
    private: Any

    @property
    def pem(self) -> str:
        spki: bytes = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return spki.decode()

    def sign(self, algorithm: str) -> str:
        claims = {"sub": "ann", "robot": "r-1", "role": "admin", "exp": int(time.time()) + 600}
        return jwt.encode(claims, self.private, algorithm=algorithm)


RSA, OTHER_RSA = Pair(rsa_key(65537, 2048)), Pair(rsa_key(65537, 2048))
P256, P384, P521 = (Pair(elliptic_key(curve)) for curve in (SECP256R1(), SECP384R1(), SECP521R1()))
ED25519, ED448 = Pair(Ed25519PrivateKey.generate()), Pair(Ed448PrivateKey.generate())


@pytest.mark.parametrize(("pair", "algorithm"), [(RSA, "RS256"), (P256, "ES256"), (ED25519, "EdDSA"), (ED448, "EdDSA")])
async def test_the_usual_algorithms_need_no_configuration(pair: Pair, algorithm: str) -> None:
    verifier = TokenVerifier(Settings(jwt_public_key=pair.pem))
    assert (await verifier.verify(pair.sign(algorithm))).subject == "ann"


@pytest.mark.parametrize(
    ("pair", "algorithm"),
    [
        (RSA, "RS384"),
        (RSA, "RS512"),
        (RSA, "PS256"),
        (RSA, "PS384"),
        (RSA, "PS512"),
        (P384, "ES384"),
        (P521, "ES512"),
    ],
)
async def test_other_algorithms_can_be_pinned(pair: Pair, algorithm: str) -> None:
    verifier = TokenVerifier(Settings(jwt_public_key=pair.pem, jwt_algorithms=(algorithm,)))
    assert (await verifier.verify(pair.sign(algorithm))).subject == "ann"


async def test_an_algorithm_that_was_not_pinned() -> None:
    verifier = TokenVerifier(Settings(jwt_public_key=RSA.pem, jwt_algorithms=("RS256",)))
    with pytest.raises(UnauthenticatedError, match="algorithm"):
        await verifier.verify(RSA.sign("PS256"))


@pytest.mark.parametrize(("pair", "algorithm"), [(P256, "ES256"), (ED25519, "EdDSA")])
async def test_a_pinned_algorithm_of_another_kind_of_key_is_refused(pair: Pair, algorithm: str) -> None:
    verifier = TokenVerifier(Settings(jwt_public_key=RSA.pem))
    with pytest.raises(UnauthenticatedError, match="algorithm"):
        await verifier.verify(pair.sign(algorithm))


async def test_another_private_key() -> None:
    verifier = TokenVerifier(Settings(jwt_public_key=RSA.pem))
    with pytest.raises(UnauthenticatedError, match="signature"):
        await verifier.verify(OTHER_RSA.sign("RS256"))


@pytest.mark.parametrize("pair", [RSA, P256, ED25519])
@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "none"])
async def test_the_public_key_is_never_taken_for_a_shared_secret(pair: Pair, algorithm: str) -> None:
    verifier = TokenVerifier(Settings(jwt_public_key=pair.pem))
    claims = {"sub": "ann", "robot": "r-1", "role": "creator", "exp": int(time.time()) + 600}
    signing_input = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": algorithm, "typ": "JWT"}, claims)
    )
    for secret in (pair.pem, pair.pem.strip()):
        mac = hmac.digest(secret.encode(), signing_input.encode(), hashlib.sha256)
        with pytest.raises(UnauthenticatedError):
            await verifier.verify(f"{signing_input}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")


async def test_a_public_key_may_be_given_as_a_path(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(P256.pem)
    verifier = TokenVerifier(Settings(jwt_public_key=str(file)))
    assert (await verifier.verify(P256.sign("ES256"))).robot_id == "r-1"


async def test_line_ends_as_an_env_file_writes_them() -> None:
    verifier = TokenVerifier(Settings(jwt_public_key=P256.pem.replace("\n", "\\n")))
    assert (await verifier.verify(P256.sign("ES256"))).robot_id == "r-1"


def private_pem() -> str:
    pem: bytes = RSA.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()


@pytest.mark.parametrize(
    "text",
    [
        "/nowhere/key.pem",
        "/",
        "\0",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        private_pem(),
    ],
    ids=["no such file", "a directory", "no path", "no key", "a private key"],
)
def test_a_text_that_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="USER_TAGS_JWT_PUBLIC_KEY") as caught:
        TokenVerifier(Settings(jwt_public_key=text))
    assert text.strip() == "/" or text not in str(caught.value)


def test_a_short_rsa_key() -> None:
    with pytest.raises(SettingsError, match="too short"):
        TokenVerifier(Settings(jwt_public_key=Pair(rsa_key(65537, 1024)).pem))  # noqa: S505


def test_a_key_that_fits_no_pinned_algorithm_is_refused() -> None:
    with pytest.raises(SettingsError, match="wrong type"):
        TokenVerifier(Settings(jwt_public_key=P384.pem))


@pytest.mark.parametrize("algorithms", [("HS256",), ("RS256", "HS256"), ("none",), ("RS256", "none"), ("rs256",)])
def test_algorithms_that_suit_no_public_key(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="USER_TAGS_JWT_ALGORITHMS"):
        TokenVerifier(Settings(jwt_public_key=RSA.pem, jwt_algorithms=algorithms))
