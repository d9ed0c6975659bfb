"""Make and edit combo tags (docs/specification.md §4.4)."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from service.domain.audit.recording import changes, record
from service.domain.audit.values import expression_value, tag_ref, tag_values
from service.domain.channels.lookup import find_channel
from service.domain.combos.expressions import EXPRESSION_PATH, AllowedStates, ParsedExpression, try_parse_expression
from service.domain.combos.states import (
    ComboStateUpdate,
    enqueue_clearing,
    lock_open_combos,
    publish_and_enqueue,
    update_combo_states,
)
from service.domain.input_rules import normalise_name
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, new_tag, write_tag_edits
from service.domain.tags.naming import (
    UNCHANGED,
    DescriptionUpdate,
    check_version,
    edited_name,
    name_taken_errors,
    naming_errors,
    require_living_tag,
)
from service.entities.audit import AuditValue
from service.entities.blocks import ChangeCause
from service.entities.combos import Combo, ComboGraph
from service.entities.errors import BadInputError, ErrorCode, FieldError, TagProtectedError, raise_field_errors
from service.entities.expressions import Draft, Expression
from service.entities.principal import Permission, Principal
from service.entities.tags import Tag, TagKind, TagState
from service.storage import combos
from service.storage.database.pool import Connection


@dataclass(frozen=True, slots=True)
class NewCombo:
    """Describe a combo to make."""

    category: str
    name: str
    description: str | None
    expression: Draft


@dataclass(frozen=True, slots=True)
class ComboEdit:
    """Hold the new values of a combo; None, or UNCHANGED for the description, keeps the old one."""

    category: str | None = None
    name: str | None = None
    description: DescriptionUpdate = UNCHANGED
    expression: Draft | None = None
    expected_version: int | None = None


class SavedCombo(NamedTuple):
    """Hold a combo that was made or edited, and the graph after that."""

    graph: ComboGraph
    tag: Tag


class _EditedCombo(NamedTuple):
    """Hold a combo and its expression as an edit leaves them."""

    tag: Tag
    expression: Expression


async def create_combo(runtime: Runtime, principal: Principal, channel_id: int, new: NewCombo) -> SavedCombo:
    """Make a combo, which is PENDING until its members are computed after the commit.

    Raises ForbiddenError, NotFoundError, ChannelNotBoundError, LimitExceededError, and a RequestError that names every
    failing input.
    """
    category, name = normalise_name(new.category), normalise_name(new.name)
    errors = naming_errors(category=category, name=name, description=new.description)
    async with runtime.pool.acquire() as conn, conn.transaction():
        await find_channel(conn, principal, channel_id, Permission.MANAGE_TAGS)
        graph = await lock_open_combos(conn, channel_id)
        expression, expression_errors = try_parse_expression(
            graph.catalogue, new.expression, AllowedStates.ACTIVE_OR_PENDING
        )
        raise_field_errors([*errors, *expression_errors, *name_taken_errors(graph.catalogue, category, name, "name")])
        now = runtime.clock()
        tag = await new_tag(
            conn,
            graph.catalogue,
            kind=TagKind.COMBO,
            category=category,
            name=name,
            description=new.description,
            state=TagState.PENDING,
            now=now,
        )
        created = [TagEdit(TagChangeKind.CREATED, None, tag)]
        _, notification = await write_tag_edits(conn, graph.catalogue, created, cause=None, now=now)
        await combos.insert_combo(conn, channel_id, tag.tag_id, expression)
        after = await combos.combo_graph(conn, channel_id)
        await record(
            conn,
            runtime,
            principal,
            "create_combo_tag",
            channel_id=channel_id,
            target=tag_ref(channel_id, tag.tag_id),
            after=_values(tag, expression),
        )
    publish_and_enqueue(runtime, after, [notification])
    return SavedCombo(after, after.tags[tag.tag_id])


async def update_combo(
    runtime: Runtime, principal: Principal, channel_id: int, tag_id: int, edit: ComboEdit
) -> SavedCombo:
    """Edit a combo; another expression makes it PENDING until its members are computed.

    Raises what `create_combo` and `require_combo_tag` raise, a RequestError with the code CYCLE when the combo would
    be made of itself, and ConflictError when `expected_version` is old.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        await find_channel(conn, principal, channel_id, Permission.MANAGE_TAGS, sought="tag")
        graph = await lock_open_combos(conn, channel_id)
        tag = require_combo_tag(graph, tag_id)
        check_version(tag, edit.expected_version)
        edited, expression = _apply_edit(graph, tag, edit)
        update = await _write_edit(conn, runtime, graph, edited, expression)
        said = changes(_values(tag, graph.combos[tag_id].expression), _values(edited, expression))
        if said["before"]:
            await record(
                conn,
                runtime,
                principal,
                "update_combo_tag",
                channel_id=channel_id,
                target=tag_ref(channel_id, tag_id),
                **said,
            )
    publish_and_enqueue(runtime, update.graph, update.notifications)
    if update.lapsed:
        enqueue_clearing(runtime, update.graph)
    return SavedCombo(update.graph, update.graph.tags[tag_id])


