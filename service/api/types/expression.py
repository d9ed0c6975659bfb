"""Read the expressions that clients write, and show those that are stored."""

from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most, long_text, of_a_tree
from service.api.guards.permissions import null_unless
from service.api.types.tag import Tag
from service.domain.combos.expressions import (
    MAX_DEPTH,
    MAX_LEAVES,
    NO_BROADCASTS,
    BroadcastNames,
    format_expression,
)
from service.entities.errors import NotFoundError
from service.entities.expressions import (
    DifferenceDraft,
    Draft,
    Expression,
    FollowersDraft,
    NaryDraft,
    Operator,
    ReceivedDraft,
    TagDraft,
    TooDeepDraft,
    UnknownBroadcastDraft,
    UnknownTagDraft,
)
from service.entities.ids import parse_job_gid, parse_tag_gid
from service.entities.jobs import JobKind
from service.entities.principal import Permission
from service.entities.tags import Catalogue

if TYPE_CHECKING:
    from service.api.types.broadcast import Broadcast

LazyBroadcast: TypeAlias = Annotated["Broadcast", strawberry.lazy("service.api.types.broadcast")]
BROADCAST_DESCRIPTION: Final = (
    "Broadcast at a leaf; null unless `operator` is RECEIVED, and when it is no longer kept. For creators and admins "
    "(BROADCAST), null for others."
)


@strawberry.input(
    one_of=True,
    description=(
        "A set of people, described by exactly one of the fields. Operators nest at most 8 deep "
        "over at most 100 leaves, LIMIT_EXCEEDED beyond; all tags and broadcasts must be of one channel, NOT_FOUND "
        "otherwise."
    ),
)
class TagExpressionInput:
    """Take a set of people as a client writes it; GraphQL lets exactly one field through."""

    tag: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="All people who have the tag of this id."
    )
    all: list["TagExpressionInput"] | None = strawberry.field(
        default=strawberry.UNSET, description="All people who are in every one of these sets; at least one is needed."
    )
    any: list["TagExpressionInput"] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All people who are in at least one of these sets; at least one is needed.",
    )
    except_: Annotated["TagDifferenceInput", strawberry.lazy("service.api.types.expression")] | None = strawberry.field(
        name="except", default=strawberry.UNSET, description="All people who are in one set and not in another."
    )
    followers: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "All people who follow, in a Mini Program all who have interacted with it, as for its default tags. Only "
            "true is taken, BAD_USER_INPUT otherwise."
        ),
    )
    received: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "All people whom the broadcast of this id was sent to, uncertain ones included, and while it is unfinished "
            "those whom it is still to be sent to; of a series, in all its runs. In audiences and broadcasts, "
            "BAD_USER_INPUT in combos. For those who may broadcast, FORBIDDEN for others. NOT_FOUND for a broadcast of "
            "another channel, and for one of which this is no longer kept."
        ),
    )


@strawberry.input(description="The difference of two sets: all people in `from` who are not in `remove`.")
class TagDifferenceInput:
    """Take the two operands of a difference."""

    from_: TagExpressionInput = strawberry.field(name="from", description="Set from which people are taken away.")
    remove: TagExpressionInput = strawberry.field(description="Set of the people who are taken away.")


ActiveExpression: TypeAlias = Annotated[
    TagExpressionInput, strawberry.argument(description="Expression over ACTIVE tags of the channel.")
]


def draft_from_input(expression_input: TagExpressionInput, depth: int = 0) -> Draft:
    """Return what the domain reads; GraphQL made sure that exactly one field is given."""
    if expression_input.tag is not strawberry.UNSET and expression_input.tag is not None:
        return _leaf_draft(expression_input.tag)
    if expression_input.followers is not strawberry.UNSET and expression_input.followers is not None:
        return FollowersDraft(expression_input.followers)
    if expression_input.received is not strawberry.UNSET and expression_input.received is not None:
        return _received_draft(expression_input.received)
    if depth > MAX_DEPTH:
        return TooDeepDraft()
    if expression_input.all:
        return NaryDraft(Operator.ALL, tuple(draft_from_input(each, depth + 1) for each in expression_input.all))
    if expression_input.any:
        return NaryDraft(Operator.ANY, tuple(draft_from_input(each, depth + 1) for each in expression_input.any))
    if expression_input.except_:
        return DifferenceDraft(
            draft_from_input(expression_input.except_.from_, depth + 1),
            draft_from_input(expression_input.except_.remove, depth + 1),
        )
    return NaryDraft(Operator.ANY if expression_input.any == [] else Operator.ALL, ())


