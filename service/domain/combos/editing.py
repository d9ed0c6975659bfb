"""Making and editing combo tags (specification §4.4)."""

from dataclasses import dataclass, replace

from service.domain.channels.lookup import channel_named, require
from service.domain.combos.expressions import Failure, Usable, read_expression, refuse
from service.domain.combos.states import Settled, enqueue_clearing, hand_over, lock_open_combos, settle_combos
from service.domain.input_rules import tidy_name
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, new_tag, write_tag_edits
from service.domain.tags.naming import (
    KEPT,
    Description,
    channel_of_tag,
    check_version,
    living_tag,
    naming_failures,
    taken_failures,
)
from service.entities.combos import Combo, ComboCatalogue
from service.entities.enums import ChangeCause, Permission, TagKind, TagState
from service.entities.errors import BadInputError, ErrorCode, FieldFailure, TagProtectedError
from service.entities.expressions import Draft, Expression
from service.entities.principal import Principal
from service.entities.tags import Tag
from service.storage import combos
from service.storage.database.pool import Connection


@dataclass(frozen=True, slots=True)
class NewCombo:
    """What createComboTag says."""

    category: str
    name: str
    description: str | None
    expression: Draft


@dataclass(frozen=True, slots=True)
class ComboEdit:
    """What updateComboTag changes; None leaves what is there."""

    category: str | None = None
    name: str | None = None
    description: Description = KEPT
    expression: Draft | None = None
    expected_version: int | None = None


async def create_combo(
    runtime: Runtime, principal: Principal, channel_gid: str, new: NewCombo
) -> tuple[ComboCatalogue, Tag]:
    """A PENDING combo; its members are computed after the commit.

    Raises a RefusedError that names every failing input, NotFoundError, ChannelNotBoundError, LimitExceededError.
    """
    require(principal, Permission.MANAGE_TAGS)
    category, name = tidy_name(new.category), tidy_name(new.name)
    failures: list[Failure] = naming_failures("input.", category=category, name=name, description=new.description)
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await channel_named(conn, principal, channel_gid)
        book = await lock_open_combos(conn, channel.channel_id)
        expression, unreadable = read_expression(book.catalogue, new.expression, "input.expression", Usable.FOR_COMBOS)
        refuse([*failures, *unreadable, *taken_failures(book.catalogue, category, name, "input.name")])
        clock = runtime.clock()
        tag = await new_tag(
            conn,
            book.catalogue,
            kind=TagKind.COMBO,
            category=category,
            name=name,
            description=new.description,
            state=TagState.PENDING,
            clock=clock,
        )
        created = [TagEdit(TagChangeKind.CREATED, None, tag)]
        _, wake_up = await write_tag_edits(conn, book.catalogue, created, cause=None, clock=clock)
        await combos.insert_combo(conn, channel.channel_id, tag.tag_id, expression)
        after = await combos.combo_catalogue(conn, channel.channel_id)
    hand_over(runtime, after, [wake_up])
    return after, after.tags[tag.tag_id]


async def update_combo(runtime: Runtime, principal: Principal, gid: str, edit: ComboEdit) -> tuple[ComboCatalogue, Tag]:
    """The combo as it is after the edit; another expression makes it PENDING until its members are computed.

    Raises as `create_combo` does, CYCLE when it would be made of itself, and ConflictError.
    """
    require(principal, Permission.MANAGE_TAGS)
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel, tag_id = await channel_of_tag(conn, principal, gid)
        book = await lock_open_combos(conn, channel.channel_id)
        tag = combo_tag(book, tag_id)
        check_version(tag, edit.expected_version)
        edited, expression = _edited(book, tag, edit)
        settled = await _write_edit(conn, runtime, book, edited, expression)
    hand_over(runtime, settled.book, settled.wake_ups)
    if settled.lapsed:
        enqueue_clearing(runtime, settled.book)
    return settled.book, settled.book.tags[tag_id]


def combo_tag(book: ComboCatalogue, tag_id: int) -> Tag:
    """A living combo; raises NotFoundError, TagProtectedError, and BadInputError for the other kinds."""
    tag = living_tag(book.catalogue, tag_id)
    if tag.kind is TagKind.DEFAULT:
        raise TagProtectedError
    if tag.kind is not TagKind.COMBO:
        raise BadInputError(FieldFailure("input.id", "NOT_A_COMBO", f"This is a tag of kind {tag.kind}."))
    return tag


def read_edited_expression(book: ComboCatalogue, tag: Tag, draft: Draft, path: str) -> tuple[Expression, list[Failure]]:
    """What a combo shall be made of; being made of itself, directly or not, is among the failures."""
    expression, failures = read_expression(book.catalogue, draft, path, Usable.FOR_COMBOS)
    forbidden = {tag.tag_id, *book.above(tag.tag_id)}
    circular = [book.tags[leaf].name for leaf in expression.tag_ids() if leaf in forbidden]
    if circular:
        message = f"{tag.name} would be made of itself, by way of {', '.join(circular)}."
        failures.append((ErrorCode.CYCLE, FieldFailure(path, "CYCLE", message)))
    return expression, failures


def _edited(book: ComboCatalogue, tag: Tag, edit: ComboEdit) -> tuple[Tag, Expression]:
    """The tag and its expression as they shall be; raises for all failing inputs at once."""
    category = None if edit.category is None else tidy_name(edit.category)
    name = None if edit.name is None else tidy_name(edit.name)
    failures: list[Failure] = naming_failures("input.", category=category, name=name, description=edit.description)
    after = replace(
        tag,
        category=tag.category if category is None else category,
        name=tag.name if name is None else name,
        description=tag.description if edit.description is KEPT else edit.description,
    )
    failures += taken_failures(book.catalogue, after.category, after.name, "input.name", tag_id=tag.tag_id)
    expression = book.combos[tag.tag_id].expression
    if edit.expression is not None:
        expression, unreadable = read_edited_expression(book, tag, edit.expression, "input.expression")
        failures += unreadable
    refuse(failures)
    return after, expression


async def _write_edit(
    conn: Connection, runtime: Runtime, book: ComboCatalogue, edited: Tag, expression: Expression
) -> Settled:
    """First what the tag is now, then the states that follow from it, each a version of the tag states."""
    tag, combo = book.tags[edited.tag_id], book.combos[edited.tag_id]
    if edited == tag and expression == combo.expression:
        return Settled(book, [])
    clock = runtime.clock()
    edited = replace(edited, version=tag.version + 1, updated_at=clock)
    catalogue, wake_up = await write_tag_edits(
        conn,
        book.catalogue,
        [TagEdit(TagChangeKind.UPDATED, tag, edited)],
        cause=ChangeCause.TAG_EDITED,
        clock=clock,
    )
    book = replace(book, catalogue=catalogue)
    changed: Combo | None = None if expression == combo.expression else replace(combo, expression=expression)
    settled = await settle_combos(conn, book, edited=changed, cause=ChangeCause.TAG_EDITED, clock=clock)
    return replace(settled, wake_ups=[wake_up, *settled.wake_ups])
