"""Combo tags: made of other tags, their states, and what an edit would do."""

from datetime import datetime

import strawberry

from service.api.arguments import Input, TagId
from service.api.context import Info
from service.api.expressions import TagExpression, TagExpressionInput, draft_of, shown_expression
from service.api.nodes import Node
from service.api.permissions import needs
from service.api.tags import TAG_TYPES, Tag, shown_tag, shown_tags
from service.api.updates import given, refuse_nulls
from service.domain import combos as use_cases
from service.domain.combo_previews import edit_preview
from service.domain.tag_naming import KEPT
from service.entities.blocks import BLOCK_SIZE
from service.entities.combos import Combo, ComboCatalogue
from service.entities.enums import Permission, TagKind, TagState
from service.entities.tags import Catalogue
from service.entities.tags import Tag as TagEntity


@strawberry.type(description="Made of other tags of its channel.")
class ComboTag(Tag, Node):
    @strawberry.field(description="What it is made of; deleted tags stay in it.")
    async def expression(self, info: Info) -> TagExpression:
        return shown_expression((await self._combo(info)).expression, self.catalogue)

    @strawberry.field(description="The tags at the leaves, deleted ones too.")
    async def operands(self, info: Info) -> list[Tag]:
        return shown_tags((await self._combo(info)).expression.tag_ids(), self.catalogue)

    @strawberry.field(description="For people; the tags are in `lapsedBy`. Null unless LAPSED.")
    async def lapsed_because(self, info: Info) -> str | None:
        names = [f"{tag.category} / {tag.name}" for tag in await self.lapsed_by(info)]
        if not names:
            return None
        was = "was" if len(names) == 1 else "were"
        return f"It is made of {' and '.join(names)}, which {was} deleted."

    @strawberry.field(description="The deleted tags, reached directly or through other combos; empty unless LAPSED.")
    async def lapsed_by(self, info: Info) -> list[Tag]:
        if self.entity.state is not TagState.LAPSED:
            return []
        book = await combo_book(info, self.catalogue)
        return shown_tags(tuple(book.dead_below(self.entity.tag_id)), self.catalogue)

    @strawberry.field(description="0 to 1 while PENDING, else null.")
    async def progress(self, info: Info) -> float | None:
        if self.entity.state is not TagState.PENDING or self.entity.deleted_at is not None:
            return None
        combo = await self._combo(info)
        if combo.next_block is None:
            return 1.0
        state = await info.context.loaders.state_of_channel.load(self.entity.channel_id)
        return min(1.0, combo.next_block * BLOCK_SIZE / max(1, state.user_count))

    @strawberry.field(
        description="Every change committed before this instant is included in the members; null unless ACTIVE."
    )
    async def as_of(self, info: Info) -> datetime | None:
        return (await self._combo(info)).as_of if self.entity.state is TagState.ACTIVE else None

    async def _combo(self, info: Info) -> Combo:
        combos = await info.context.loaders.combos_of_channel.load(self.entity.channel_id)
        return combos[self.entity.tag_id]


TAG_TYPES[TagKind.COMBO] = ComboTag


async def combo_book(info: Info, catalogue: Catalogue) -> ComboCatalogue:
    """A catalogue with what its combos are made of; they are read after it, so none is missing."""
    return ComboCatalogue(catalogue, await info.context.loaders.combos_of_channel.load(catalogue.channel_id))


def shown_combo(tag: TagEntity, catalogue: Catalogue) -> ComboTag:
    """Raises TypeError for a tag of another kind."""
    shown = shown_tag(tag, catalogue)
    if not isinstance(shown, ComboTag):
        raise TypeError(f"{tag.kind} tags are no combos")
    return shown


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
        found = await edit_preview(info.context.runtime, info.context.principal, id, draft_of(expression))
        catalogue = found.book.catalogue
        return ComboTagEditPreview(
            tag=shown_combo(found.tag, catalogue),
            text=found.text,
            member_count=found.members,
            gains=found.gains,
            loses=found.loses,
            follows=[shown_combo(each, catalogue) for each in found.follows],
        )


@strawberry.type
class ComboTagMutations:
    @strawberry.mutation(
        description="Makes a combo; it is PENDING until its members are computed.",
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def create_combo_tag(self, info: Info, input: Input[CreateComboTagInput]) -> CreateComboTagPayload | None:  # noqa: A002
        new = use_cases.NewCombo(input.category, input.name, input.description, draft_of(input.expression))
        book, tag = await use_cases.create_combo(info.context.runtime, info.context.principal, input.channel_id, new)
        return CreateComboTagPayload(tag=shown_combo(tag, book.catalogue))

    @strawberry.mutation(
        description="Edits a combo. Another expression supersedes a computation that is still running, and revives a "
        "LAPSED combo with whatever lapsed only through it.",
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def update_combo_tag(self, info: Info, input: Input[UpdateComboTagInput]) -> UpdateComboTagPayload | None:  # noqa: A002
        refuse_nulls(input, "category", "name", "expression")
        edit = use_cases.ComboEdit(
            category=given(input.category),
            name=given(input.name),
            description=KEPT if input.description is strawberry.UNSET else input.description,
            expression=None if given(input.expression) is None else draft_of(given(input.expression)),
            expected_version=input.expected_version,
        )
        book, tag = await use_cases.update_combo(info.context.runtime, info.context.principal, input.id, edit)
        return UpdateComboTagPayload(tag=shown_combo(tag, book.catalogue))
