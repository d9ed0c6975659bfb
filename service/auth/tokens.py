"""Verify and sign bearer tokens (JWT, RFC 7519) with the claims of docs/specification.md §3."""

import hashlib
import re
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from cachetools import LRUCache
from jwt.exceptions import InvalidSubjectError

from service.auth.keys import (
    DEFAULT_HMAC_ALGORITHMS,
    JwksKeyProvider,
    SigningKey,
    StaticKeyProvider,
    accepted_algorithms,
    configured_key,
)
from service.entities.errors import BadInputError, FieldError, RejectionCode, UnauthenticatedError
from service.entities.ids import parse_gid
from service.entities.principal import Principal, Role
from service.foundation.settings import Settings, SettingsError

# No padding: PyJWT would accept it, and so one token in several spellings.
TOKEN_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
MAX_TOKEN_LENGTH: Final = 8192
ROBOT_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
MAX_CLAIM_LENGTH: Final = 255
LEEWAY: Final = timedelta(seconds=5)
MAX_CACHED_TOKENS: Final = 10_000

ERROR_MESSAGES: Final[tuple[tuple[type[jwt.PyJWTError], str], ...]] = (
    (jwt.InvalidSignatureError, "The token's signature does not hold."),
    (jwt.InvalidAlgorithmError, "The token's algorithm is not accepted."),
    (jwt.ImmatureSignatureError, "The token is not valid yet."),
    (jwt.InvalidIssuerError, "The token comes from another issuer."),
    (jwt.InvalidAudienceError, "The token is meant for another audience."),
    (InvalidSubjectError, "The token's claim 'sub' is malformed."),
)


@dataclass(frozen=True, slots=True)
class _VerifiedToken:
    """Keep what a token says, and the key that verified it."""

    principal: Principal
    key: SigningKey
    kid: str | None
    algorithm: object


class TokenVerifier:
    """Turn a token into the principal it stands for, trusting the keys of the settings and nothing else.

    One of `USER_TAGS_JWT_SECRET`, `…_JWT_PUBLIC_KEY` (PEM, or the path of a PEM file) and `…_JWT_JWKS_URL`
    must be set. The algorithms are those of `…_JWT_ALGORITHMS`, or else HS256 for a secret and RS256, ES256
    and EdDSA for public keys. `iss` and `aud` are checked when configured. `exp` is exact, on the real clock;
    `nbf` and `iat` may be up to 5 s ahead, since the issuer has a clock of its own.
    Raises SettingsError when the settings are missing, contradictory or unsafe. `monotonic` counts seconds.
    """

    def __init__(self, settings: Settings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._algorithms = accepted_algorithms(settings)
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        self._keys: StaticKeyProvider | JwksKeyProvider = (
            StaticKeyProvider(configured_key(settings, self._algorithms))
            if settings.jwt_jwks_url is None
            else JwksKeyProvider(settings.jwt_jwks_url, self._algorithms, monotonic)
        )
        # By the hash of the token, so that no usable token lies in memory; the longest unseen is forgotten first.
        self._verified: LRUCache[bytes, _VerifiedToken] = LRUCache(MAX_CACHED_TOKENS)

    async def verify(self, token: str) -> Principal:
        """Return the principal of a token. Raises UnauthenticatedError, which says why but never repeats the token."""
        if len(token) > MAX_TOKEN_LENGTH or TOKEN_PATTERN.fullmatch(token) is None:
            raise UnauthenticatedError("The token is malformed.")
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is not None and await self._is_still_valid(known):
            return known.principal
        verified = self._verified[digest] = await self._verify(token)
        return verified.principal

    async def _is_still_valid(self, known: "_VerifiedToken") -> bool:
        """Return whether the token has not expired and the key that verified it is still in use."""
        if known.principal.expires_at <= datetime.now(UTC):
            return False
        try:
            return await self._key_for(known.kid, known.algorithm) is known.key
        except (jwt.PyJWTError, UnauthenticatedError):
            return False

    async def _verify(self, token: str) -> "_VerifiedToken":
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
                    "verify_exp": False,  # exactly, in _principal_from_claims
                    "verify_aud": self._audience is not None,
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.PyJWTError as error:
            raise UnauthenticatedError(_error_message(error)) from error
        except OverflowError as error:  # PyJWT makes integers of `nbf` and `iat`, and JSON has numbers beyond all
            raise UnauthenticatedError("The token is malformed.") from error
        return _VerifiedToken(
            _principal_from_claims(claims, datetime.now(UTC)), key, header.get("kid"), header.get("alg")
        )

    async def _key_for(self, kid: str | None, algorithm: object) -> SigningKey:
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
    """Return a token signed with `USER_TAGS_JWT_SECRET` (HS256), for development and tests.

    `channels` are global ids that narrow it; None means all of the robot. Raises SettingsError when the service would
    not accept HS256, BadInputError on a robot id it would refuse.
    """
    if "HS256" not in accepted_algorithms(settings):
        raise SettingsError("A token can be signed with USER_TAGS_JWT_SECRET and HS256 only.")
    if ROBOT_ID_PATTERN.fullmatch(robot) is None:
        rule = "A robot id has 1 to 128 characters out of A-Z a-z 0-9 _ . : -"
        raise BadInputError(FieldError(("robot",), RejectionCode.BAD_VALUE, rule))
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
    return jwt.encode(present, configured_key(settings, DEFAULT_HMAC_ALGORITHMS).material, algorithm="HS256")


def bearer_token(header: str | None) -> str | None:
    """Return the token in an `Authorization` header (RFC 6750); None without a header or with another scheme."""
    match (header or "").split():
        case [scheme, token] if scheme.lower() == "bearer":
            return token
        case _:
            return None


def _principal_from_claims(claims: dict[str, Any], now: datetime) -> Principal:
    expires_at = _time_of_expiry(claims["exp"])
    if expires_at <= now:
        raise UnauthenticatedError("The token has expired.")
    if not _is_valid_name(claims["sub"]):
        raise _malformed("sub")
    if not isinstance(claims["robot"], str) or ROBOT_ID_PATTERN.fullmatch(claims["robot"]) is None:
        raise _malformed("robot")
    if claims["role"] not in list(Role):
        raise _malformed("role")
    channels = claims.get("channels", [])
    if not isinstance(channels, list) or not all(map(_is_valid_name, channels)):
        raise _malformed("channels")
    return Principal(
        subject=claims["sub"],
        robot_id=claims["robot"],
        role=Role(claims["role"]),
        expires_at=expires_at,
        channel_ids=_channel_ids(channels) if "channels" in claims else None,
    )


def _channel_ids(gids: Iterable[str]) -> frozenset[int]:
    """Return the channels of these global ids; an id of anything else gives access to nothing."""
    found = (parse_gid(each, "Channel", 1) for each in gids)
    return frozenset(numbers[0] for numbers in found if numbers is not None)


def _time_of_expiry(seconds: object) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise _malformed("exp")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise _malformed("exp") from error


def _is_valid_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_CLAIM_LENGTH and value.isprintable()


def _malformed(claim: str) -> UnauthenticatedError:
    return UnauthenticatedError(f"The token's claim {claim!r} is malformed.")


def _error_message(error: jwt.PyJWTError) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token lacks the claim {error.claim!r}."
    return next((text for kind, text in ERROR_MESSAGES if isinstance(error, kind)), "The token is malformed.")
