"""Describe jobs: long work done in slices, which a client can watch, look up and cancel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from service.entities.principal import Permission


class JobKind(StrEnum):
    """Name the kinds of work; the value is also the name of the GraphQL type."""

    AUDIENCE_EXPORT = "AudienceExport"
    FOLLOWER_IMPORT = "FollowerImport"
    OFFICIAL_ACCOUNT_SYNC = "OfficialAccountSync"
    REMOTE_TAG_IMPORT = "RemoteTagImport"
    OPENID_MIGRATION = "OpenidMigration"
    TAG_MERGE = "TagMerge"
    BROADCAST = "Broadcast"


class JobState(StrEnum):
    """Name the states of a job; one in DONE, FAILED or CANCELLED never changes again."""

    QUEUED = "QUEUED"
    WAITING = "WAITING"
    WAITING_FOR_APPROVAL = "WAITING_FOR_APPROVAL"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def finished(self) -> bool:
        """Tell whether the state is final."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}

    @property
    def waits(self) -> bool:
        """Tell whether a job waits for something that its kind may tell."""
        return self in {JobState.WAITING, JobState.WAITING_FOR_APPROVAL, JobState.PAUSED}


JOB_PERMISSIONS: Final = {
    JobKind.AUDIENCE_EXPORT: Permission.EXPORT,
    JobKind.FOLLOWER_IMPORT: Permission.MANAGE_CHANNELS,
    JobKind.OFFICIAL_ACCOUNT_SYNC: Permission.SYNC,
    JobKind.REMOTE_TAG_IMPORT: Permission.SYNC,
    JobKind.OPENID_MIGRATION: Permission.MANAGE_CHANNELS,
    JobKind.TAG_MERGE: Permission.MANAGE_TAGS,
    JobKind.BROADCAST: Permission.BROADCAST,
}
"""The permission that it takes to start, see and cancel a job of each kind."""

LISTED_JOB_PERMISSIONS: Final = tuple(
    dict.fromkeys(permission for kind, permission in JOB_PERMISSIONS.items() if kind is not JobKind.BROADCAST)
)
"""The permissions for the jobs that are listed together; broadcasts have a list of their own."""


@dataclass(frozen=True, slots=True)
class Job:
    """Describe a job as it is stored.

    `created_by` is the subject that asked for it. `claim` grows whenever a worker takes the job up; a worker with an
    older claim can no longer write to it.
    """

    channel_id: int
    job_id: int
    kind: JobKind
    state: JobState
    done: int
    total: int | None
    error: str | None
    error_code: str | None
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None
    resumes_at: datetime | None
    expires_at: datetime | None
    payload: Mapping[str, Any]
    claim: int
    lease_until: datetime | None
    failures: int

    @property
    def progress(self) -> float:
        """Return the share that is done, 0 to 1; a DONE job has 1, one without a known total 0."""
        if self.state is JobState.DONE:
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else 0.0


@dataclass(frozen=True, slots=True)
class JobChangeNotification:
    """Announce that a job changed."""

    channel_id: int
    job_id: int


@dataclass(frozen=True, slots=True)
class UnfinishedJob:
    """Hold the ids of an unfinished job and its newest claim."""

    channel_id: int
    job_id: int
    claim: int
