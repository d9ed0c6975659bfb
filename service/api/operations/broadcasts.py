"""Resolve `broadcast`: what is sent to whom, and how far it is."""

from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.broadcast import Broadcast
from service.domain.jobs.lookup import find_job
from service.entities.errors import NotFoundError
from service.entities.ids import JobKey, parse_job_gid
from service.entities.jobs import JobKind
from service.entities.principal import Permission

BroadcastId = Annotated[strawberry.ID, strawberry.argument(description="Id of the broadcast.")]


@strawberry.type
class BroadcastQueries:
    @strawberry.field(
        description="One broadcast by its id. For creators and admins (BROADCAST). Answers NOT_FOUND.",
        extensions=[needs(Permission.BROADCAST)],
    )
    async def broadcast(self, info: Info, id: BroadcastId) -> Broadcast | None:
        key = parse_broadcast_gid(id)
        job = await find_job(info.context.runtime, info.context.principal, *key)
        return await Broadcast.load(info, job.channel_id, job.job_id)


def parse_broadcast_gid(text: str) -> JobKey:
    """Return the key of a broadcast by its global id. Raises NotFoundError for any other text."""
    key = parse_job_gid(text)
    if key.kind is not JobKind.BROADCAST:
        raise NotFoundError("broadcast")
    return key
