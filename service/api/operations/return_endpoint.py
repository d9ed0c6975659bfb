"""Obtain the return endpoint and reset its key."""

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.return_endpoint import ReturnEndpoint
from service.domain.return_data import endpoint as use_cases
from service.entities.principal import Permission


@strawberry.type(description="The return endpoint, new or as it was.")
class ObtainReturnEndpointPayload:
    return_endpoint: ReturnEndpoint = strawberry.field(description="With its key.")


@strawberry.type(description="The return endpoint with its new key.")
class ResetReturnKeyPayload:
    return_endpoint: ReturnEndpoint = strawberry.field(description="Address, token and APPID are as before.")


@strawberry.type
class ReturnEndpointMutations:
    @strawberry.mutation(
        description="Returns what there is when it was obtained before.",
        extensions=[needs(Permission.MANAGE_RETURN_KEY)],
    )
    async def obtain_return_endpoint(self, info: Info) -> ObtainReturnEndpointPayload | None:
        endpoint = await use_cases.obtain_endpoint(info.context.runtime, info.context.principal)
        return ObtainReturnEndpointPayload(return_endpoint=ReturnEndpoint.of(endpoint))

    @strawberry.mutation(
        description="The address and token stay; the key changes, and the old one is dead at once.",
        extensions=[needs(Permission.MANAGE_RETURN_KEY)],
    )
    async def reset_return_key(self, info: Info) -> ResetReturnKeyPayload | None:
        endpoint = await use_cases.reset_key(info.context.runtime, info.context.principal)
        return ResetReturnKeyPayload(return_endpoint=ReturnEndpoint.of(endpoint))


@strawberry.type
class ReturnEndpointQueries:
    @strawberry.field(
        description="Where integrators hand data back; null until obtained.",
        extensions=[needs(Permission.VIEW_RETURN_ADDRESS)],
    )
    async def return_endpoint(self, info: Info) -> ReturnEndpoint | None:
        found = await use_cases.find_endpoint(info.context.runtime, info.context.principal)
        return None if found is None else ReturnEndpoint.of(found)
