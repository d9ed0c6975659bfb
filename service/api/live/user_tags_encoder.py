"""Events of `userTags` written straight as JSON, where nothing that is selected depends on who asks.

Ten thousand pages are told of one change, and what an event shows of a tag is the same on all of them. So graphql-core
executes that once for each tag of a catalogue, without a context, and every page gets a copy of the text.

Whether an operation can be served so is decided from the schema before its first event: a field counts only if its
resolver takes neither `info` nor arguments and nothing guards it, so that it can see nothing but the tag and its
catalogue. Every other operation goes the whole way through Strawberry.
"""

import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    execute,
    get_named_type,
    get_operation_ast,
)
from strawberry.utils.await_maybe import AwaitableOrValue, await_maybe

from service.api.engine.serializers import is_attribute
from service.api.operations.user_tags import UserTagsEvent, user_tags_event
from service.api.types.presenters import panel_of, tags_to_graphql
from service.api.types.primitives import write_time
from service.domain.feed.cursors import write_cursor
from service.entities.feed import UserTagsUpdate
from service.entities.tags import Catalogue

ROOT: Final = "userTags"
LISTS: Final = frozenset({"tags", "added", "removed", "updated"})
OWN: Final = LISTS | {"cursor", "reset", "cause", "at", "__typename"}
MOST_REMEMBERED: Final = 1_000
# No JSON holds this byte: within strings it is escaped.
CURSOR_COMES_HERE: Final = b"\0"
LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Written:
    """What is written already for one catalogue: its tags by response key, and events but for their cursors."""

    catalogue: "weakref.ref[Catalogue]"
    tag_ids: set[int] = field(default_factory=set)
    tags: dict[tuple[str, int], bytes] = field(default_factory=dict)
    lists: dict[tuple[str, frozenset[int]], bytes] = field(default_factory=dict)
    events: dict[tuple[object, ...], tuple[bytes, ...]] = field(default_factory=dict)


