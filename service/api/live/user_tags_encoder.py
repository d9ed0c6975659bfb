"""Events of `userTags` written straight as JSON, where nothing that is selected depends on who asks.

Ten thousand pages are told of one change, and what an event shows of a tag is the same on all of them. So graphql-core
executes that once for each tag of a catalogue, without a context, and every page gets a copy of the text.

Whether an operation can be served so is decided from the schema before its first event: a field counts only if its
resolver takes neither `info` nor arguments and nothing guards it, so that it can see nothing but the tag and its
catalogue. Every other operation goes the whole way through Strawberry.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
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

from service.api.engine.document_cache import estimated_bytes, operation_bytes
from service.api.engine.serializers import is_attribute
from service.api.operations.user_tags import UserTagsEvent, user_tags_event_to_graphql
from service.api.types.presenters import presenter_of, tags_to_graphql
from service.api.types.primitives import serialize_datetime
from service.domain.feed.cursors import encode_cursor
from service.entities.feed import UserTagsUpdate
from service.entities.tags import Catalogue
from service.foundation.byte_cache import ByteCache

ROOT_FIELD: Final = "userTags"
TAG_LIST_FIELDS: Final = frozenset({"tags", "added", "removed", "updated"})
EVENT_FIELDS: Final = TAG_LIST_FIELDS | {"cursor", "reset", "cause", "at", "__typename"}
MAX_SELECTION_BYTES: Final = 16_777_216
MAX_ENCODER_BYTES: Final = 67_108_864
# Of the lists and events that an encoder keeps of one catalogue.
MAX_CATALOGUE_BYTES: Final = 4_194_304
# No JSON holds this byte: within strings it is escaped.
CURSOR_PLACEHOLDER: Final = b"\0"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _CatalogueCache:
    """Hold what is encoded already for one catalogue: its tags by response key, and events but for their cursors.

    Plain dictionaries, emptied when they are full: ten thousand pages look here in a few turns of the event loop.
    """

    catalogue: "weakref.ref[Catalogue]"
    tag_ids: set[int] = field(default_factory=set)
    tags: dict[tuple[str, int], bytes] = field(default_factory=dict)
    lists: dict[tuple[str, frozenset[int]], bytes] = field(default_factory=dict)
    events: dict[tuple[object, ...], tuple[bytes, ...]] = field(default_factory=dict)
    size: int = 0

    def make_room(self, size: int) -> None:
        """Forget all lists and events if `size` bytes more would be too many."""
        if self.size + size > MAX_CATALOGUE_BYTES:
            self.lists.clear()
            self.events.clear()
            self.size = 0
        self.size += size


class UserTagsEncoder:
    """Encode the events of equal operations. `selected` has what each response key of an event selects.

    `size` estimates the memory, in bytes, that the operation takes here.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation_name: str | None,
        variables: Mapping[str, Any] | None,
        selected: Mapping[str, str],
        size: int,
    ) -> None:
        self.size = size
        self._schema = schema
        self._document = document
        self._operation_name = operation_name
        self._variables = dict(variables or {})
        self._selected = selected
        self._caches: dict[int, _CatalogueCache] = {}
        self._root = ""
        self._keys: tuple[tuple[str, str], ...] = ()

    def encode(self, update: UserTagsUpdate) -> bytes | None:
        """The `data` of one event as JSON; None when it must be executed after all."""
        cache = self._cache_for(update.catalogue)
        sets = (update.tags, update.added, update.removed, update.updated)
        key = (*sets, update.reset, update.cause, update.at)
        chunks = cache.events.get(key)
        if chunks is None:
            shown = frozenset[int]().union(*sets)
            if not (self._root and shown <= cache.tag_ids) and not self._encode_tags(cache, update.catalogue, shown):
                return None
            chunks = self._split_at_cursors(cache, update)
            cache.make_room(sum(map(len, chunks)))
            cache.events[key] = chunks
        return chunks[0] if len(chunks) == 1 else encode_cursor(update.cursor).encode().join(chunks)

    async def execute_event(self, update: UserTagsUpdate, context: object) -> ExecutionResult:
        """What `encode` would say, for somebody in particular."""
        return await await_maybe(self._execute(user_tags_event_to_graphql(update), context))

    def _split_at_cursors(self, cache: _CatalogueCache, update: UserTagsUpdate) -> tuple[bytes, ...]:
        """What stands before, between and after the cursors, which differ from page to page."""
        fields = (orjson.dumps(key) + b":" + self._encode_field(cache, key, name, update) for key, name in self._keys)
        data = b"{" + orjson.dumps(self._root) + b":{" + b",".join(fields) + b"}}"
        return tuple(data.split(CURSOR_PLACEHOLDER))

    def _encode_field(self, cache: _CatalogueCache, key: str, name: str, update: UserTagsUpdate) -> bytes:
        match name:
            case "cursor":
                return b'"' + CURSOR_PLACEHOLDER + b'"'
            case "reset":
                return orjson.dumps(update.reset)
            case "cause":
                return orjson.dumps(None if update.cause is None else update.cause.name)
            case "at":
                return orjson.dumps(serialize_datetime(update.at))
            case "__typename":
                return b'"UserTagsEvent"'
            case _:
                return self._encode_list(cache, key, getattr(update, name), update.catalogue)

    def _encode_list(self, cache: _CatalogueCache, key: str, tag_ids: frozenset[int], catalogue: Catalogue) -> bytes:
        found = cache.lists.get((key, tag_ids))
        if found is None:
            tags = [cache.tags[key, tag_id] for tag_id in presenter_of(catalogue).in_order(tag_ids)]
            found = b"[" + b",".join(tags) + b"]"
            cache.make_room(len(found))
            cache.lists[key, tag_ids] = found
        return found

    def _cache_for(self, catalogue: Catalogue) -> _CatalogueCache:
        """Kept as long as the catalogue is."""
        key = id(catalogue)
        cache = self._caches.get(key)
        if cache is None:
            reference = weakref.ref(catalogue, lambda _: self._caches.pop(key, None))
            cache = self._caches[key] = _CatalogueCache(reference)
        return cache

    def _encode_tags(self, cache: _CatalogueCache, catalogue: Catalogue, tag_ids: frozenset[int]) -> bool:
        """Has graphql-core execute an event with those tags in all its lists, for nobody in particular."""
        missing = tag_ids - cache.tag_ids
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
            at=EPOCH,
        )
        result = self._execute(event, None)
        if not isinstance(result, ExecutionResult) or result.errors or not result.data:
            return False
        ((root, data),) = result.data.items()
        for key, values in data.items():
            if self._selected[key] in TAG_LIST_FIELDS:
                for tag, value in zip(tags, values, strict=True):
                    cache.tags[key, tag.entity.tag_id] = orjson.dumps(value)
        self._root, self._keys = root, tuple((key, self._selected[key]) for key in data)
        cache.tag_ids |= missing
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


