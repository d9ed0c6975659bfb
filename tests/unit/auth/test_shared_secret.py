"""Verify tokens signed with the shared secret, and refuse everything else."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.auth.tokens import TokenVerifier
from service.entities.errors import ErrorCode, UnauthenticatedError
from service.entities.ids import channel_gid, tag_gid
from service.entities.principal import Role
from service.foundation.settings import Settings

SECRET = "correct horse battery staple, twice over and then some more words"
VERIFIER = TokenVerifier(Settings(jwt_secret=SECRET))


def claims(**changes: Any) -> dict[str, Any]:
    expiry = int(time.time()) + 600
    return {"sub": "ann", "robot": "r-1", "role": "admin", "exp": expiry} | changes


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in claims().items() if key != name}


def signed(payload: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(payload, secret, algorithm=algorithm)


def crafted(header: object, payload: object, secret: str = SECRET) -> str:
    """Sign by hand (HS256) what PyJWT would refuse to encode."""
    head, body = (segment(json.dumps(part).encode()) for part in (header, payload))
    return f"{head}.{body}.{segment(hmac.digest(secret.encode(), f'{head}.{body}'.encode(), hashlib.sha256))}"


def segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


async def refusal(token: str, verifier: TokenVerifier = VERIFIER) -> str:
    with pytest.raises(UnauthenticatedError) as caught:
        await verifier.verify(token)
    assert caught.value.code is ErrorCode.UNAUTHENTICATED
    assert len(token) < 9 or token not in caught.value.message
    return caught.value.message


async def test_a_valid_token_names_its_principal() -> None:
    expiry = int(time.time()) + 600
    principal = await VERIFIER.verify(
        signed(claims(exp=expiry, role="integrator", channels=[channel_gid(1), channel_gid(2), channel_gid(1)]))
    )
    assert (principal.subject, principal.robot_id, principal.role) == ("ann", "r-1", Role.INTEGRATOR)
    assert principal.expires_at == datetime.fromtimestamp(expiry, UTC)
    assert principal.channel_ids == frozenset({1, 2})


async def test_without_channels_the_token_is_not_narrowed() -> None:
    assert (await VERIFIER.verify(signed(claims()))).channel_ids is None


async def test_no_channels_at_all_is_not_the_same_as_no_claim() -> None:
    assert (await VERIFIER.verify(signed(claims(channels=[])))).channel_ids == frozenset()


@pytest.mark.parametrize("role", list(Role))
async def test_the_channels_claim_narrows_every_role(role: Role) -> None:
    narrowed = await VERIFIER.verify(signed(claims(role=role.value, channels=[channel_gid(1)])))
    assert narrowed.channel_ids == frozenset({1})


async def test_a_claim_that_names_no_channel_opens_none() -> None:
    narrowed = await VERIFIER.verify(signed(claims(channels=["1", "nonsense", tag_gid(1, 2), channel_gid(1) + "="])))
    assert narrowed.channel_ids == frozenset()


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_longer_hashes_can_be_pinned(algorithm: str) -> None:
    verifier = TokenVerifier(Settings(jwt_secret=SECRET, jwt_algorithms=(algorithm,)))
    assert (await verifier.verify(signed(claims(), algorithm=algorithm))).subject == "ann"
    for other in {"HS256", "HS384", "HS512"} - {algorithm}:
        assert "algorithm" in await refusal(signed(claims(), algorithm=other), verifier)


async def test_an_expired_token() -> None:
    assert await refusal(signed(claims(exp=int(time.time()) - 1))) == "The token has expired."


async def test_expiry_has_no_leeway() -> None:
    assert await refusal(signed(claims(exp=time.time()))) == "The token has expired."


@pytest.mark.parametrize("exp", ["4102444800", True, [], {}, 1e300, -1e300, 4102444800000])
async def test_an_expiry_that_is_no_time(exp: object) -> None:
    assert await refusal(signed(claims(exp=exp))) == "The token's claim 'exp' is malformed."


@pytest.mark.parametrize("name", ["nbf", "iat"])
async def test_the_clock_of_the_issuer_may_be_a_little_ahead(name: str) -> None:
    await VERIFIER.verify(signed(claims(**{name: int(time.time()) + 3})))
    assert await refusal(signed(claims(**{name: int(time.time()) + 60}))) == "The token is not valid yet."


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_time_beyond_all_numbers(claim: str) -> None:
    assert await refusal(signed(claims(**{claim: float("inf")}))) == "The token is malformed."


@pytest.mark.parametrize("name", ["sub", "robot", "role", "exp"])
async def test_every_claim_is_needed(name: str) -> None:
    assert await refusal(signed(without(name))) == f"The token lacks the claim {name!r}."
    assert await refusal(signed(claims(**{name: None}))) == f"The token lacks the claim {name!r}."


@pytest.mark.parametrize("role", ["root", "ADMIN", "", "admin ", 1, ["admin"], {"admin": 1}, True])
async def test_an_unknown_role(role: object) -> None:
    assert await refusal(signed(claims(role=role))) == "The token's claim 'role' is malformed."


@pytest.mark.parametrize("robot", ["", "a b", "r/1", "ü", "r\n", "x" * 129, 7, ["r"], "r'; drop"])
async def test_a_malformed_robot_id_is_refused(robot: object) -> None:
    assert await refusal(signed(claims(robot=robot))) == "The token's claim 'robot' is malformed."


@pytest.mark.parametrize("robot", ["r", "x" * 128, "A-Z_0.9:tenant"])
async def test_a_well_formed_robot_id(robot: str) -> None:
    assert (await VERIFIER.verify(signed(claims(robot=robot)))).robot_id == robot


@pytest.mark.parametrize("sub", ["", "a\x00b", "\ud800", "x" * 256, 7])
async def test_a_malformed_subject_is_refused(sub: object) -> None:
    assert await refusal(signed(claims(sub=sub))) == "The token's claim 'sub' is malformed."


@pytest.mark.parametrize("channels", [None, "c1", {"c1": 1}, [1], [""], [None], ["\ud800"], [["c1"]]])
async def test_malformed_channels_never_widen(channels: object) -> None:
    assert await refusal(signed(claims(channels=channels))) == "The token's claim 'channels' is malformed."


async def test_a_token_of_another_secret_is_refused() -> None:
    assert "signature" in await refusal(signed(claims(), secret=SECRET + "!"))


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE"])
async def test_the_algorithm_none_is_refused(name: str) -> None:
    unsigned = f"{segment(json.dumps({'alg': name}).encode())}.{segment(json.dumps(claims()).encode())}."
    assert "algorithm" in await refusal(unsigned)
    assert "algorithm" in await refusal(crafted({"alg": name}, claims()))


@pytest.mark.parametrize("header", [{}, {"alg": None}, {"alg": ["HS256"]}, {"alg": {"HS256": 1}}, {"alg": "hs256"}])
async def test_an_odd_algorithm(header: object) -> None:
    assert "algorithm" in await refusal(crafted(header, claims()))


@pytest.mark.parametrize(
    "header",
    [
        [],
        "HS256",
        {"alg": "HS256", "kid": 7},
        {"alg": "HS256", "crit": ["x"]},
        {"alg": "HS256", "b64": False, "crit": ["b64"]},
    ],
)
async def test_an_odd_header(header: object) -> None:
    assert await refusal(crafted(header, claims())) == "The token is malformed."


@pytest.mark.parametrize("payload", [[], "text", 7, None])
async def test_claims_that_are_no_object(payload: object) -> None:
    assert await refusal(crafted({"alg": "HS256"}, payload)) == "The token is malformed."


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a", "a.b", "a.b.c.d", "a b.c.d", "ä.b.c", "\ud800.b.c", "e30.e30.e30\n"]
)
async def test_a_text_that_is_no_token_is_refused(token: str) -> None:
    assert await refusal(token) == "The token is malformed."


async def test_deeply_nested_claims() -> None:
    head, body = segment(b'{"alg":"HS256"}'), segment(b"[" * 5000)
    mac = segment(hmac.digest(SECRET.encode(), f"{head}.{body}".encode(), hashlib.sha256))
    assert await refusal(f"{head}.{body}.{mac}") == "The token is malformed."


async def test_a_huge_token_is_refused_before_it_is_read() -> None:
    assert await refusal(signed(claims(filler="x" * 9000))) == "The token is malformed."


async def test_the_issuer_is_checked_when_configured() -> None:
    verifier = TokenVerifier(Settings(jwt_secret=SECRET, jwt_issuer="https://us"))
    await verifier.verify(signed(claims(iss="https://us")))
    assert "issuer" in await refusal(signed(claims(iss="https://them")), verifier)
    assert "'iss'" in await refusal(signed(claims()), verifier)
    await VERIFIER.verify(signed(claims(iss="https://anybody")))


async def test_the_audience_is_checked_when_configured() -> None:
    verifier = TokenVerifier(Settings(jwt_secret=SECRET, jwt_audience="tags"))
    await verifier.verify(signed(claims(aud="tags")))
    await verifier.verify(signed(claims(aud=["other", "tags"])))
    assert "audience" in await refusal(signed(claims(aud="other")), verifier)
    assert "audience" in await refusal(crafted({"alg": "HS256"}, claims(aud={"tags": 1})), verifier)
    assert "'aud'" in await refusal(signed(claims()), verifier)
    await VERIFIER.verify(signed(claims(aud="anybody")))


TOKEN = signed(claims(exp=4102444800))
CHARACTERS = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.+/ \n")


@given(st.integers(0, len(TOKEN)), st.integers(0, 3), st.text(CHARACTERS, max_size=3))
async def test_no_mutated_token_verifies(at: int, removed: int, inserted: str) -> None:
    mutated = TOKEN[:at] + inserted + TOKEN[at + removed :]
    assume(mutated != TOKEN)
    await refusal(mutated)


@given(st.permutations(TOKEN.split(".")))
async def test_no_reordered_token_verifies(parts: list[str]) -> None:
    assume(".".join(parts) != TOKEN)
    await refusal(".".join(parts))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys([*claims(), "channels", "iat", "nbf", "aud", "iss"], JSON)))
async def test_odd_claims_are_refused_and_break_nothing(odd: dict[str, Any]) -> None:
    try:
        principal = await VERIFIER.verify(crafted({"alg": "HS256"}, claims() | odd))
    except UnauthenticatedError:
        return
    assert principal.role in Role
    assert principal.expires_at > datetime.now(UTC)


@given(st.text())
async def test_any_text_is_refused_without_another_error(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        await VERIFIER.verify(text)
