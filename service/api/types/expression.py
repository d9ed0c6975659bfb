"""Expressions as clients write and read them."""

from typing import Annotated, Final

import strawberry

from service.api.context import Info
from service.api.types.tag import Tag
from service.domain.combos.expressions import MAX_DEPTH, format_expression
from service.entities.errors import NotFoundError
from service.entities.expressions import (
    DifferenceDraft,
    Draft,
    Expression,
    NaryDraft,
    Operator,
    TagDraft,
    TooDeepDraft,
    UnknownTagDraft,
)
from service.entities.ids import parse_tag_gid
from service.entities.tags import Catalogue

OPERATOR_DESCRIPTIONS: Final = {
    "TAG": "Those who have one tag.",
    "ALL": "Those who are in every operand.",
    "ANY": "Those who are in at least one operand.",
    "EXCEPT": "Those who are in the first operand and not in the second.",
}

strawberry.enum(Operator, name="TagOperator", description="How sets are put together.")
for value in Operator.__strawberry_definition__.values:  # type: ignore[attr-defined]
    value.description = OPERATOR_DESCRIPTIONS[value.name]


@strawberry.input(
    one_of=True,
    description="Exactly one of the four. Operators nested at most 8 deep, at most 100 tags, all of one channel.",
)
class TagExpressionInput:
    tag: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Those who have this tag.")
    all: list["TagExpressionInput"] | None = strawberry.field(
        default=strawberry.UNSET, description="Those who are in every operand."
    )
    any: list["TagExpressionInput"] | None = strawberry.field(
        default=strawberry.UNSET, description="Those who are in at least one operand."
    )
    except_: Annotated["TagDifferenceInput", strawberry.lazy("service.api.types.expression")] | None = strawberry.field(
        name="except", default=strawberry.UNSET, description="Those who are in one and not in the other."
    )


@strawberry.input(description="A difference of two sets.")
class TagDifferenceInput:
    from_: TagExpressionInput = strawberry.field(name="from", description="Who is in it …")
    remove: TagExpressionInput = strawberry.field(description="… unless they are in this.")


def draft_from_input(expression_input: TagExpressionInput, depth: int = 0) -> Draft:
    """Return what the domain reads; GraphQL made sure that exactly one field is given."""
    if expression_input.tag is not strawberry.UNSET and expression_input.tag is not None:
        return _leaf_draft(expression_input.tag)
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


@strawberry.type(description="One node of an expression, in a flat list.")
class TagExpressionNode:
    index: int = strawberry.field(description="Its place in the list.")
    parent: int | None = strawberry.field(description="The index of the node it is an operand of; null for the root.")
    operator: Operator = strawberry.field(description="How its operands are put together.")
    tag: Tag | None = strawberry.field(description="Null unless operator is TAG; a deleted tag has `deletedAt`.")


@strawberry.type(description="`text` reads like: (New user ∩ Opened) − Ordered. Operands of EXCEPT: from, remove.")
class TagExpression:
    expression: strawberry.Private[Expression]
    catalogue: strawberry.Private[Catalogue]
    operator: Operator = strawberry.field(description="How the operands are put together.")

    @strawberry.field(description="Null unless operator is TAG; a deleted tag has `deletedAt`.")
    def tag(self, info: Info) -> Tag | None:
        return _leaf_tag(info, self.expression, self.catalogue)

    @strawberry.field(description="In order; those of EXCEPT are from and remove.")
    def operands(self) -> list["TagExpression"]:
        return [expression_to_graphql(each, self.catalogue) for each in self.expression.operands]

    @strawberry.field(description="For people.")
    def text(self) -> str:
        return format_expression(self.catalogue, self.expression)

    @strawberry.field(
        description="The whole tree in one selection, parents first, operands in order: what an editor loads."
    )
    def flat(self, info: Info) -> list[TagExpressionNode]:
        return [
            TagExpressionNode(
                index=index, parent=parent, operator=node.operator, tag=_leaf_tag(info, node, self.catalogue)
            )
            for index, parent, node in self.expression.flat()
        ]


def expression_to_graphql(expression: Expression, catalogue: Catalogue) -> TagExpression:
    """Return an expression with the catalogue that names its tags."""
    return TagExpression(expression=expression, catalogue=catalogue, operator=expression.operator)


def _leaf_tag(info: Info, node: Expression, catalogue: Catalogue) -> Tag | None:
    found = catalogue.tags.get(node.tag_id) if node.operator is Operator.TAG else None
    return None if found is None else info.context.presenters.tag(found, catalogue)
