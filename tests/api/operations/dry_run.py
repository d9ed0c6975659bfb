"""Put a dry run into the database that is done and found nothing to do: to be looked at and applied."""

import asyncpg

from service.domain.official_account.sync.options import SyncOptions
from service.entities.ids import gid, parse_channel_gid
from service.entities.jobs import JobKind
from service.entities.syncs import SyncStage
from service.storage import jobs
from tests.support.clock import START
from tests.support.robot import Robot

DONE = "update job set state = 'DONE', finished_at = $3, expires_at = $3 where channel_id = $1 and job_id = $2"


async def insert_dry_run(robot: Robot, channel: str) -> str:
    """Return the id of a new dry run of a channel."""
    channel_id = parse_channel_gid(channel)
    payload = {**SyncOptions(dry_run=True).payload(SyncStage.MAKE), "hash": "some"}
    conn = await asyncpg.connect(robot.web.settings.database_url)
    try:
        kind = JobKind.OFFICIAL_ACCOUNT_SYNC
        job = await jobs.insert_job(conn, channel_id, kind, total=0, payload=payload, created_by="tests", now=START)
        await conn.execute(DONE, channel_id, job.job_id, START)
    finally:
        await conn.close()
    return gid(kind, channel_id, job.job_id)
