"""Bind demo accounts to the service as an admin does: over GraphQL, with a token."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import jwt

from service.dev.demo.wechat_api.books.accounts import Account

ROBOT: Final = "demo"
TOKEN_LIFETIME: Final = timedelta(minutes=10)
PERMANENT_ERROR_CODES: Final = frozenset({"UNAUTHENTICATED", "FORBIDDEN", "BAD_USER_INPUT", "CONFLICT"})
"""Errors that repeat however often one tries; any other may come from a service that is still starting."""

BIND: Final = """
mutation BindDemoChannel($input: BindChannelInput!) {
  bindChannel(input: $input) { channel { id pushUrl adReturnAddress } }
}
"""


class BindingRejectedError(Exception):
    """Raised when the service refused for good, so that it is useless to try again."""


class ServiceNotReadyError(Exception):
    """Raised when the service cannot be reached or is not ready; try again."""


@dataclass(frozen=True, slots=True)
class ServiceTarget:
    """Hold where the service is, and the secret that its tokens are signed with (HS256)."""

    url: str
    jwt_secret: str = field(repr=False)
    issuer: str | None = None
    audience: str | None = None
    send_app_secret: bool = False
    """Whether to give the service the app secret, with which it calls WeChat's server API."""


@dataclass(frozen=True, slots=True)
class BoundChannel:
    """Hold the global id of a bound channel, and its addresses."""

    id: str
    push_url: str
    ad_return_address: str | None = None


async def bind_account(client: httpx.AsyncClient, service: ServiceTarget, account: Account, name: str) -> BoundChannel:
    """Bind an account, or bind it again; raises BindingRejectedError or ServiceNotReadyError.

    The addresses have the host at which the service was reached, whatever its public URL is.
    """
    bound = await execute(client, service, BIND, {"input": _binding(service, account, name)})
    if not bound.get("bindChannel"):
        raise ServiceNotReadyError("not bound yet")
    channel = bound["bindChannel"]["channel"]
    ads = channel.get("adReturnAddress")
    return BoundChannel(
        channel["id"],
        service.url + urlsplit(channel["pushUrl"]).path,
        None if ads is None else service.url + urlsplit(ads).path,
    )


def admin_token(service: ServiceTarget, now: datetime) -> str:
    """Return a signed token for an admin of the demo robot."""
    claims: dict[str, Any] = {"sub": "demo", "robot": ROBOT, "role": "admin", "exp": now + TOKEN_LIFETIME}
    optional = {"iss": service.issuer, "aud": service.audience}
    claims |= {name: value for name, value in optional.items() if value}
    return jwt.encode(claims, service.jwt_secret, algorithm="HS256")


def _binding(service: ServiceTarget, account: Account, name: str) -> dict[str, Any]:
    binding: dict[str, Any] = {
        "kind": account.kind.value,
        "appId": account.app_id,
        "name": name,
        "verified": True,
        "callbackToken": account.token,
        "encodingAesKey": account.encoding_aes_key,
    }
    if service.send_app_secret:
        binding["appSecret"] = account.secret
    return binding


async def execute(
    client: httpx.AsyncClient,
    service: ServiceTarget,
    query: str,
    variables: dict[str, Any],
    *,
    ignored_codes: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return the data of one operation of the admin; raises as `bind_account` does, save for `ignored_codes`."""
    authorization = {"Authorization": f"Bearer {admin_token(service, datetime.now(UTC))}"}
    try:
        answer = await client.post(
            f"{service.url}/graphql", json={"query": query, "variables": variables}, headers=authorization
        )
        found = answer.json()
    except (httpx.TransportError, ValueError) as error:
        raise ServiceNotReadyError(f"no answer yet: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise ServiceNotReadyError(f"no GraphQL answer yet: {answer.status_code}")
    errors = found.get("errors") or []
    if any(error.get("extensions", {}).get("code") in PERMANENT_ERROR_CODES for error in errors):
        raise BindingRejectedError(errors[0].get("message", "refused"))
    if any(error.get("extensions", {}).get("code") not in ignored_codes for error in errors):
        raise ServiceNotReadyError(f"not done yet: {errors[:1]}")
    return dict(found.get("data") or {})
