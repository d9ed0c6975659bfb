"""Resolve `broadcast`, and what admins decide about one.

These are `approveBroadcast`, `pauseBroadcast`, `resumeBroadcast`, `cancelBroadcast` and `retryBroadcast`.
"""

from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.broadcast import Broadcast
from service.domain.broadcasts.control import approval, retrying, stopping
from service.domain.jobs.lookup import find_job
from service.entities.errors import NotFoundError
from service.entities.ids import JobKey, parse_job_gid
from service.entities.jobs import Job, JobKind
from service.entities.principal import Permission

BroadcastId = Annotated[strawberry.ID, strawberry.argument(description="Id of the broadcast.")]


@strawberry.type(description="The answer to the mutations that change a broadcast.")
class BroadcastPayload:
    broadcast: Broadcast = strawberry.field(description="The broadcast after the change.")


@strawberry.type(description="The answer to `cancelBroadcast`.")
class CancelBroadcastPayload:
    broadcast: Broadcast = strawberry.field(description="The broadcast, CANCELLED unless it had finished before.")


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


@strawberry.type
class BroadcastMutations:
    @strawberry.mutation(
        description=(
            "Approves a broadcast to as many people as its audience has now; one with more at its start asks again. "
            "Only for another admin than who made it, and than who changed it last. For creators and admins "
            "(BROADCAST). Answers NOT_FOUND, CHANNEL_NOT_BOUND, or CONFLICT once it has started or ended."
        ),
        extensions=[needs(Permission.BROADCAST)],
    )
    async def approve_broadcast(self, info: Info, id: BroadcastId) -> BroadcastPayload | None:
        context = info.context
        job = await approval.approve_broadcast(context.runtime, context.actor, *numbers_of_broadcast(id))
        return BroadcastPayload(broadcast=await _shown(info, job))

    @strawberry.mutation(
        description=(
            "Stops a broadcast until it is resumed: once this is answered nobody more is sent to but those of a call "
            "that is under way. For creators and admins (BROADCAST). Answers NOT_FOUND, or CONFLICT for one that has "
            "ended."
        ),
        extensions=[needs(Permission.BROADCAST)],
    )
    async def pause_broadcast(self, info: Info, id: BroadcastId) -> BroadcastPayload | None:
        context = info.context
        job = await stopping.pause_broadcast(context.runtime, context.actor, *numbers_of_broadcast(id))
        return BroadcastPayload(broadcast=await _shown(info, job))

    @strawberry.mutation(
        description=(
            "Lets a broadcast go on that is PAUSED, and confirms what it was paused for: that it starts late, or sends "
            "what was sent alike lately. What is not mended pauses it again. After CONFIGURATION the account is called "
            "again at once, also for one that is WAITING. Others that are not paused are left alone. For creators and "
            "admins (BROADCAST). Answers NOT_FOUND, CHANNEL_NOT_BOUND, CONFLICT for one that has ended, or UPSTREAM "
            "where acting is off."
        ),
        extensions=[needs(Permission.BROADCAST)],
    )
    async def resume_broadcast(self, info: Info, id: BroadcastId) -> BroadcastPayload | None:
        context = info.context
        job = await stopping.resume_broadcast(context.runtime, context.actor, *numbers_of_broadcast(id))
        return BroadcastPayload(broadcast=await _shown(info, job))

    @strawberry.mutation(
        description=(
            "Ends a broadcast that is not finished, and the series that it is of; what was sent stays sent. For "
            "creators and admins (BROADCAST). Answers NOT_FOUND."
        ),
        extensions=[needs(Permission.BROADCAST)],
    )
    async def cancel_broadcast(self, info: Info, id: BroadcastId) -> CancelBroadcastPayload | None:
        context = info.context
        job = await stopping.cancel_broadcast(context.runtime, context.actor, *numbers_of_broadcast(id))
        return CancelBroadcastPayload(broadcast=await _shown(info, job))

    @strawberry.mutation(
        description=(
            "Sends once more to those who failed for a reason that may pass, as `retryable` of `failures` says; or "
            "with `uncertain` to exactly those of whom no answer says whether they were sent to, who may get the "
            "message twice. Only of a broadcast that is DONE or PAUSED. For creators and admins (BROADCAST). Answers "
            "NOT_FOUND, CHANNEL_NOT_BOUND, CONFLICT in any other state and while another broadcast with the same "
            "`onceOnly` starts, or UPSTREAM where acting is off."
        ),
        extensions=[needs(Permission.BROADCAST)],
    )
    async def retry_broadcast(
        self,
        info: Info,
        id: BroadcastId,
        uncertain: Annotated[
            bool,
            strawberry.argument(description="Send to the uncertain ones, at the risk that some get it twice."),
        ] = False,
    ) -> BroadcastPayload | None:
        context = info.context
        numbers = numbers_of_broadcast(id)
        job = await retrying.retry_broadcast(context.runtime, context.actor, *numbers, uncertain=uncertain)
        return BroadcastPayload(broadcast=await _shown(info, job))


async def _shown(info: Info, job: Job) -> Broadcast:
    return await Broadcast.load(info, job.channel_id, job.job_id)


def numbers_of_broadcast(text: str) -> tuple[int, int]:
    """Return the channel of a broadcast and its number there. Raises NotFoundError for any other text."""
    return parse_broadcast_gid(text)[1:]


def parse_broadcast_gid(text: str) -> JobKey:
    """Return the key of a broadcast by its global id. Raises NotFoundError for any other text."""
    key = parse_job_gid(text)
    if key.kind is not JobKind.BROADCAST:
        raise NotFoundError("broadcast")
    return key
