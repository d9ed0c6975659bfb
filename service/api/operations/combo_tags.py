"""Resolve `comboTagEditPreview`, `createComboTag` and `updateComboTag`."""

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most, long_text
from service.api.guards.permissions import needs
from service.api.operations.inputs import reject_nulls, unset_to_none
from service.api.types.combo_tag import ComboTag
from service.api.types.expression import ActiveExpression, TagExpressionInput, draft_from_input
from service.api.types.presenters import combo_to_graphql
from service.api.types.primitives import Input, TagId
from service.domain.combos import editing as use_cases
from service.domain.combos.expressions import format_expression
from service.domain.combos.preview import edit_preview
from service.domain.tags.catalogue import MAX_TAGS_PER_CHANNEL
from service.domain.tags.naming import UNCHANGED
from service.entities.ids import parse_channel_gid, parse_tag_gid
from service.entities.principal import Permission


@strawberry.input(description="A combo tag to make.")
class CreateComboTagInput:
    channel_id: strawberry.ID = strawberry.field(description="Id of the channel whose tags the combo is made of.")
    category: str = strawberry.field(
        default="Combo", description="Category of the combo (first level), 1 to 64 characters."
    )
    name: str = strawberry.field(description="Name of the combo (second level), 1 to 64 characters.")
    description: str | None = strawberry.field(
        default=None, description="What the combo means, in words, at most 1,000 characters."
    )
    expression: TagExpressionInput = strawberry.field(
        description="Who has the combo, over ACTIVE and PENDING tags of the channel."
    )


@strawberry.input(description="Changes of a combo tag; an absent field stays as it is.")
class UpdateComboTagInput:
    id: strawberry.ID = strawberry.field(description="Id of the combo.")
    category: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="New category (first level), 1 to 64 characters; null is BAD_USER_INPUT.",
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="New name (second level), 1 to 64 characters; null is BAD_USER_INPUT."
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="What the combo means, in words, at most 1,000 characters; null clears it.",
    )
    expression: TagExpressionInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Who has the combo from now on; it has no members until they are computed. Null is BAD_USER_INPUT.",
    )
    expected_version: int | None = strawberry.field(
        default=None,
        description=(
            "`version` of the combo as it was read; CONFLICT when it is another by now, no check when absent."
        ),
    )


@strawberry.type(description="The answer to `createComboTag`.")
class CreateComboTagPayload:
    tag: ComboTag = strawberry.field(
        description="The combo that was made, PENDING; `tagEvents` tells when it is ACTIVE."
    )


@strawberry.type(description="The answer to `updateComboTag`.")
class UpdateComboTagPayload:
    tag: ComboTag = strawberry.field(description="The combo after the change, PENDING if its expression was changed.")


@strawberry.type(description="The consequences of another expression for a combo, as counted now.")
class ComboTagEditPreview:
    tag: ComboTag = strawberry.field(description="The combo as it is, before any change.")
    text: str = strawberry.field(description="The new expression as people read it.", metadata=long_text(200))
    member_count: int = strawberry.field(description="How many people would have the combo.")
    gains: int = strawberry.field(description="How many people would gain the combo.")
    loses: int = strawberry.field(description="How many people would lose the combo.")
    follows: list[ComboTag] = strawberry.field(
        description="Combos made of this one, directly or through others, whose members would follow.",
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=20),
    )


@strawberry.type
class ComboTagQueries:
    @strawberry.field(
        description=(
            "Counts over ACTIVE tags what `updateComboTag` with this expression would do, and changes "
            "nothing. For creators and admins (MANAGE_TAGS). Answers BAD_USER_INPUT, LIMIT_EXCEEDED, "
            "CYCLE, TAG_NOT_USABLE, TAG_PROTECTED, CHANNEL_NOT_BOUND or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def combo_tag_edit_preview(
        self,
        info: Info,
        id: TagId,
        expression: ActiveExpression,
    ) -> ComboTagEditPreview | None:
        found = await edit_preview(
            info.context.runtime, info.context.principal, *parse_tag_gid(id), draft_from_input(expression)
        )
        catalogue = info.context.named(found.graph.catalogue)
        return ComboTagEditPreview(
            tag=combo_to_graphql(found.tag, catalogue),
            text=format_expression(catalogue, found.expression),
            member_count=found.members,
            gains=found.gains,
            loses=found.loses,
            follows=[combo_to_graphql(each, catalogue) for each in found.affected],
        )


@strawberry.type
class ComboTagMutations:
    @strawberry.mutation(
        description=(
            "Makes a combo tag, which is PENDING until its members are computed. For creators and admins "
            "(MANAGE_TAGS). Answers BAD_USER_INPUT, LIMIT_EXCEEDED, TAG_NOT_USABLE, NAME_TAKEN, "
            "CHANNEL_NOT_BOUND or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def create_combo_tag(self, info: Info, input: Input[CreateComboTagInput]) -> CreateComboTagPayload | None:
        new = use_cases.NewCombo(input.category, input.name, input.description, draft_from_input(input.expression))
        made = await use_cases.create_combo(
            info.context.runtime, info.context.actor, parse_channel_gid(input.channel_id), new
        )
        return CreateComboTagPayload(tag=combo_to_graphql(made.tag, info.context.named(made.graph.catalogue)))

    @strawberry.mutation(
        description=(
            "Changes a combo tag. A new expression supersedes a computation that is still running, and "
            "takes a LAPSED combo, with whatever lapsed only through it, back to PENDING. For creators "
            "and admins (MANAGE_TAGS). Answers BAD_USER_INPUT, LIMIT_EXCEEDED, CYCLE, TAG_NOT_USABLE, "
            "NAME_TAKEN, CONFLICT, TAG_PROTECTED, CHANNEL_NOT_BOUND or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def update_combo_tag(self, info: Info, input: Input[UpdateComboTagInput]) -> UpdateComboTagPayload | None:
        reject_nulls(input, "category", "name", "expression")
        expression = unset_to_none(input.expression)
        edit = use_cases.ComboEdit(
            category=unset_to_none(input.category),
            name=unset_to_none(input.name),
            description=UNCHANGED if input.description is strawberry.UNSET else input.description,
            expression=None if expression is None else draft_from_input(expression),
            expected_version=input.expected_version,
        )
        edited = await use_cases.update_combo(info.context.runtime, info.context.actor, *parse_tag_gid(input.id), edit)
        return UpdateComboTagPayload(tag=combo_to_graphql(edited.tag, info.context.named(edited.graph.catalogue)))
