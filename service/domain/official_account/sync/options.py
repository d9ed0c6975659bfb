"""Hold what a sync was asked for, and how it is written into its job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.entities.audit import AuditValue
from service.entities.jobs import Job
from service.entities.remote_tags import RemoteAdditions
from service.entities.syncs import SyncConflict, SyncStage


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """Hold how a sync is to be done.

    An `automatic` one was started by no client: it trusts what is known of who has a remote tag, uses at most a share
    of the day's quota, and takes what each link says about remote additions.
    """

    dry_run: bool = False
    keep_in_sync: bool = False
    on_conflict: SyncConflict = SyncConflict.FAIL
    remote_additions: RemoteAdditions = RemoteAdditions.KEEP
    allow_removals: bool = False
    automatic: bool = False

    def values(self) -> dict[str, AuditValue]:
        """Return what an entry of the audit log says of them."""
        return {
            "dry_run": self.dry_run,
            "keep_in_sync": self.keep_in_sync,
            "on_conflict": self.on_conflict,
            "remote_additions": self.remote_additions,
            "allow_removals": self.allow_removals,
        }

    def payload(self, stage: SyncStage) -> dict[str, Any]:
        """Return the payload of a job that begins with a stage."""
        return {
            "stage": stage.value,
            "dry_run": self.dry_run,
            "keep_in_sync": self.keep_in_sync,
            "on_conflict": self.on_conflict.value,
            "remote_additions": self.remote_additions.value,
            "allow_removals": self.allow_removals,
            "automatic": self.automatic,
        }


def options_of(payload: Mapping[str, Any]) -> SyncOptions:
    """Return what the job with this payload was asked for."""
    return SyncOptions(
        dry_run=payload["dry_run"],
        keep_in_sync=payload["keep_in_sync"],
        on_conflict=SyncConflict(payload["on_conflict"]),
        remote_additions=RemoteAdditions(payload["remote_additions"]),
        allow_removals=payload["allow_removals"],
        automatic=payload["automatic"],
    )


def plan_of(job: Job) -> int:
    """Return the number of the job that froze what this one applies: itself, unless that was a dry run."""
    plan: int = job.payload.get("plan", job.job_id)
    return plan
