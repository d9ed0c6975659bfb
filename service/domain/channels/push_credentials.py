"""Find the channel that a push is for by its secret address, with what opens the push."""

from dataclasses import dataclass, field

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.foundation.encryption import lookup_hash
from service.storage import channels


@dataclass(frozen=True, slots=True)
class PushCredentials:
    """Hold what opens the pushes to one channel: its callback token and, in safe mode, its EncodingAESKey.

    The token is empty where none is set, and then no signature holds.
    """

    channel: Channel
    callback_token: str = field(repr=False)
    encoding_aes_key: str | None = field(repr=False)


async def open_push_credentials(runtime: Runtime, secret: str) -> PushCredentials | None:
    """Return the decrypted credentials of the channel with this push address; None where there is none.

    One statement. `secret` is the last part of the push URL (docs/specification.md §9.2). Raises DecryptionError
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
