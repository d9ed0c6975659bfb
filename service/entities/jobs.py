"""Jobs: something long that is done in slices, can be watched, looked up and cancelled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from service.entities.principal import Permission


class JobKind(StrEnum):
    """What sort of work it is; the value is also the name of its GraphQL type."""

    AUDIENCE_EXPORT = "AudienceExport"


class JobState(StrEnum):
    QUEUED = "QUEUED"
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def finished(self) -> bool:
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


# Who may start, see and cancel a job of each kind.
JOB_PERMISSIONS: Final = {JobKind.AUDIENCE_EXPORT: Permission.EXPORT}


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is stored. `claim` is the number under which a worker holds it; an older one writes nothing."""

    channel_id: int
    job_id: int
    kind: JobKind
    state: JobState
    done: int
    total: int | None
    error: str | None
    error_code: str | None
    created_at: datetime
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
        """0 to 1; 1 only when everything is done."""
        if self.state is JobState.DONE:
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else 0.0


@dataclass(frozen=True, slots=True)
class JobChangeNotification:
    """Says that a job is not what it was."""

    channel_id: int
    job_id: int


@dataclass(frozen=True, slots=True)
class UnfinishedJob:
    """Where a job is found, and how often it has been taken up."""

    channel_id: int
    job_id: int
    claim: int
