"""Show in `/metrics` whether the audit logs are sealed, over all robots, the same in every process."""

import asyncio
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from service.resources import Resources
from service.storage.audit_chain import oldest_unsealed_entry
from service.storage.database.pool import DATABASE_ERRORS

# Seconds.
READ_TIMEOUT: Final = 2.0


class AuditMetrics:
    """Read how long entries of the audit log wait to be sealed: until then, nothing shows that one was changed."""

    def __init__(self, collectors: CollectorRegistry) -> None:
        self._unsealed = Gauge(
            "user_tags_audit_unsealed_seconds",
            "How old the oldest entry of the audit logs is that is not sealed; 0 while all are.",
            registry=collectors,
        )

    async def read(self, resources: Resources) -> None:
        """Read how they are doing; what was read before stays while the database does not answer."""
        pool, now = resources.runtime.pool, resources.runtime.clock()
        try:
            async with asyncio.timeout(READ_TIMEOUT), pool.acquire(timeout=READ_TIMEOUT) as conn:
                oldest = await oldest_unsealed_entry(conn)
        except DATABASE_ERRORS:
            return
        self._unsealed.set(max((now - (oldest or now)).total_seconds(), 0.0))
