"""Handle a client's request to follow a migration: the account, then its openids, told by the client or by WeChat."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.account_migration.account import NewAccount, change_account
from service.domain.account_migration.asking import can_be_asked, start_asking
from service.domain.account_migration.migrating import MAX_PAIRS_PER_REQUEST, MigrationResult, migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.audit.recording import new_entry_id, record
from service.domain.audit.values import channel_ref, job_ref
from service.domain.channels.lookup import find_channel
from service.domain.jobs.starting import resume_waiting_jobs
from service.domain.runtime import Runtime
from service.entities.audit import AuditValues, ObjectRef
from service.entities.channels import Channel
from service.entities.errors import LimitExceededError
from service.entities.jobs import Job
from service.entities.principal import Permission, Principal
from service.storage.database.pool import Connection


@dataclass(frozen=True, slots=True)
class FollowedMigration:
    """Hold a channel after a request, what became of its pairs, and the job that asks WeChat for pairs."""

    channel: Channel
    result: MigrationResult
    job: Job | None


async def follow_migration(
    runtime: Runtime, principal: Principal, channel_id: int, new: NewAccount | None, pairs: Sequence[OpenidPair]
) -> FollowedMigration:
    """Change the account of a channel if a new one is named, and migrate openids: those of `pairs`.

    Without pairs WeChat is asked, where it can be. Raises what `change_account` raises, and LimitExceededError over
    10,000 pairs; nothing is changed then.
    """
    if len(pairs) > MAX_PAIRS_PER_REQUEST:
        raise LimitExceededError(f"At most {MAX_PAIRS_PER_REQUEST:,} pairs a request.")
    entry = _Entry(runtime, principal, channel_id, len(pairs))
    if new is not None:
        channel = await change_account(runtime, principal, channel_id, new, entry.record_account)
        await resume_waiting_jobs(runtime, channel_id)
    else:
        async with runtime.pool.acquire() as conn:
            channel = await find_channel(conn, principal, channel_id, Permission.MANAGE_CHANNELS)
    if not pairs:
        job = await start_asking(runtime, principal, channel, entry.record_job) if can_be_asked(channel) else None
        return FollowedMigration(channel, MigrationResult(), job)
    return FollowedMigration(channel, await migrate_openids(runtime, channel, pairs, entry.record_pairs), None)


class _Entry:
    """Record a request once, by the first of its transactions that commits."""

    def __init__(self, runtime: Runtime, principal: Principal, channel_id: int, pairs: int) -> None:
        self._runtime, self._principal, self._channel_id = runtime, principal, channel_id
        self._asked: AuditValues = {"pairs": pairs}
        self._entry_id = new_entry_id()

    async def record_account(self, conn: Connection, known: Channel, changed: Channel) -> None:
        """Record that the channel is another account, or has another secret."""
        secret = changed.encrypted_app_secret != known.encrypted_app_secret
        before: AuditValues = {"app_id": known.app_id}
        after: AuditValues = {"app_id": changed.app_id, "app_secret_changed": secret, **self._asked}
        await self._record(conn, channel_ref(self._channel_id), after, before)

    async def record_job(self, conn: Connection, job: Job) -> None:
        """Record that WeChat is asked."""
        await self._record(conn, job_ref(job), self._asked)

    async def record_pairs(self, conn: Connection, _result: MigrationResult) -> None:
        """Record that people get other openids."""
        await self._record(conn, channel_ref(self._channel_id), self._asked)

    async def _record(
        self, conn: Connection, target: ObjectRef, after: AuditValues, before: AuditValues | None = None
    ) -> None:
        await record(
            conn,
            self._runtime,
            self._principal,
            "migrate_openids",
            channel_id=self._channel_id,
            target=target,
            before=before,
            after=after,
            entry_id=self._entry_id,
        )
