"""Show entries of the audit log."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeAlias

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import long_text, takes_as_long_as
from service.api.types.primitives import Node
from service.domain.audit.chain import values_text
from service.entities.audit import AuditOutcome
from service.entities.audit_chain import LoggedEntry
from service.entities.errors import ErrorCode, RequestError
from service.entities.ids import gid
from service.entities.principal import Role

# Finds any object by its id; None where there is none, or the role may not see it.
FindNode: TypeAlias = Callable[[Info, str], Awaitable[Node | None]]
# Values: some objects are found by a statement of their own.
FINDING: int = 10


@strawberry.type(
    description=(
        "An administrative act, or a refusal of one. What points at a person stands there as a keyed hash. For "
        "creators and admins (VIEW_AUDIT_LOG) whose token is not narrowed to some channels."
    )
)
class AuditEntry(Node):
    """Show an entry of the audit log; what it is about is looked up when it is selected."""

    logged: strawberry.Private[LoggedEntry]
    find_node: strawberry.Private[FindNode]
    at: datetime = strawberry.field(description="When it was done; of refusals the first of the minute.")
    subject: str = strawberry.field(description="Who did it: `sub` of the token.")
    role: Role = strawberry.field(description="Role of who did it.")
    action: str = strawberry.field(description="Name of the mutation.")
    target_id: strawberry.ID | None = strawberry.field(
        description="Id of what it was about, if it was about one object."
    )
    detail: str | None = strawberry.field(description="What else is to be said, for people.")
    outcome: AuditOutcome = strawberry.field(description="How it ended.")
    error_code: ErrorCode | None = strawberry.field(description="Code that was answered; null for what was done.")
    request_id: str = strawberry.field(
        description="Id of the request, as `X-Request-Id` had it; of refusals that of the first. Empty where none came."
    )
    client_address: str | None = strawberry.field(
        description="Address of the client, as far as trusted proxies know it."
    )
    count: int = strawberry.field(description="How many alike within the same minute: more than 1 for refusals only.")
    number: str | None = strawberry.field(
        description="Place in the chain of the robot, from 1; null until it is sealed, seconds later."
    )
    hash: str | None = strawberry.field(
        description="SHA-256, in hexadecimal, over the entry before and this one; null until it is sealed."
    )

    @classmethod
    def of(cls, logged: LoggedEntry, find_node: FindNode) -> "AuditEntry":
        """Return the object of an entry."""
        entry, number, own_hash = logged
        return cls(
            id=strawberry.ID(gid("AuditEntry", entry.channel_id, entry.entry_id)),
            logged=logged,
            find_node=find_node,
            at=entry.at,
            subject=entry.subject,
            role=Role(entry.role),
            action=entry.action,
            target_id=None if entry.target_id is None else strawberry.ID(entry.target_id),
            detail=entry.detail,
            outcome=entry.outcome,
            error_code=None if entry.error_code is None else ErrorCode(entry.error_code),
            request_id=entry.origin.request_id,
            client_address=entry.origin.client_address,
            count=entry.count,
            number=None if number is None else str(number),
            hash=None if own_hash is None else own_hash.hex(),
        )

    @strawberry.field(
        description="What it was about, as it is now; null where it is gone, or who asks may not see it.",
        metadata=takes_as_long_as(FINDING),
    )
    async def target(self, info: Info) -> Node | None:
        if self.target_id is None:
            return None
        try:
            return await self.find_node(info, self.target_id)
        except RequestError:
            return None

    @strawberry.field(
        description="What it changed, as it was: an object of JSON, without secrets; null where nothing was.",
        metadata=long_text(200),
    )
    def before(self) -> str | None:
        return values_text(self.logged.entry.before)

    @strawberry.field(
        description="What it changed, as it is since: an object of JSON, without secrets; null where nothing is.",
        metadata=long_text(200),
    )
    def after(self) -> str | None:
        return values_text(self.logged.entry.after)
