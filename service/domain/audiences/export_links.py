"""Lead to the files of exports by signed links: whoever has one may read the file until it expires."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from service.domain.audit.recording import record
from service.domain.audit.values import job_ref
from service.domain.runtime import Runtime
from service.entities.jobs import Job, JobState
from service.entities.principal import Principal, RequestOrigin, Role
from service.storage import channels

OPENED: Final = "The link was opened."


class ExportLink(NamedTuple):
    """Name the job of a signed link, and when the link expires."""

    channel_id: int
    job_id: int
    expires_at: datetime


def export_url(runtime: Runtime, job: Job) -> str | None:
    """Return the signed URL of the file; None before it is finished and after it expired."""
    if job.state is not JobState.DONE or job.expires_at is None or job.expires_at <= runtime.clock():
        return None
    claims = f"{job.channel_id}.{job.job_id}.{int(job.expires_at.timestamp())}"
    return f"{runtime.settings.public_url}/export/{claims}.{runtime.secret_box.sign(claims)}"


def parse_export_link(runtime: Runtime, link: str) -> ExportLink | None:
    """Return the contents of a signed link; None if the signature is wrong. The caller checks `expires_at`."""
    claims, _, signature = link.rpartition(".")
    if not runtime.secret_box.verify_signature(claims, signature):
        return None
    channel_id, job_id, expires_at = map(int, claims.split("."))
    return ExportLink(channel_id, job_id, datetime.fromtimestamp(expires_at, UTC))


async def record_opening(runtime: Runtime, job: Job, origin: RequestOrigin) -> None:
    """Record that the link to a file was opened, by whoever has it: the entry names who asked for the export."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        (channel,) = await channels.channels_by_id(conn, [job.channel_id])
        # A release before this one did not keep the role; admins have the least that exports need.
        role = Role(job.payload.get("role", Role.ADMIN))
        reader = Principal(job.created_by, channel.robot_id, role, runtime.clock(), origin=origin)
        await record(
            conn,
            runtime,
            reader,
            "export_audience",
            channel_id=job.channel_id,
            target=job_ref(job),
            detail=OPENED,
        )