def require_combo_tag(graph: ComboGraph, tag_id: int) -> Tag:
    """Return a living combo. Raises NotFoundError, TagProtectedError for default tags, BadInputError otherwise."""
    tag = require_living_tag(graph.catalogue, tag_id)
    if tag.kind is TagKind.DEFAULT:
        raise TagProtectedError
    if tag.kind is not TagKind.COMBO:
        raise BadInputError(FieldError(("id",), "NOT_A_COMBO", f"This tag is of kind {tag.kind}, not a combo."))
    return tag


def try_parse_edited_expression(graph: ComboGraph, tag: Tag, draft: Draft) -> ParsedExpression:
    """Return the new expression of a combo with all its errors, CYCLE among them if the combo is made of itself."""
    expression, errors = try_parse_expression(graph.catalogue, draft, AllowedStates.ACTIVE_OR_PENDING)
    forbidden = {tag.tag_id, *graph.dependents(tag.tag_id)}
    circular = [graph.tags[leaf].name for leaf in expression.tag_ids() if leaf in forbidden]
    if circular:
        message = f"{tag.name} would be made of itself, through {', '.join(circular)}."
        errors.append(FieldError(EXPRESSION_PATH, "CYCLE", message, ErrorCode.CYCLE))
    return ParsedExpression(expression, errors)


def _values(tag: Tag, expression: Expression) -> dict[str, AuditValue]:
    return {**tag_values(tag), "expression": expression_value(tag.channel_id, expression)}


def _apply_edit(graph: ComboGraph, tag: Tag, edit: ComboEdit) -> _EditedCombo:
    """Return the tag and its expression after an edit. Raises a RequestError that names every failing input."""
    category, name = edited_name(edit.category, tag.category), edited_name(edit.name, tag.name)
    errors = naming_errors(
        category=None if category == tag.category else category,
        name=None if name == tag.name else name,
        description=edit.description,
    )
    after = replace(
        tag,
        category=category,
        name=name,
        description=tag.description if edit.description is UNCHANGED else edit.description,
    )
    errors += name_taken_errors(graph.catalogue, after.category, after.name, "name", tag_id=tag.tag_id)
    expression = graph.combos[tag.tag_id].expression
    if edit.expression is not None:
        expression, expression_errors = try_parse_edited_expression(graph, tag, edit.expression)
        errors += expression_errors
    raise_field_errors(errors)
    return _EditedCombo(after, expression)


async def _write_edit(
    conn: Connection, runtime: Runtime, graph: ComboGraph, edited: Tag, expression: Expression
) -> ComboStateUpdate:
    """Write the edited tag, then the states of combos that follow from it, each as one version of the tag states."""
    tag, combo = graph.tags[edited.tag_id], graph.combos[edited.tag_id]
    if edited == tag and expression == combo.expression:
        return ComboStateUpdate(graph, [])
    now = runtime.clock()
    edited = replace(edited, version=tag.version + 1, updated_at=now)
    catalogue, notification = await write_tag_edits(
        conn,
        graph.catalogue,
        [TagEdit(TagChangeKind.UPDATED, tag, edited)],
        cause=ChangeCause.TAG_EDITED,
        now=now,
    )
    graph = replace(graph, catalogue=catalogue)
    changed: Combo | None = None if expression == combo.expression else replace(combo, expression=expression)
    update = await update_combo_states(conn, graph, edited=changed, cause=ChangeCause.TAG_EDITED, now=now)
    return replace(update, notifications=[notification, *update.notifications])
