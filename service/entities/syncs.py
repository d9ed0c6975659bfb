"""Describe syncs of tags to the Official Account: what is to be done about each tag, and how far that is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SyncConflict(StrEnum):
    """Name what to do with a remote tag of the same name that is not ours."""

    FAIL = "FAIL"
    ADOPT = "ADOPT"
    RENAME = "RENAME"


class TagSyncAction(StrEnum):
    """Name what a sync does about a tag."""

    CREATE = "CREATE"
    ADOPT = "ADOPT"
    RENAME = "RENAME"
    UPDATE = "UPDATE"
    NOTHING = "NOTHING"
    REFUSED = "REFUSED"


class SyncStage(StrEnum):
    """Name the stages of a sync, in their order; one of a plan begins with CHECK, a dry run ends with PLAN."""

    LIST = "LIST"
    READ = "READ"
    PLAN = "PLAN"
    CHECK = "CHECK"
    MAKE = "MAKE"
    REMOVE = "REMOVE"
    ADD = "ADD"


@dataclass(frozen=True, slots=True)
class TagSync:
    """Hold what a sync does about one of our tags.

    `to_add`, `to_remove`, `unchanged`, `at_tag_limit` and `drift` count people as planned, `added`, `removed` and
    `failed` those who are done. Whoever was to be added has been so below ordinal `next_addition`, and likewise for
    removals. With `ids_before` a remote tag is being made, and these are the ids of those that there were before. A tag
    with `error` is not worked on any more.
    """

    channel_id: int
    job_id: int
    tag_id: int
    position: int
    asked_name: str | None
    action: TagSyncAction
    remote_tag_id: int | None
    remote_name: str
    listed_count: int | None
    known_count: int | None
    to_add: int
    to_remove: int
    unchanged: int
    at_tag_limit: int
    drift: int
    added: int
    removed: int
    failed: int
    next_addition: int
    next_removal: int
    ids_before: tuple[int, ...] | None
    made_at: datetime | None
    error: str | None
    errcode: int | None

    @property
    def refused(self) -> bool:
        """Tell whether nothing is done about the tag."""
        return self.action is TagSyncAction.REFUSED

    @property
    def stopped(self) -> bool:
        """Tell whether nothing more is done about the tag."""
        return self.error is not None

    @property
    def differences(self) -> int:
        """Return how many people are to get the remote tag or to lose it."""
        return self.to_add + self.to_remove


@dataclass(frozen=True, slots=True)
class SyncFailure:
    """Hold who could not be given a remote tag or freed of it; `errcode` is WeChat's, None if she does not follow."""

    ordinal: int
    errcode: int | None
