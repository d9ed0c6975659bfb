"""Record in the audit log what was bound, and what changed of it: of secrets, only whether there are any."""

from collections.abc import Set as AbstractSet

from service.domain.audit.recording import changes, record
from service.domain.audit.values import channel_ref
from service.domain.runtime import Runtime
from service.entities.audit import AuditValue
from service.entities.channels import Channel
from service.entities.principal import Principal
from service.foundation.wire_names import camel_case
from service.storage.database.pool import Connection


async def record_binding(
    conn: Connection,
    runtime: Runtime,
    principal: Principal,
    action: str,
    known: Channel | None,
    channel: Channel,
    secrets_given: AbstractSet[str],
) -> None:
    """Record a channel that was bound, where `known` is None, or changed, and the names of the secrets given for it."""
    new = _values(channel)
    named = {camel_case(each) for each in secrets_given}
    said = changes(dict.fromkeys(new) if known is None else _values(known), new)
    await record(
        conn,
        runtime,
        principal,
        action,
        channel_id=channel.channel_id,
        target=channel_ref(channel.channel_id),
        before=None if known is None else said["before"],
        after={**said["after"], **({"secrets_given": named} if named else {})},
    )


def _values(channel: Channel) -> dict[str, AuditValue]:
    return {
        "kind": channel.kind,
        "app_id": channel.app_id,
        "name": channel.name,
        "verified": channel.verified,
        "bound": channel.bound,
        "has_app_secret": channel.encrypted_app_secret is not None,
        "has_callback_token": channel.encrypted_callback_token is not None,
        "has_encoding_aes_key": channel.encrypted_encoding_aes_key is not None,
    }
