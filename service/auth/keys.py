"""Find the key that verifies a token: the configured secret or public key, or one of a JWKS URL (RFC 7517)."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import jwt
import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import HMACAlgorithm

from service.entities.errors import UnauthenticatedError
from service.foundation.settings import Settings, SettingsError

log: Final = logging.getLogger(__name__)

# Bytes: a secret is at least as long as the hash (RFC 7518 §3.2).
MIN_HMAC_SECRET_BYTES: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
RSA_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHM_OF_CURVE: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
ASYMMETRIC_ALGORITHMS: Final = (*RSA_ALGORITHMS, *ALGORITHM_OF_CURVE.values(), "EdDSA")
DEFAULT_HMAC_ALGORITHMS: Final = ("HS256",)
DEFAULT_ASYMMETRIC_ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
MIN_RSA_KEY_BITS: Final = 2048

# Seconds.
FETCH_TIMEOUT: Final = 5.0  # from connecting to the last byte
REFETCH_INTERVAL: Final = 30.0
RETRY_INTERVAL: Final = 2.0
MAX_KEY_AGE: Final = 600.0
# Bytes: some two hundred keys, with their certificates some fifty.
MAX_JWKS_SIZE: Final = 262_144


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Hold what verifies a signature, and the only algorithms it may be used with."""

    material: Any = field(repr=False)
    algorithms: frozenset[str]
    kid: str | None = None


