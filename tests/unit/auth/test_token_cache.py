"""Verify a token once, and remember it until it expires or its key is replaced."""

import time
from typing import Any

import jwt
import pytest

from service.auth import tokens
from service.auth.tokens import TokenVerifier
from service.entities.errors import UnauthenticatedError
from service.foundation.settings import Settings
from tests.support.waiting import wait_until

SECRET = "correct horse battery staple, twice over and then some more words"


def signed(subject: str = "ann", secret: str = SECRET, lasts: float = 600) -> str:
    claims = {"sub": subject, "robot": "r-1", "role": "admin", "exp": time.time() + lasts}
    return jwt.encode(claims, secret, algorithm="HS256")


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the tokens whose signature was checked."""
    seen: list[str] = []
    decode = jwt.decode

    def watched(token: str, *arguments: Any, **options: Any) -> Any:
        seen.append(token)
        return decode(token, *arguments, **options)

    monkeypatch.setattr(jwt, "decode", watched)
    return seen


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(Settings(jwt_secret=SECRET))


async def test_a_known_token_is_not_verified_again(verifier: TokenVerifier, decoded: list[str]) -> None:
    token = signed()
    first, second = await verifier.verify(token), await verifier.verify(token)
    assert first == second
    assert decoded == [token]


async def test_a_known_token_expires_to_the_moment(verifier: TokenVerifier) -> None:
    token = signed(lasts=0.5)
    expires_at = (await verifier.verify(token)).expires_at.timestamp()

    async def refused() -> bool:
        try:
            await verifier.verify(token)
        except UnauthenticatedError as error:
            return error.message == "The token has expired."
        return False

    await wait_until(refused)
    assert time.time() >= expires_at


async def test_what_was_refused_is_refused_again(verifier: TokenVerifier, decoded: list[str]) -> None:
    token = signed(secret=SECRET[::-1])
    for _ in range(2):
        with pytest.raises(UnauthenticatedError, match="signature"):
            await verifier.verify(token)
    assert decoded == [token] * 2


async def test_only_so_many_tokens_are_remembered(decoded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_CACHED_TOKENS", 2)
    verifier = TokenVerifier(Settings(jwt_secret=SECRET))
    ann, bob, eve = signed("ann"), signed("bob"), signed("eve")
    for token in (ann, bob, ann, eve, ann, bob):
        await verifier.verify(token)
    assert decoded == [ann, bob, eve, bob]
