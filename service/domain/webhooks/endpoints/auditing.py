"""Record what is done to webhook endpoints in the audit log, without what deliveries are signed with."""

from urllib.parse import urlsplit

from service.domain.audit.recording import changes, record
from service.domain.audit.values import channel_ref, tag_ref
from service.domain.runtime import Runtime
from service.entities.audit import AuditValue, AuditValues, Hidden, ObjectRef
from service.entities.principal import Principal
from service.entities.webhooks import WebhookEndpoint
from service.storage.database.pool import Connection


def endpoint_ref(endpoint_id: int) -> ObjectRef:
    """Name a webhook endpoint."""
    return ObjectRef("WebhookEndpoint", (endpoint_id,))


def endpoint_values(endpoint: WebhookEndpoint) -> dict[str, AuditValue]:
    """Return the settings of an endpoint; of its address the host, since paths and queries often hold secrets."""
    channel_ids, tag_keys = endpoint.channel_ids, endpoint.tag_keys
    return {
        "host": urlsplit(endpoint.url).hostname,
        "url": Hidden("url", endpoint.url),
        "description": endpoint.description,
        "channels": None if channel_ids is None else [channel_ref(each) for each in channel_ids],
        "events": [each.value for each in endpoint.events],
        "tags": None if tag_keys is None else [tag_ref(*each) for each in tag_keys],
        "state": endpoint.switch,
    }


async def record_act(
    conn: Connection,
    runtime: Runtime,
    principal: Principal,
    action: str,
    endpoint_id: int,
    *,
    channel_id: int | None = None,
    before: AuditValues | None = None,
    after: AuditValues | None = None,
) -> None:
    """Record an act on an endpoint, of the whole robot unless it is about one channel."""
    await record(
        conn,
        runtime,
        principal,
        action,
        channel_id=channel_id,
        target=endpoint_ref(endpoint_id),
        before=before,
        after=after,
    )


async def record_change(
    conn: Connection, runtime: Runtime, principal: Principal, before: WebhookEndpoint, after: WebhookEndpoint
) -> None:
    """Record what `updateWebhookEndpoint` changed; nothing where it changed nothing."""
    changed = changes(endpoint_values(before), endpoint_values(after))
    if changed["before"]:
        await record_act(conn, runtime, principal, "update_webhook_endpoint", after.endpoint_id, **changed)
