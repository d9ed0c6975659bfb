"""Handle a client's request to follow a migration: the account, then its openids, told by the client or by WeChat."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.account_migration.account import NewAccount, change_account
from service.domain.account_migration.asking import can_be_asked, start_asking
from service.domain.account_migration.migrating import MAX_PAIRS_PER_REQUEST, MigrationResult, migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.channels.lookup import find_channel
from service.domain.jobs.starting import resume_waiting_jobs
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import LimitExceededError
from service.entities.jobs import Job
from service.entities.principal import Permission, Principal


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
    if new is not None:
        channel = await change_account(runtime, principal, channel_id, new)
        await resume_waiting_jobs(runtime, channel_id)
    else:
        async with runtime.pool.acquire() as conn:
            channel = await find_channel(conn, principal, channel_id, Permission.MANAGE_CHANNELS)
    if not pairs:
        job = await start_asking(runtime, principal, channel) if can_be_asked(channel) else None
        return FollowedMigration(channel, MigrationResult(), job)
    return FollowedMigration(channel, await migrate_openids(runtime, channel, pairs), None)
