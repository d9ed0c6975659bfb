"""Resolve `node` and `nodes`: find anything by its id."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Final

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import as_many_as
from service.api.guards.permissions import TYPE_PERMISSIONS, needs
from service.api.operations.channels import channel_by_id
from service.api.operations.jobs import job_by_id
from service.api.operations.tags import tag_by_id
from service.api.operations.users import user_by_id
from service.api.types.audit_entry import AuditEntry
from service.api.types.primitives import Node, NodeId
from service.api.types.return_endpoint import endpoint_node
from service.api.types.return_tag import receipt_node
from service.api.types.webhook import webhook_delivery_node, webhook_endpoint_node
from service.domain.audit.reading import find_audit_entry
from service.entities.errors import LimitExceededError, NotFoundError
from service.entities.ids import SplitGid, parse_audit_entry_gid, parse_receipt_gid, split_gid
from service.entities.jobs import JobKind
from service.entities.principal import Permission

MAX_NODES_PER_QUERY = 100


@strawberry.type
class NodeQueries:
    @strawberry.field(
        description=(
            "One object of any type by its id. For every role (VIEW_TAGS). Answers NOT_FOUND, also for a "
            "type that the role may not see."
        ),
        extensions=[needs(Permission.VIEW_TAGS)],
    )
    async def node(self, info: Info, id: NodeId) -> Node | None:
        return await _load_node(info, id)

    @strawberry.field(
        description=(
            "At most 100 objects of any types by their ids, in the order of the ids; null where there is "
            "none, or the role may not see it. For every role (VIEW_TAGS). Answers LIMIT_EXCEEDED."
        ),
        metadata=as_many_as("ids", most=MAX_NODES_PER_QUERY),
        extensions=[needs(Permission.VIEW_TAGS)],
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(
                description="At most 100 ids of objects of any types that implement Node, LIMIT_EXCEEDED beyond."
            ),
        ],
    ) -> list[Node | None]:
        if len(ids) > MAX_NODES_PER_QUERY:
            raise LimitExceededError(f"At most {MAX_NODES_PER_QUERY} nodes at once.")
        return list(await asyncio.gather(*(load_node_or_none(info, each) for each in ids)))


async def _load_node(info: Info, gid: str) -> Node | None:
    """Return any object by its id. Raises NotFoundError, also for a type that the role may not see."""
    type_name = (split_gid(gid) or SplitGid("", ())).type_name
    needed = TYPE_PERMISSIONS.get(type_name)
    if needed is None or type_name not in FINDERS or not info.context.principal.may(needed):
        raise NotFoundError("node")
    return await FINDERS[type_name](info, gid)


async def _receipt(info: Info, gid: str) -> Node | None:
    return await receipt_node(info, parse_receipt_gid(gid))


async def _return_endpoint(info: Info, gid: str) -> Node:
    split = split_gid(gid)
    return await endpoint_node(info, split.numbers if split else ())


async def _audit_entry(info: Info, gid: str) -> Node:
    context = info.context
    found = await find_audit_entry(context.runtime, context.principal, *parse_audit_entry_gid(gid))
    return AuditEntry.of(found, load_node_or_none)


async def load_node_or_none(info: Info, gid: str) -> Node | None:
    """Return any object by its id, None where there is none or the role may not see it."""
    try:
        return await _load_node(info, gid)
    except NotFoundError:
        return None


# What finds an object by its id, by the name of its type.
FINDERS: Final[Mapping[str, Callable[[Info, str], Awaitable[Node | None]]]] = {
    "Channel": channel_by_id,
    "Tag": partial(tag_by_id, living=False),
    "User": user_by_id,
    **dict.fromkeys(map(str, JobKind), job_by_id),
    "ReturnReceipt": _receipt,
    "ReturnEndpoint": _return_endpoint,
    "WebhookEndpoint": webhook_endpoint_node,
    "WebhookDelivery": webhook_delivery_node,
    "AuditEntry": _audit_entry,
}
