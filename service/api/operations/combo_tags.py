"""Combo tags: made of other tags, their states, and what an edit would do."""

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.operations.inputs import reject_nulls, unset_to_none
from service.api.types.combo_tag import ComboTag
from service.api.types.expression import TagExpressionInput, draft_from_input
from service.api.types.presenters import combo_to_graphql
from service.api.types.primitives import Input, TagId
from service.domain.combos import editing as use_cases
from service.domain.combos.preview import edit_preview
from service.domain.tags.naming import UNCHANGED
from service.entities.enums import Permission
from service.entities.ids import parse_channel_gid, parse_tag_gid


@strawberry.input(description="A combo to make of tags that are not LAPSED.")
class CreateComboTagInput:
    channel_id: strawberry.ID = strawberry.field(description="Where its tags are.")
    category: str = strawberry.field(default="Combo", description="First level, 1 to 64 characters.")
    name: str = strawberry.field(description="Second level, 1 to 64 characters.")
    description: str | None = strawberry.field(default=None, description="What it means, in words.")
    expression: TagExpressionInput = strawberry.field(description="Who has it.")


@strawberry.input(description="What to change; an absent field stays as it is, and a null description is removed.")
class UpdateComboTagInput:
    id: strawberry.ID = strawberry.field(description="The combo.")
    category: str | None = strawberry.field(default=strawberry.UNSET, description="First level.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Second level.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What it means, in words.")
    expression: TagExpressionInput | None = strawberry.field(
        default=strawberry.UNSET, description="Who has it; until that is computed nobody has it."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="`version` as it was read; CONFLICT when it is another by now."
    )


@strawberry.type(description="The combo that was made.")
class CreateComboTagPayload:
    tag: ComboTag = strawberry.field(description="PENDING; `tagEvents` tells when it is ACTIVE.")


@strawberry.type(description="The combo as it is now.")
class UpdateComboTagPayload:
    tag: ComboTag = strawberry.field(description="PENDING when its expression was changed.")


@strawberry.type(description="What another expression would do, as counted now.")
class ComboTagEditPreview:
    tag: ComboTag = strawberry.field(description="The combo as it is.")
    text: str = strawberry.field(description="The new expression for people.")
    member_count: int = strawberry.field(description="How many would have it.")
    gains: int = strawberry.field(description="How many of them do not have it now.")
    loses: int = strawberry.field(description="How many have it now and would not.")
    follows: list[ComboTag] = strawberry.field(description="The combos that are made of it and would follow.")


@strawberry.type
class ComboTagQueries:
    @strawberry.field(
        description="What `updateComboTag` with this expression would do, counted over ACTIVE tags.",
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def combo_tag_edit_preview(
        self,
        info: Info,
        id: TagId,  # noqa: A002
        expression: Input[TagExpressionInput],
    ) -> ComboTagEditPreview | None:
        found = await edit_preview(
            info.context.runtime, info.context.principal, *parse_tag_gid(id), draft_from_input(expression)
        )
        catalogue = found.graph.catalogue
        return ComboTagEditPreview(
            tag=combo_to_graphql(found.tag, catalogue),
            text=found.text,
            member_count=found.members,
            gains=found.gains,
            loses=found.loses,
            follows=[combo_to_graphql(each, catalogue) for each in found.affected],
        )


@strawberry.type
class ComboTagMutations:
    @strawberry.mutation(
        description="Makes a combo; it is PENDING until its members are computed.",
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def create_combo_tag(self, info: Info, input: Input[CreateComboTagInput]) -> CreateComboTagPayload | None:  # noqa: A002
        new = use_cases.NewCombo(input.category, input.name, input.description, draft_from_input(input.expression))
        graph, tag = await use_cases.create_combo(
            info.context.runtime, info.context.principal, parse_channel_gid(input.channel_id), new
        )
        return CreateComboTagPayload(tag=combo_to_graphql(tag, graph.catalogue))

    @strawberry.mutation(
        description="Edits a combo. Another expression supersedes a computation that is still running, and revives a "
        "LAPSED combo with whatever lapsed only through it.",
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def update_combo_tag(self, info: Info, input: Input[UpdateComboTagInput]) -> UpdateComboTagPayload | None:  # noqa: A002
        reject_nulls(input, "category", "name", "expression")
        edit = use_cases.ComboEdit(
            category=unset_to_none(input.category),
            name=unset_to_none(input.name),
            description=UNCHANGED if input.description is strawberry.UNSET else input.description,
            expression=None
            if unset_to_none(input.expression) is None
            else draft_from_input(unset_to_none(input.expression)),
            expected_version=input.expected_version,
        )
        graph, tag = await use_cases.update_combo(
            info.context.runtime, info.context.principal, *parse_tag_gid(input.id), edit
        )
        return UpdateComboTagPayload(tag=combo_to_graphql(tag, graph.catalogue))