class UserTagsEncoderCache:
    """Keep the encoders of a process by document, operation and the variables that decide what is selected."""

    def __init__(self, schema: GraphQLSchema, parse: Callable[[str], DocumentNode]) -> None:
        self._schema = schema
        self._parse = parse
        self._selections: ByteCache[tuple[str, str | None], _CachedSelection] = ByteCache(
            MAX_SELECTION_BYTES, attrgetter("size")
        )
        self._encoders: ByteCache[tuple[object, ...], UserTagsEncoder] = ByteCache(
            MAX_ENCODER_BYTES, attrgetter("size")
        )

    def encoder_for(
        self, query: str, operation_name: str | None, variables: Mapping[str, Any] | None
    ) -> UserTagsEncoder | None:
        """For a valid operation; None when its events must be executed one by one."""
        cached = self._selections.get((query, operation_name))
        if cached is None:
            cached = _CachedSelection(estimated_bytes(query), self._read_selection(query, operation_name))
            self._selections[query, operation_name] = cached
        selection = cached.selection
        if selection is None:
            return None
        given = variables or {}
        key = (query, operation_name, *((name, given.get(name), name in given) for name in sorted(selection.variables)))
        encoder = self._encoders.get(key)
        if encoder is None:
            encoder = self._encoders[key] = UserTagsEncoder(
                self._schema,
                self._parse(query),
                operation_name,
                given,
                selection.fields,
                size=operation_bytes(query, given),
            )
        return encoder

    def _read_selection(self, query: str, operation_name: str | None) -> "_EventSelection | None":
        document = self._parse(query)
        operation = get_operation_ast(document, operation_name)
        if operation is None:
            return None
        try:
            return _EventSelection(self._schema, document, operation)
        except _DependsOnPrincipalError:
            return None


@dataclass(frozen=True, slots=True)
class _CachedSelection:
    """Hold what an operation selects, None where its events must be executed, with its estimated bytes."""

    size: int
    selection: "_EventSelection | None"


class _DependsOnPrincipalError(Exception):
    """Something is selected that more than the tag and its catalogue decide."""


class _EventSelection:
    """What an operation selects of an event: `fields` by response key, and the `variables` that decide about them."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self.fields: dict[str, str] = {}
        self.variables: set[str] = set()
        self._schema = schema
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        for root in self._fields_of(operation.selection_set):
            if root.name.value != ROOT_FIELD or root.selection_set is None:
                raise _DependsOnPrincipalError
            for selected in self._fields_of(root.selection_set):
                self._add_field(selected)

    def _add_field(self, selected: FieldNode) -> None:
        name = selected.name.value
        if name not in EVENT_FIELDS:
            raise _DependsOnPrincipalError
        self.fields[selected.alias.value if selected.alias else name] = name
        if selected.selection_set is not None:
            self._check_subfields(self._schema.type_map["Tag"], selected.selection_set)

    def _check_subfields(self, parent: GraphQLNamedType, selections: SelectionSetNode) -> None:
        """Whatever type the object has, and whatever fragments say about it."""
        for selected in self._fields_of(selections):
            for owner in _possible_types(self._schema, parent):
                found = owner.fields.get(selected.name.value)
                if found is None:
                    continue
                if not is_attribute(found):
                    raise _DependsOnPrincipalError
                if selected.selection_set is not None:
                    self._check_subfields(get_named_type(found.type), selected.selection_set)

    def _fields_of(self, selections: SelectionSetNode) -> Iterator[FieldNode]:
        """All fields, also those of fragments."""
        for selected in selections.selections:
            for directive in selected.directives or ():
                values = (argument.value for argument in directive.arguments or ())
                self.variables |= {value.name.value for value in values if isinstance(value, VariableNode)}
            match selected:
                case FieldNode():
                    yield selected
                case InlineFragmentNode():
                    yield from self._fields_of(selected.selection_set)
                case FragmentSpreadNode():
                    yield from self._fields_of(self._fragments[selected.name.value].selection_set)


def _possible_types(schema: GraphQLSchema, parent: GraphQLNamedType) -> Iterable[GraphQLObjectType]:
    if isinstance(parent, GraphQLInterfaceType | GraphQLUnionType):
        return schema.get_possible_types(parent)
    return (parent,) if isinstance(parent, GraphQLObjectType) else ()
