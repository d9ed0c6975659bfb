"""Find the channel of a push by its secret address, with the credentials that verify and decrypt the push."""

from dataclasses import dataclass, field

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.foundation.encryption import lookup_hash
from service.storage import channels


@dataclass(frozen=True, slots=True)
class PushCredentials:
    """Hold the callback token of a channel and, for safe mode, its EncodingAESKey.

    The token is empty where none is set; no signature is valid then.
    """

    channel: Channel
    callback_token: str = field(repr=False)
    encoding_aes_key: str | None = field(repr=False)


async def open_push_credentials(runtime: Runtime, secret: str) -> PushCredentials | None:
    """Return the decrypted credentials of the channel with this push address; None where there is none.

    Runs one statement. `secret` is the last part of the push URL (docs/specification.md §9.2). Raises DecryptionError
    where the credentials were encrypted with a key that is no longer configured.
    """
    async with runtime.pool.acquire() as conn:
        channel = await channels.channel_by_push_secret(conn, lookup_hash(secret))
    if channel is None:
        return None
    return PushCredentials(
        channel,
        callback_token=_decrypt(runtime, channel.encrypted_callback_token) or "",
        encoding_aes_key=_decrypt(runtime, channel.encrypted_encoding_aes_key),
    )


def _decrypt(runtime: Runtime, encrypted: bytes | None) -> str | None:
    return None if encrypted is None else runtime.secret_box.decrypt(encrypted)
