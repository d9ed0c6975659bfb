"""Resolve `returnEndpoint`, `obtainReturnEndpoint` and `resetReturnKey`."""

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.return_endpoint import ReturnEndpoint
from service.domain.return_data import endpoint as use_cases
from service.entities.principal import Permission


@strawberry.type(description="The answer to `obtainReturnEndpoint`.")
class ObtainReturnEndpointPayload:
    return_endpoint: ReturnEndpoint = strawberry.field(
        description="The robot's return endpoint, new or as it was, with its key."
    )


@strawberry.type(description="The answer to `resetReturnKey`.")
class ResetReturnKeyPayload:
    return_endpoint: ReturnEndpoint = strawberry.field(
        description="The robot's return endpoint with its new key; address, token and APPID are as before."
    )


@strawberry.type
class ReturnEndpointQueries:
    @strawberry.field(
        description=(
            "Where integrators hand back data; null until a creator or admin obtains it. For every role "
            "(VIEW_RETURN_ADDRESS). Answers no code of its own."
        ),
        extensions=[needs(Permission.VIEW_RETURN_ADDRESS)],
    )
    async def return_endpoint(self, info: Info) -> ReturnEndpoint | None:
        found = await use_cases.find_endpoint(info.context.runtime, info.context.principal)
        return None if found is None else ReturnEndpoint.of(found)


@strawberry.type
class ReturnEndpointMutations:
    @strawberry.mutation(
        description=(
            "Makes the robot's return endpoint, or returns the one that was obtained before. For "
            "creators and admins (MANAGE_RETURN_KEY) whose token is not narrowed to some channels. Answers no code of "
            "its own."
        ),
        extensions=[needs(Permission.MANAGE_RETURN_KEY)],
    )
    async def obtain_return_endpoint(self, info: Info) -> ObtainReturnEndpointPayload | None:
        endpoint = await use_cases.obtain_endpoint(info.context.runtime, info.context.actor)
        return ObtainReturnEndpointPayload(return_endpoint=ReturnEndpoint.of(endpoint))

    @strawberry.mutation(
        description=(
            "Replaces the key of the robot's return endpoint; the old key stops at once, address and "
            "token stay. For creators and admins (MANAGE_RETURN_KEY) whose token is not narrowed to some channels. "
            "Answers NOT_FOUND before the endpoint was obtained."
        ),
        extensions=[needs(Permission.MANAGE_RETURN_KEY)],
    )
    async def reset_return_key(self, info: Info) -> ResetReturnKeyPayload | None:
        endpoint = await use_cases.reset_key(info.context.runtime, info.context.actor)
        return ResetReturnKeyPayload(return_endpoint=ReturnEndpoint.of(endpoint))