def _leaf_draft(gid: str) -> Draft:
    try:
        return TagDraft(*parse_tag_gid(gid))
    except NotFoundError:
        return UnknownTagDraft()


def _received_draft(gid: str) -> Draft:
    try:
        key = parse_job_gid(gid)
    except NotFoundError:
        return UnknownBroadcastDraft()
    return ReceivedDraft(key.channel_id, key.job_id) if key.kind is JobKind.BROADCAST else UnknownBroadcastDraft()


@strawberry.type(description="One node of an expression, as listed in `TagExpression.flat`.")
class TagExpressionNode:
    """Show one node of an expression in the flat list."""

    node: strawberry.Private[Expression]
    channel_id: strawberry.Private[int]
    index: int = strawberry.field(description="Place of the node in the list, from 0.")
    parent: int | None = strawberry.field(
        description="Index of the node of which this one is an operand; null for the root."
    )
    operator: Operator = strawberry.field(
        description="How the operands of the node are combined; TAG, FOLLOWERS or RECEIVED at a leaf."
    )
    tag: Tag | None = strawberry.field(
        description="Tag at a leaf, with `deletedAt` if it was deleted; null unless `operator` is TAG."
    )

    @strawberry.field(description=BROADCAST_DESCRIPTION, extensions=[null_unless(Permission.BROADCAST)])
    async def broadcast(self, info: Info) -> LazyBroadcast | None:
        return await _leaf_broadcast(info, self.node, self.channel_id)


@strawberry.type(description="A set of people, put together from tags of one channel.")
class TagExpression:
    """Show an expression, as a tree or as a flat list."""

    expression: strawberry.Private[Expression]
    catalogue: strawberry.Private[Catalogue]
    broadcasts: strawberry.Private[BroadcastNames]
    operator: Operator = strawberry.field(
        description="How the operands are combined; TAG, FOLLOWERS or RECEIVED at a leaf."
    )

    @strawberry.field(description="Tag at a leaf, with `deletedAt` if it was deleted; null unless `operator` is TAG.")
    def tag(self, info: Info) -> Tag | None:
        return _leaf_tag(info, self.expression, self.catalogue)

    @strawberry.field(description=BROADCAST_DESCRIPTION, extensions=[null_unless(Permission.BROADCAST)])
    async def broadcast(self, info: Info) -> LazyBroadcast | None:
        return await _leaf_broadcast(info, self.expression, self.catalogue.channel_id)

    @strawberry.field(
        description="Sets that are combined, in order; those of EXCEPT are `from` and `remove`. Empty at a leaf.",
        metadata=of_a_tree(MAX_LEAVES, usual=10),
    )
    def operands(self) -> list["TagExpression"]:
        return [expression_to_graphql(each, self.catalogue, self.broadcasts) for each in self.expression.operands]

    @strawberry.field(
        description="The expression as people read it, for example (New user ∩ Opened) − Ordered.",
        metadata=long_text(200),
    )
    def text(self) -> str:
        return format_expression(self.catalogue, self.expression, self.broadcasts)

    @strawberry.field(
        description=(
            "All nodes of the expression in one list, parents before their operands, operands in order: "
            "what an editor loads in one selection."
        ),
        metadata=at_most(2 * MAX_LEAVES, usual=20),
    )
    def flat(self, info: Info) -> list[TagExpressionNode]:
        return [
            TagExpressionNode(
                node=node,
                channel_id=self.catalogue.channel_id,
                index=index,
                parent=parent,
                operator=node.operator,
                tag=_leaf_tag(info, node, self.catalogue),
            )
            for index, parent, node in self.expression.flat()
        ]


def expression_to_graphql(
    expression: Expression, catalogue: Catalogue, broadcasts: BroadcastNames = NO_BROADCASTS
) -> TagExpression:
    """Return an expression with the catalogue that names its tags, and the names of its broadcasts."""
    return TagExpression(
        expression=expression, catalogue=catalogue, broadcasts=broadcasts, operator=expression.operator
    )


def _leaf_tag(info: Info, node: Expression, catalogue: Catalogue) -> Tag | None:
    found = catalogue.tags.get(node.tag_id) if node.operator is Operator.TAG else None
    return None if found is None else info.context.presenters.tag(found, catalogue)


async def _leaf_broadcast(info: Info, node: Expression, channel_id: int) -> "Broadcast | None":
    if node.operator is not Operator.RECEIVED:
        return None
    found: Broadcast | None = await info.context.presenters.broadcast(info, channel_id, node.job_id)
    return found
