"""Show the job that asks WeChat for the openids of a migrated account."""

from typing import Any

import strawberry

from service.api.context import Info
from service.api.types.job import Job, job_fields
from service.api.types.primitives import Node
from service.entities.jobs import Job as JobEntity


@strawberry.type(
    description=(
        "A job that asks WeChat which openids the followers of a migrated account got, and gives them those. For "
        "creators and admins (MANAGE_CHANNELS)."
    )
)
class OpenidMigration(Job, Node):
    """Show how many people have been asked about, and what became of them."""

    moved: int = strawberry.field(description="How many people have a new openid by this job.")
    united: int = strawberry.field(description="How many people were known under both openids, and are one person now.")
    unknown: int = strawberry.field(
        description="Of how many WeChat told no new openid, as those who were no followers of the account before."
    )
    rejected: int = strawberry.field(
        description="How many people keep the old openid, since what is known of the new one contradicts the pair."
    )

    @classmethod
    def of(cls, _: Info, entity: JobEntity, *, is_open: bool) -> "OpenidMigration":
        """Return the object of a job, `is_open` telling of the gate; behind a closed one nobody is counted."""
        counts: dict[str, Any] = {
            name: entity.payload[name] if is_open else 0 for name in ("moved", "united", "unknown", "rejected")
        }
        return cls(**job_fields(entity, is_open=is_open), **counts)
