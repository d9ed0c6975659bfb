"""Bearer tokens (JWT, RFC 7519) with the claims of specification §3: who may use the API, and as whom."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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
from jwt.exceptions import InvalidSubjectError

from service.entities.enums import RejectionCode, Role
from service.entities.errors import BadInputError, FieldFailure, UnauthenticatedError
from service.entities.principal import Principal
from service.settings import Settings, SettingsError

LOG: Final = logging.getLogger(__name__)

# The shortest secret of each, in bytes: as long as its hash (RFC 7518 §3.2).
HMAC: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
ASYMMETRIC: Final = (*RSA, *CURVES.values(), "EdDSA")
DEFAULT_HMAC: Final = ("HS256",)
DEFAULT_ASYMMETRIC: Final = ("RS256", "ES256", "EdDSA")
SHORTEST_RSA_KEY: Final = 2048

# No padding: PyJWT would accept it, and so one token in several spellings.
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
LONGEST_TOKEN: Final = 8192
ROBOT: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
LONGEST_NAME: Final = 255
LEEWAY: Final = timedelta(seconds=5)

FETCH_TIMEOUT: Final = 5.0
REFETCH_AFTER: Final = 30.0
RETRY_AFTER: Final = 2.0
FRESH_FOR: Final = 600.0

REFUSALS: Final[tuple[tuple[type[jwt.PyJWTError], str], ...]] = (
    (jwt.InvalidSignatureError, "The token's signature does not hold."),
    (jwt.InvalidAlgorithmError, "The token's algorithm is not accepted."),
    (jwt.ImmatureSignatureError, "The token is not valid yet."),
    (jwt.InvalidIssuerError, "The token comes from another issuer."),
    (jwt.InvalidAudienceError, "The token is meant for another audience."),
    (InvalidSubjectError, "The token's claim 'sub' is malformed."),
)


@dataclass(frozen=True, slots=True)
class _Key:
    """What verifies a signature, and the only algorithms it may be used with."""

    material: Any = field(repr=False)
    algorithms: frozenset[str]
    kid: str | None = None


class TokenVerifier:
    """Turns a token into the principal it stands for, trusting what the settings name and nothing else.

    One of `USER_TAGS_JWT_SECRET`, `…_JWT_PUBLIC_KEY` (PEM, or the path of a PEM file) and `…_JWT_JWKS_URL`
    must be set. The algorithms are those of `…_JWT_ALGORITHMS`, or else HS256 for a secret and RS256, ES256
    and EdDSA for public keys. `iss` and `aud` are checked when configured. `exp` is exact, on the real clock;
    `nbf` and `iat` may be up to 5 s ahead, since the issuer has a clock of its own.
    Raises SettingsError when the settings are missing, contradictory or unsafe. `monotonic` counts seconds.
    """

    def __init__(self, settings: Settings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._algorithms = _accepted_algorithms(settings)
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        self._keys: _OneKey | _PublishedKeys = (
            _OneKey(_configured_key(settings, self._algorithms))
            if settings.jwt_jwks_url is None
            else _PublishedKeys(settings.jwt_jwks_url, self._algorithms, monotonic)
        )

    async def verify(self, token: str) -> Principal:
        """Return the principal; raises UnauthenticatedError, which says why but never repeats the token."""
        if len(token) > LONGEST_TOKEN or TOKEN.fullmatch(token) is None:
            raise UnauthenticatedError("The token is malformed.")
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key_for(header.get("kid"), header.get("alg"))
            claims = jwt.decode(
                token,
                key.material,
                algorithms=sorted(key.algorithms),
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY,
                options={
                    "require": ["exp", "sub", "robot", "role"],
                    "verify_exp": False,  # exactly, in _principal
                    "verify_aud": self._audience is not None,
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.PyJWTError as error:
            raise UnauthenticatedError(_reason(error)) from error
        return _principal(claims, datetime.now(UTC))

    async def _key_for(self, kid: str | None, algorithm: object) -> _Key:
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise jwt.InvalidAlgorithmError
        return await self._keys.key_for(kid, algorithm)


def sign_token(
    settings: Settings,
    *,
    robot: str,
    role: Role,
    subject: str,
    ttl: timedelta,
    channels: Collection[str] | None = None,
) -> str:
    """Sign a token with `USER_TAGS_JWT_SECRET` (HS256), for development and tests.

    Raises SettingsError when the service would not accept HS256, BadInputError on a robot id it would refuse.
    """
    if "HS256" not in _accepted_algorithms(settings):
        raise SettingsError("A token can be signed with USER_TAGS_JWT_SECRET and HS256 only.")
    if ROBOT.fullmatch(robot) is None:
        rule = "A robot id has 1 to 128 characters out of A-Z a-z 0-9 _ . : -"
        raise BadInputError(FieldFailure("robot", RejectionCode.BAD_VALUE, rule))
    now = datetime.now(UTC)
    claims = {
        "sub": subject,
        "robot": robot,
        "role": role.value,
        "iat": now,
        "exp": now + ttl,
        "iss": settings.jwt_issuer,
        "aud": settings.jwt_audience,
        "channels": None if channels is None else sorted(channels),
    }
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, _configured_key(settings, DEFAULT_HMAC).material, algorithm="HS256")


def bearer_token(header: str | None) -> str | None:
    """Return the token of an `Authorization` header (RFC 6750); None without one or with another scheme."""
    match (header or "").split():
        case [scheme, token] if scheme.lower() == "bearer":
            return token
        case _:
            return None


class _OneKey:
    """The configured secret or public key; `kid` does not matter."""

    def __init__(self, key: _Key) -> None:
        self._key = key

    async def key_for(self, kid: str | None, algorithm: str) -> _Key:
        if algorithm not in self._key.algorithms:
            raise jwt.InvalidAlgorithmError(f"{algorithm} does not fit the key (kid {kid}).")
        return self._key


class _PublishedKeys:
    """The keys at a JWKS URL (RFC 7517).

    They are fetched when first needed, again after 10 minutes so that a withdrawn key stops counting, and for
    an unknown `kid`; at most once in 30 s and by one caller at a time. While the URL cannot be read, or
    answers without any usable key, the known keys go on counting.
    """

    def __init__(self, url: str, algorithms: tuple[str, ...], monotonic: Callable[[], float]) -> None:
        self._url = url
        self._algorithms = algorithms
        self._monotonic = monotonic
        self._keys: tuple[_Key, ...] = ()
        self._fresh_until = self._next_fetch = float("-inf")
        self._fetching = asyncio.Lock()

    async def key_for(self, kid: str | None, algorithm: str) -> _Key:
        found = self._find(kid, algorithm)
        stale = self._monotonic() >= self._fresh_until
        # Who knows the key does not wait for somebody else's fetch.
        if found is None or (stale and not self._fetching.locked()):
            await self._fetch()
            found = self._find(kid, algorithm)
        if found is None:
            known = "The token's key is not known." if self._keys else "The signing keys cannot be fetched now."
            raise UnauthenticatedError(known)
        return found

    def _find(self, kid: str | None, algorithm: str) -> _Key | None:
        if kid is None and len(self._keys) != 1:
            return None
        fitting = (key for key in self._keys if kid in (None, key.kid) and algorithm in key.algorithms)
        return next(fitting, None)

    async def _fetch(self) -> None:
        async with self._fetching:
            if self._monotonic() < self._next_fetch:
                return
            try:
                async with httpx.AsyncClient(timeout=FETCH_TIMEOUT) as client:
                    answer = await client.get(self._url)
                keys = _usable_keys(answer.raise_for_status().content, self._algorithms)
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                LOG.warning("The signing keys at %s cannot be used: %r", self._url, error)
            else:
                self._keys = keys
                self._fresh_until = self._monotonic() + FRESH_FOR
            self._next_fetch = self._monotonic() + (REFETCH_AFTER if self._keys else RETRY_AFTER)


def _usable_keys(document: bytes, algorithms: tuple[str, ...]) -> tuple[_Key, ...]:
    """Read the public signature keys of a JWKS; raises ValueError when there are none."""
    match orjson.loads(document):
        case {"keys": [*entries]}:
            keys = tuple(key for entry in entries for key in _usable_key(entry, algorithms))
        case _:
            raise ValueError("This is no JWKS.")
    if not keys:
        raise ValueError("The JWKS holds no usable key.")
    return keys


def _usable_key(entry: Any, algorithms: tuple[str, ...]) -> Iterator[_Key]:
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
        yield _Key(material, fitting, kid)


def _accepted_algorithms(settings: Settings) -> tuple[str, ...]:
    """Return the pinned algorithms; raises SettingsError unless one key source is set and all suit it."""
    sources = (settings.jwt_secret, settings.jwt_public_key, settings.jwt_jwks_url)
    if sum(source is not None for source in sources) != 1:
        raise SettingsError(
            "Set exactly one of USER_TAGS_JWT_SECRET, USER_TAGS_JWT_PUBLIC_KEY and USER_TAGS_JWT_JWKS_URL."
        )
    shared = settings.jwt_secret is not None
    possible = tuple(HMAC) if shared else ASYMMETRIC
    accepted = settings.jwt_algorithms or (DEFAULT_HMAC if shared else DEFAULT_ASYMMETRIC)
    if not set(accepted) <= set(possible):
        raise SettingsError(
            f"With the configured key, USER_TAGS_JWT_ALGORITHMS may name {', '.join(possible)} only,"
            f" not {', '.join(sorted(set(accepted) - set(possible)))}."
        )
    return accepted


def _configured_key(settings: Settings, algorithms: tuple[str, ...]) -> _Key:
    """Read the secret or the public key; raises SettingsError when it is unfit for the algorithms."""
    if settings.jwt_secret is None:
        material = _public_key(settings.jwt_public_key or "")
        fitting = _algorithms_of(material).intersection(algorithms)
        if not fitting:
            raise SettingsError(
                "USER_TAGS_JWT_PUBLIC_KEY is too short or of the wrong type for USER_TAGS_JWT_ALGORITHMS"
                f" ({', '.join(algorithms)})."
            )
        return _Key(material, fitting)
    shortest = max(HMAC[algorithm] for algorithm in algorithms)
    if len(settings.jwt_secret.encode()) < shortest:
        raise SettingsError(f"USER_TAGS_JWT_SECRET must have at least {shortest} bytes for {', '.join(algorithms)}.")
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(settings.jwt_secret)
    except jwt.InvalidKeyError as error:
        raise SettingsError("USER_TAGS_JWT_SECRET holds a key that is no shared secret.") from error
    return _Key(settings.jwt_secret, frozenset(algorithms))


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
    """Return what a public key may verify; nothing for secrets, private keys and short keys."""
    match key:
        case RSAPublicKey() if key.key_size >= SHORTEST_RSA_KEY:
            return frozenset(RSA)
        case EllipticCurvePublicKey() if key.curve.name in CURVES:
            return frozenset({CURVES[key.curve.name]})
        case Ed25519PublicKey() | Ed448PublicKey():
            return frozenset({"EdDSA"})
        case _:
            return frozenset()


def _principal(claims: dict[str, Any], now: datetime) -> Principal:
    expires_at = _time_of_expiry(claims["exp"])
    if expires_at <= now:
        raise UnauthenticatedError("The token has expired.")
    if not _is_name(claims["sub"]):
        raise _malformed("sub")
    if not isinstance(claims["robot"], str) or ROBOT.fullmatch(claims["robot"]) is None:
        raise _malformed("robot")
    if claims["role"] not in list(Role):
        raise _malformed("role")
    channels = claims.get("channels", [])
    if not isinstance(channels, list) or not all(map(_is_name, channels)):
        raise _malformed("channels")
    return Principal(
        subject=claims["sub"],
        robot_id=claims["robot"],
        role=Role(claims["role"]),
        expires_at=expires_at,
        channel_ids=frozenset(channels) if "channels" in claims else None,
    )


def _time_of_expiry(seconds: object) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise _malformed("exp")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise _malformed("exp") from error


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _malformed(claim: str) -> UnauthenticatedError:
    return UnauthenticatedError(f"The token's claim {claim!r} is malformed.")


def _reason(error: jwt.PyJWTError) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token lacks the claim {error.claim!r}."
    return next((text for kind, text in REFUSALS if isinstance(error, kind)), "The token is malformed.")
