"""The return address of a robot, and its key."""

from datetime import datetime

import strawberry

from service.api.context import Info
from service.api.nodes import Node
from service.api.permissions import needs, null_unless
from service.domain import return_endpoints as use_cases
from service.entities.enums import Permission
from service.entities.errors import NotFoundError
from service.entities.ids import gid, parse_gid
from service.entities.return_data import ReturnEndpoint as EndpointEntity


@strawberry.type(
    description="Where integrators hand data back with the WeChat platform's own call. `address` (with the token in "
    "its path) is for everybody with a role; `key` is null for agents and integrators."
)
class ReturnEndpoint(Node):
    entity: strawberry.Private[EndpointEntity]
    app_id: str = strawberry.field(description="The robot's own APPID, at the end of each envelope.")
    obtained_at: datetime = strawberry.field(description="When it was first obtained.")
    key_reset_at: datetime | None = strawberry.field(description="When the key was last changed.")
    last_call_at: datetime | None = strawberry.field(description="Last call that decrypted, to the minute.")

    @classmethod
    def of(cls, entity: EndpointEntity) -> "ReturnEndpoint":
        return cls(
            id=strawberry.ID(gid("ReturnEndpoint", entity.endpoint_id)),
            entity=entity,
            app_id=entity.app_id,
            obtained_at=entity.obtained_at,
            key_reset_at=entity.key_reset_at,
            last_call_at=entity.last_call_at,
        )

    @strawberry.field(description="The whole URL to POST to.")
    def address(self, info: Info) -> str:
        return use_cases.address_of(info.context.runtime, self.entity)

    @strawberry.field(description="The TOKEN, as it is in the address.")
    def token(self, info: Info) -> str:
        return use_cases.token_of(info.context.runtime, self.entity)

    @strawberry.field(
        description="The EncodingAESKey, 43 characters. Creators and admins only, null for others.",
        extensions=[null_unless(Permission.MANAGE_RETURN_KEY)],
    )
    def key(self, info: Info) -> str | None:
        return use_cases.key_of(info.context.runtime, self.entity)


async def endpoint_node(info: Info, gid_text: str) -> ReturnEndpoint:
    """The robot's endpoint by its id; raises NotFoundError."""
    endpoint = await use_cases.find_endpoint(info.context.runtime, info.context.principal)
    if endpoint is None or parse_gid(gid_text, "ReturnEndpoint", 1) != (endpoint.endpoint_id,):
        raise NotFoundError("return endpoint")
    return ReturnEndpoint.of(endpoint)


@strawberry.type(description="The return endpoint, new or as it was.")
class ObtainReturnEndpointPayload:
    return_endpoint: ReturnEndpoint = strawberry.field(description="With its key.")


@strawberry.type(description="The return endpoint with its new key.")
class ResetReturnKeyPayload:
    return_endpoint: ReturnEndpoint = strawberry.field(description="Address, token and APPID are as before.")


@strawberry.type
class ReturnEndpointQueries:
    @strawberry.field(
        description="Where integrators hand data back; null until obtained.",
        extensions=[needs(Permission.VIEW_RETURN_ADDRESS)],
    )
    async def return_endpoint(self, info: Info) -> ReturnEndpoint | None:
        found = await use_cases.find_endpoint(info.context.runtime, info.context.principal)
        return None if found is None else ReturnEndpoint.of(found)


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
