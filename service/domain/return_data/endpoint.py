"""Obtain the return address of a robot, and reset its key at will (docs/specification.md §4.2).

The key is read from the database for every call, so a reset is effective everywhere as soon as it has committed.
"""

import hmac
import secrets
import string
from typing import Final

from service.domain.audit.recording import record
from service.domain.channels.lookup import require_permission
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import ChannelNotBoundError, NotFoundError
from service.entities.principal import Permission, Principal
from service.entities.return_data import ReturnEndpoint
from service.foundation.encryption import lookup_hash, new_path_secret
from service.storage import channels
from service.storage.return_data import endpoints
from service.wechat.crypto import new_encoding_aes_key

APP_ID_CHARACTERS: Final = 16


async def obtain_endpoint(runtime: Runtime, principal: Principal) -> ReturnEndpoint:
    """Return the robot's endpoint, made if it has none. Raises ForbiddenError."""
    require_permission(principal, Permission.MANAGE_RETURN_KEY)
    alphabet = string.ascii_letters + string.digits
    token = new_path_secret()
    async with runtime.pool.acquire() as conn, conn.transaction():
        now = runtime.clock()
        await channels.lock_robot(conn, principal.robot_id, now)
        made = await endpoints.insert_endpoint(
            conn,
            principal.robot_id,
            app_id="".join(secrets.choice(alphabet) for _ in range(APP_ID_CHARACTERS)),
            token=runtime.secret_box.encrypt(token),
            token_hash=lookup_hash(token),
            key=runtime.secret_box.encrypt(new_encoding_aes_key()),
            now=now,
        )
        endpoint = await endpoints.endpoint_of_robot(conn, principal.robot_id)
        if made and endpoint is not None:
            await record(
                conn,
                runtime,
                principal,
                "obtain_return_endpoint",
                channel_id=None,
                after={"app_id": endpoint.app_id},
            )
    if endpoint is None:
        raise LookupError("the endpoint that was just made is missing")
    return endpoint


async def find_endpoint(runtime: Runtime, principal: Principal) -> ReturnEndpoint | None:
    """Return the robot's endpoint, None until it is obtained. Raises ForbiddenError."""
    require_permission(principal, Permission.VIEW_RETURN_ADDRESS)
    async with runtime.pool.acquire() as conn:
        return await endpoints.endpoint_of_robot(conn, principal.robot_id)


async def endpoint_of_token(runtime: Runtime, token: str) -> ReturnEndpoint | None:
    """Return the endpoint whose address has this TOKEN; None where there is none."""
    # By the hash of the token, so that how long it takes tells nothing of the token.
    async with runtime.pool.acquire() as conn:
        endpoint = await endpoints.endpoint_by_token(conn, lookup_hash(token))
    if endpoint is None or not hmac.compare_digest(decrypt_token(runtime, endpoint).encode(), token.encode()):
        return None
    return endpoint


async def channel_of_call(runtime: Runtime, endpoint: ReturnEndpoint, app_id: str) -> Channel:
    """Return the usable channel of the endpoint's robot with this app id, or lately migrated from it.

    Raises ChannelNotBoundError while the gate is closed, and NotFoundError where the robot has no such channel.
    """
    async with runtime.pool.acquire() as conn:
        every = await channels.channels_of_robot(conn, endpoint.robot_id)
    if not any(channel.opens_gate for channel in every):
        raise ChannelNotBoundError
    now = runtime.clock()
    usable = [each for each in every if each.usable and app_id in each.app_ids(now)]
    if not usable:
        raise NotFoundError("channel")
    return next((each for each in usable if each.app_id == app_id), usable[0])


async def reset_key(runtime: Runtime, principal: Principal) -> ReturnEndpoint:
    """Replace the key of the robot's endpoint, and return the endpoint; address, TOKEN and APPID stay.

    Raises ForbiddenError, and NotFoundError before the endpoint is obtained.
    """
    require_permission(principal, Permission.MANAGE_RETURN_KEY)
    async with runtime.pool.acquire() as conn, conn.transaction():
        endpoint = await endpoints.replace_key(
            conn, principal.robot_id, runtime.secret_box.encrypt(new_encoding_aes_key()), runtime.clock()
        )
        if endpoint is None:
            raise NotFoundError("return endpoint")
        await record(conn, runtime, principal, "reset_return_key", channel_id=None)
    return endpoint


def decrypt_token(runtime: Runtime, endpoint: ReturnEndpoint) -> str:
    """Return the TOKEN of an endpoint; the caller has checked who may see it."""
    return runtime.secret_box.decrypt(endpoint.encrypted_token)


def decrypt_key(runtime: Runtime, endpoint: ReturnEndpoint) -> str:
    """Return the EncodingAESKey of an endpoint; the caller has checked who may see it."""
    return runtime.secret_box.decrypt(endpoint.encrypted_key)


def return_address(runtime: Runtime, endpoint: ReturnEndpoint) -> str:
    """Return the URL to which integrators send data, with the TOKEN in its path."""
    return f"{runtime.settings.public_url}/openapi/label/batchset/{decrypt_token(runtime, endpoint)}"