class StaticKeyProvider:
    """Provide the configured secret or public key, whatever `kid` a token names."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    async def key_for(self, kid: str | None, algorithm: str) -> SigningKey:
        """Return the key. Raises InvalidAlgorithmError where it does not fit the algorithm."""
        if algorithm not in self._key.algorithms:
            raise jwt.InvalidAlgorithmError(f"{algorithm} does not fit the key (kid {kid}).")
        return self._key


class JwksKeyProvider:
    """Provide the keys at a JWKS URL (RFC 7517).

    They are fetched when first needed, again after 10 minutes so that a withdrawn key is no longer accepted, and for
    an unknown `kid`; at most once in 30 s and once at a time. A fetch that takes longer than `fetch_timeout` seconds or
    brings more than 256 KiB fails. While the URL cannot be read, or answers without any usable key, the known keys are
    still accepted. `monotonic` counts seconds.
    """

    def __init__(
        self,
        url: str,
        algorithms: tuple[str, ...],
        monotonic: Callable[[], float],
        *,
        fetch_timeout: float = FETCH_TIMEOUT,
    ) -> None:
        self._url = url
        self._algorithms = algorithms
        self._monotonic = monotonic
        self._fetch_timeout = fetch_timeout
        self._keys: tuple[SigningKey, ...] = ()
        self._fresh_until = self._next_fetch = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def key_for(self, kid: str | None, algorithm: str) -> SigningKey:
        """Return the key of this `kid` (without one, the only key) that fits the algorithm.

        Raises UnauthenticatedError where there is none, or where the keys cannot be fetched.
        """
        found = self._find(kid, algorithm)
        stale = self._monotonic() >= self._fresh_until
        # A key that is known is not held up by a fetch that is under way.
        if found is None or (stale and self._fetching is None):
            await self._fetch_once()
            found = self._find(kid, algorithm)
        if found is None:
            known = "The token's key is not known." if self._keys else "The signing keys cannot be fetched now."
            raise UnauthenticatedError(known)
        return found

    def _find(self, kid: str | None, algorithm: str) -> SigningKey | None:
        if kid is None and len(self._keys) != 1:
            return None
        fitting = (key for key in self._keys if kid in (None, key.kid) and algorithm in key.algorithms)
        return next(fitting, None)

    async def _fetch_once(self) -> None:
        """Wait for the fetch that is under way, or for a new one where the pause after the last is over."""
        if self._fetching is None:
            if self._monotonic() < self._next_fetch:
                return
            self._fetching = asyncio.create_task(self._fetch(), name="signing keys")
        # A caller that goes away must not end it: the next one would ask the issuer again.
        await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._fetch_timeout):
                document = await _read_jwks(self._url)
            keys = await asyncio.to_thread(_usable_keys, document, self._algorithms)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
            log.warning("The signing keys at %s cannot be used: %r", self._url, error)
        else:
            self._keys = keys
            self._fresh_until = self._monotonic() + MAX_KEY_AGE
        finally:
            self._next_fetch = self._monotonic() + (REFETCH_INTERVAL if self._keys else RETRY_INTERVAL)
            self._fetching = None


async def _read_jwks(url: str) -> bytes:
    """Return what the URL answers. Raises ValueError where it is too large, and the errors of httpx."""
    document = bytearray()
    # Uncompressed, since a few bytes can become many; a redirect is an error.
    headers = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}
    async with httpx.AsyncClient(timeout=FETCH_TIMEOUT) as client, client.stream("GET", url, headers=headers) as answer:
        answer.raise_for_status()
        async for part in answer.aiter_raw():
            document += part
            if len(document) > MAX_JWKS_SIZE:
                raise ValueError(f"The JWKS is larger than {MAX_JWKS_SIZE} bytes.")
    return bytes(document)


def _usable_keys(document: bytes, algorithms: tuple[str, ...]) -> tuple[SigningKey, ...]:
    """Return the public signature keys of a JWKS. Raises ValueError when there are none."""
    match orjson.loads(document):
        case {"keys": [*entries]}:
            keys = tuple(key for entry in entries for key in _usable_key(entry, algorithms))
        case _:
            raise ValueError("This is no JWKS.")
    if not keys:
        raise ValueError("The JWKS holds no usable key.")
    return keys


def _usable_key(entry: Any, algorithms: tuple[str, ...]) -> Iterator[SigningKey]:
    """Yield the key of one JWKS entry, unless it is secret, weak, malformed or meant for something else."""
    match entry:
        case {"use": use} if use != "sig":
            return
        case {"kty": str()}:
            alg, kid = entry.get("alg"), entry.get("kid")
        case _:
            return
    if not isinstance(alg, str | None) or not isinstance(kid, str | None):
        return
    try:
        material = jwt.PyJWK(entry).key
    except (jwt.PyJWTError, ValueError, TypeError, UnsupportedAlgorithm):
        return
    fitting = _algorithms_of(material).intersection(algorithms, algorithms if alg is None else (alg,))
    if fitting:
        yield SigningKey(material, fitting, kid)


def accepted_algorithms(settings: Settings) -> tuple[str, ...]:
    """Return the algorithms that tokens may use. Raises SettingsError unless one key is configured and all fit it."""
    sources = (settings.jwt_secret, settings.jwt_public_key, settings.jwt_jwks_url)
    if sum(source is not None for source in sources) != 1:
        raise SettingsError(
            "Set exactly one of USER_TAGS_JWT_SECRET, USER_TAGS_JWT_PUBLIC_KEY and USER_TAGS_JWT_JWKS_URL."
        )
    shared = settings.jwt_secret is not None
    possible = tuple(MIN_HMAC_SECRET_BYTES) if shared else ASYMMETRIC_ALGORITHMS
    accepted = settings.jwt_algorithms or (DEFAULT_HMAC_ALGORITHMS if shared else DEFAULT_ASYMMETRIC_ALGORITHMS)
    if not set(accepted) <= set(possible):
        raise SettingsError(
            f"With the configured key, USER_TAGS_JWT_ALGORITHMS may name {', '.join(possible)} only,"
            f" not {', '.join(sorted(set(accepted) - set(possible)))}."
        )
    return accepted


def configured_key(settings: Settings, algorithms: tuple[str, ...]) -> SigningKey:
    """Return the configured secret or public key. Raises SettingsError when it does not fit the algorithms."""
    if settings.jwt_secret is None:
        material = _public_key(settings.jwt_public_key or "")
        fitting = _algorithms_of(material).intersection(algorithms)
        if not fitting:
            raise SettingsError(
                "USER_TAGS_JWT_PUBLIC_KEY is too short or of the wrong type for USER_TAGS_JWT_ALGORITHMS"
                f" ({', '.join(algorithms)})."
            )
        return SigningKey(material, fitting)
    shortest = max(MIN_HMAC_SECRET_BYTES[algorithm] for algorithm in algorithms)
    if len(settings.jwt_secret.encode()) < shortest:
        raise SettingsError(f"USER_TAGS_JWT_SECRET must have at least {shortest} bytes for {', '.join(algorithms)}.")
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(settings.jwt_secret)
    except jwt.InvalidKeyError as error:
        raise SettingsError("USER_TAGS_JWT_SECRET holds a key that is no shared secret.") from error
    return SigningKey(settings.jwt_secret, frozenset(algorithms))


def _public_key(text: str) -> object:
    try:
        # An .env file holds the line ends of a PEM as \n.
        pem = text.replace("\\n", "\n") if "-----BEGIN" in text else Path(text).read_text()
        return load_pem_public_key(pem.encode())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise SettingsError(
            "USER_TAGS_JWT_PUBLIC_KEY must be a public key in PEM, or the path of a file with one."
        ) from error


def _algorithms_of(key: object) -> frozenset[str]:
    """Return the algorithms that a public key may verify: none for secrets, private keys and short keys."""
    match key:
        case RSAPublicKey() if key.key_size >= MIN_RSA_KEY_BITS:
            return frozenset(RSA_ALGORITHMS)
        case EllipticCurvePublicKey() if key.curve.name in ALGORITHM_OF_CURVE:
            return frozenset({ALGORITHM_OF_CURVE[key.curve.name]})
        case Ed25519PublicKey() | Ed448PublicKey():
            return frozenset({"EdDSA"})
        case _:
            return frozenset()
