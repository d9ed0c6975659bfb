"""Name the background tasks that one process hands to another."""

from enum import StrEnum


class TaskName(StrEnum):
    """Name each task that is enqueued. A user's job is no task: it is worked on by the task PROCESS_JOB.

    The values lie in Valkey while processes of two releases run side by side, so they do not change.
    """

    ACTIVATE_COMBO = "activate_combo"
    CLEAR_MEMBERS = "clear_members"
    REFRESH_COMBOS = "refresh_combos"
    PROCESS_JOB = "process_job"
