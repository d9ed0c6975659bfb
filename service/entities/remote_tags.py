"""Describe which of our tags are linked to tags of the Official Account, and who is known to have those."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RemoteAdditions(StrEnum):
    """Name what a sync does with people who got the remote tag from somebody else."""

    KEEP = "KEEP"
    REMOVE = "REMOVE"


@dataclass(frozen=True, slots=True)
class LinkedTag:
    """Hold what is known of one of our tags at the Official Account; a deleted tag keeps it.

    `remote_tag_id` is None until WeChat told the id, and after the tag was unlinked. `in_sync` and `last_success_at`
    are of the last sync. While `failing_since` is set, `error` says why no sync succeeds, with WeChat's `errcode` where
    there is one. `tried_at` is when a sync was last begun because of what a look found.
    """

    channel_id: int
    tag_id: int
    remote_tag_id: int | None
    remote_name: str
    keep_in_sync: bool
    remote_additions: RemoteAdditions
    in_sync: bool
    last_job_id: int | None
    last_success_at: datetime | None
    failing_since: datetime | None
    error: str | None
    errcode: int | None
    tried_at: datetime | None

    @property
    def ever_synced(self) -> bool:
        """Tell whether there was ever a remote tag, or a sync that failed to make one; a dry run leaves neither."""
        return self.remote_tag_id is not None or self.last_success_at is not None or self.failing_since is not None