class Rendering:
    """How the events of equal operations are written. `selected` has what each response key of an event selects."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation_name: str | None,
        variables: Mapping[str, Any] | None,
        selected: Mapping[str, str],
    ) -> None:
        self._schema = schema
        self._document = document
        self._operation_name = operation_name
        self._variables = dict(variables or {})
        self._selected = selected
        self._written: dict[int, _Written] = {}
        self._root = ""
        self._keys: tuple[tuple[str, str], ...] = ()

    def event(self, update: UserTagsUpdate) -> bytes | None:
        """The `data` of one event as JSON; None when it must be executed after all."""
        written = self._for(update.catalogue)
        sets = (update.tags, update.added, update.removed, update.updated)
        key = (*sets, update.reset, update.cause, update.at)
        between = written.events.get(key)
        if between is None:
            shown = frozenset[int]().union(*sets)
            if not (self._root and shown <= written.tag_ids) and not self._write(written, update.catalogue, shown):
                return None
            if len(written.events) >= MOST_REMEMBERED:
                written.events.clear()
            between = written.events[key] = self._between_cursors(written, update)
        return between[0] if len(between) == 1 else write_cursor(update.cursor).encode().join(between)

    async def executed(self, update: UserTagsUpdate, context: object) -> ExecutionResult:
        """What `event` would say, for somebody in particular."""
        return await await_maybe(self._execute(user_tags_event(update), context))

    def _between_cursors(self, written: _Written, update: UserTagsUpdate) -> tuple[bytes, ...]:
        """What stands before, between and after the cursors, which differ from page to page."""
        fields = (orjson.dumps(key) + b":" + self._value(written, key, name, update) for key, name in self._keys)
        data = b"{" + orjson.dumps(self._root) + b":{" + b",".join(fields) + b"}}"
        return tuple(data.split(CURSOR_COMES_HERE))

    def _value(self, written: _Written, key: str, name: str, update: UserTagsUpdate) -> bytes:
        match name:
            case "cursor":
                return b'"' + CURSOR_COMES_HERE + b'"'
            case "reset":
                return orjson.dumps(update.reset)
            case "cause":
                return orjson.dumps(None if update.cause is None else update.cause.name)
            case "at":
                return orjson.dumps(write_time(update.at))
            case "__typename":
                return b'"UserTagsEvent"'
            case _:
                return self._list(written, key, getattr(update, name), update.catalogue)

    def _list(self, written: _Written, key: str, tag_ids: frozenset[int], catalogue: Catalogue) -> bytes:
        found = written.lists.get((key, tag_ids))
        if found is None:
            tags = [written.tags[key, tag_id] for tag_id in panel_of(catalogue).in_order(tag_ids)]
            found = b"[" + b",".join(tags) + b"]"
            if len(written.lists) >= MOST_REMEMBERED:
                written.lists.clear()
            written.lists[key, tag_ids] = found
        return found

    def _for(self, catalogue: Catalogue) -> _Written:
        """Kept as long as the catalogue is."""
        place = id(catalogue)
        written = self._written.get(place)
        if written is None:
            gone = weakref.ref(catalogue, lambda _: self._written.pop(place, None))
            written = self._written[place] = _Written(gone)
        return written

    def _write(self, written: _Written, catalogue: Catalogue, tag_ids: frozenset[int]) -> bool:
        """Has graphql-core execute an event with those tags in all its lists, for nobody in particular."""
        missing = tag_ids - written.tag_ids
        tags = tags_to_graphql(missing, catalogue)
        event = UserTagsEvent(
            update=None,  # type: ignore[arg-type]  # only `user` reads it, which is never selected here
            cursor="",
            reset=False,
            tags=tags,
            added=tags,
            removed=tags,
            updated=tags,
            cause=None,
            at=LONG_AGO,
        )
        result = self._execute(event, None)
        if not isinstance(result, ExecutionResult) or result.errors or not result.data:
            return False
        ((root, data),) = result.data.items()
        for key, values in data.items():
            if self._selected[key] in LISTS:
                for tag, value in zip(tags, values, strict=True):
                    written.tags[key, tag.entity.tag_id] = orjson.dumps(value)
        self._root, self._keys = root, tuple((key, self._selected[key]) for key in data)
        written.tag_ids |= missing
        return True

    def _execute(self, event: UserTagsEvent, context: object) -> AwaitableOrValue[ExecutionResult]:
        return execute(
            self._schema,
            self._document,
            root_value=event,
            context_value=context,
            variable_values=self._variables,
            operation_name=self._operation_name,
        )


class Renderings:
    """Those of a process, by document, operation and the variables that decide what is selected."""

    def __init__(self, schema: GraphQLSchema, parsed: Callable[[str], DocumentNode]) -> None:
        self._schema = schema
        self._parsed = parsed
        self._selection_of = lru_cache(MOST_REMEMBERED)(self._read)
        self._known: OrderedDict[tuple[object, ...], Rendering] = OrderedDict()

    def of(self, query: str, operation_name: str | None, variables: Mapping[str, Any] | None) -> Rendering | None:
        """For a valid operation; None when its events must be executed one by one."""
        selection = self._selection_of(query, operation_name)
        if selection is None:
            return None
        given = variables or {}
        key = (query, operation_name, *((name, given.get(name), name in given) for name in sorted(selection.variables)))
        rendering = self._known.pop(key, None)
        if rendering is None:
            rendering = Rendering(self._schema, self._parsed(query), operation_name, given, selection.fields)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.popitem(last=False)
        self._known[key] = rendering
        return rendering

    def _read(self, query: str, operation_name: str | None) -> "_Selection | None":
        document = self._parsed(query)
        operation = get_operation_ast(document, operation_name)
        if operation is None:
            return None
        try:
            return _Selection(self._schema, document, operation)
        except _DependsOnWhoAsksError:
            return None


class _DependsOnWhoAsksError(Exception):
    """Something is selected that more than the tag and its catalogue decide."""


class _Selection:
    """What an operation selects of an event: `fields` by response key, and the `variables` that decide about them."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self.fields: dict[str, str] = {}
        self.variables: set[str] = set()
        self._schema = schema
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        for root in self._each(operation.selection_set):
            if root.name.value != ROOT or root.selection_set is None:
                raise _DependsOnWhoAsksError
            for selected in self._each(root.selection_set):
                self._take(selected)

    def _take(self, selected: FieldNode) -> None:
        name = selected.name.value
        if name not in OWN:
            raise _DependsOnWhoAsksError
        self.fields[selected.alias.value if selected.alias else name] = name
        if selected.selection_set is not None:
            self._check(self._schema.type_map["Tag"], selected.selection_set)

    def _check(self, parent: GraphQLNamedType, selections: SelectionSetNode) -> None:
        """Whatever type the object has, and whatever fragments say about it."""
        for selected in self._each(selections):
            for owner in _objects_of(self._schema, parent):
                found = owner.fields.get(selected.name.value)
                if found is None:
                    continue
                if not is_attribute(found):
                    raise _DependsOnWhoAsksError
                if selected.selection_set is not None:
                    self._check(get_named_type(found.type), selected.selection_set)

    def _each(self, selections: SelectionSetNode) -> Iterator[FieldNode]:
        """All fields, also those of fragments."""
        for selected in selections.selections:
            for directive in selected.directives or ():
                values = (argument.value for argument in directive.arguments or ())
                self.variables |= {value.name.value for value in values if isinstance(value, VariableNode)}
            match selected:
                case FieldNode():
                    yield selected
                case InlineFragmentNode():
                    yield from self._each(selected.selection_set)
                case FragmentSpreadNode():
                    yield from self._each(self._fragments[selected.name.value].selection_set)


def _objects_of(schema: GraphQLSchema, parent: GraphQLNamedType) -> Iterable[GraphQLObjectType]:
    if isinstance(parent, GraphQLInterfaceType | GraphQLUnionType):
        return schema.get_possible_types(parent)
    return (parent,) if isinstance(parent, GraphQLObjectType) else ()
