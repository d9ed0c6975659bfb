"""Refuse settings that verify no token, and sign tokens for development."""

import time
from datetime import timedelta

import pytest

from service.auth.tokens import TokenVerifier, bearer_token, sign_token
from service.entities.errors import BadInputError, UnauthenticatedError
from service.entities.ids import channel_gid
from service.entities.principal import Role
from service.foundation.settings import Settings, SettingsError

SECRET = "0123456789abcdef0123456789abcdef"
HOUR = timedelta(hours=1)
URL = "https://issuer.example/jwks.json"


def test_no_key_at_all_names_the_variables() -> None:
    with pytest.raises(
        SettingsError, match="USER_TAGS_JWT_SECRET, USER_TAGS_JWT_PUBLIC_KEY and USER_TAGS_JWT_JWKS_URL"
    ):
        TokenVerifier(Settings())


@pytest.mark.parametrize(
    "settings",
    [
        Settings(jwt_secret=SECRET, jwt_jwks_url=URL),
        Settings(jwt_secret=SECRET, jwt_public_key="/key.pem"),
        Settings(jwt_public_key="/key.pem", jwt_jwks_url=URL),
    ],
)
def test_a_secret_and_a_public_key_together_are_refused(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="exactly one"):
        TokenVerifier(settings)


@pytest.mark.parametrize("algorithms", [("RS256",), ("HS256", "ES256"), ("none",), ("HS256", "none"), ("HS1",)])
def test_algorithms_that_suit_no_secret(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="USER_TAGS_JWT_ALGORITHMS"):
        TokenVerifier(Settings(jwt_secret=SECRET, jwt_algorithms=algorithms))


@pytest.mark.parametrize("algorithms", [("HS256",), ("RS256", "HS512"), ("none",)])
def test_algorithms_that_suit_no_jwks(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="USER_TAGS_JWT_ALGORITHMS"):
        TokenVerifier(Settings(jwt_jwks_url=URL, jwt_algorithms=algorithms))


@pytest.mark.parametrize(("algorithm", "length"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_the_secret_is_as_long_as_the_hash(algorithm: str, length: int) -> None:
    TokenVerifier(Settings(jwt_secret="x" * length, jwt_algorithms=(algorithm,)))
    with pytest.raises(SettingsError, match=f"at least {length} bytes"):
        TokenVerifier(Settings(jwt_secret="x" * (length - 1), jwt_algorithms=(algorithm,)))


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
        '{"kty":"oct","k":"0123456789abcdef0123456789abcdef"}',
    ],
)
def test_a_key_in_place_of_a_secret_is_refused(secret: str) -> None:
    with pytest.raises(SettingsError, match="no shared secret") as caught:
        TokenVerifier(Settings(jwt_secret=secret))
    assert secret not in str(caught.value)


async def test_a_signed_token_verifies() -> None:
    settings = Settings(jwt_secret=SECRET, jwt_issuer="us", jwt_audience="tags")
    token = sign_token(
        settings, robot="r-1", role=Role.AGENT, subject="ann", ttl=HOUR, channels=[channel_gid(2), channel_gid(1)]
    )
    principal = await TokenVerifier(settings).verify(token)
    assert (principal.robot_id, principal.role, principal.subject) == ("r-1", Role.AGENT, "ann")
    assert principal.channel_ids == frozenset({1, 2})
    assert abs(principal.expires_at.timestamp() - time.time() - 3600) < 60


async def test_a_signed_token_is_not_narrowed_unless_asked() -> None:
    settings = Settings(jwt_secret=SECRET)
    token = sign_token(settings, robot="r-1", role=Role.ADMIN, subject="ann", ttl=HOUR)
    assert (await TokenVerifier(settings).verify(token)).channel_ids is None
    closed = sign_token(settings, robot="r-1", role=Role.ADMIN, subject="ann", ttl=HOUR, channels=[])
    assert (await TokenVerifier(settings).verify(closed)).channel_ids == frozenset()


async def test_a_token_can_be_signed_expired() -> None:
    settings = Settings(jwt_secret=SECRET)
    token = sign_token(settings, robot="r-1", role=Role.ADMIN, subject="ann", ttl=-HOUR)
    with pytest.raises(UnauthenticatedError, match="expired"):
        await TokenVerifier(settings).verify(token)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(jwt_public_key="/key.pem"),
        Settings(jwt_jwks_url=URL),
        Settings(jwt_secret=SECRET * 2, jwt_algorithms=("HS512",)),
        Settings(jwt_secret="short"),
    ],
)
def test_signing_needs_a_secret_and_hs256(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="USER_TAGS_JWT_SECRET"):
        sign_token(settings, robot="r-1", role=Role.ADMIN, subject="ann", ttl=HOUR)


def test_signing_refuses_a_robot_that_would_be_refused() -> None:
    with pytest.raises(BadInputError, match="robot id"):
        sign_token(Settings(jwt_secret=SECRET), robot="a b", role=Role.ADMIN, subject="ann", ttl=HOUR)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (None, None),
        ("", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic YTpi", None),
        ("Bearer a b", None),
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER   abc ", "abc"),
    ],
)
def test_the_authorization_header(header: str | None, token: str | None) -> None:
    assert bearer_token(header) == token
