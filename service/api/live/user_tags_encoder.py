"""Encode the events of `userTags` as JSON once for all subscriptions that receive the same one.

Ten thousand subscriptions receive one change, and what an event shows of a tag is the same on all of them. So a tag is
serialized once for each catalogue, without a context, and an event once for each set of tags; every subscription gets a
copy of the text with its own cursor.

Whether an operation can be served so is decided before its first event: nothing but attributes of a tag may be
selected, which depend on the tag and its catalogue alone. graphql-core executes any other event.
"""

import weakref
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, NamedTuple

import orjson
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type
from graphql.execution.collect_fields import FieldDetailsList
from strawberry.types import ExecutionResult

from service.api.context import Context
from service.api.engine.serializers import Serializer, SerializerCompiler
from service.api.errors import masked_result
from service.api.guards.list_sizes import CHARACTERS_PER_VALUE, is_long_text, key_weight
from service.api.live.request import SubscriptionRequest
from service.api.operations.user_tags import user_tags_event_to_graphql
from service.api.types.presenters import presenter_of, tags_to_graphql
from service.api.types.primitives import serialize_datetime
from service.domain.default_tags.languages import Language, in_language
from service.domain.feed.cursors import encode_cursor
from service.domain.input_rules import MAX_DESCRIPTION_LENGTH
from service.entities.feed import UserTagsUpdate
from service.entities.tags import Catalogue
from service.foundation.byte_cache import ByteCache

USER_TAGS_FIELD: Final = "userTags"
TAG_LIST_FIELDS: Final = frozenset({"tags", "added", "removed", "updated"})
EVENT_FIELDS: Final = TAG_LIST_FIELDS | {"cursor", "reset", "cause", "at", "__typename"}
# Of all encoders: their operations, and what each is reckoned to keep beside them. That is about a thousand encoders.
MAX_BYTES: Final = 67_108_864
ENCODER_BYTES: Final = 65_536
# Of the lists and events that an encoder keeps of one catalogue.
MAX_CATALOGUE_BYTES: Final = 4_194_304
# No JSON contains this byte: strings escape it.
CURSOR_PLACEHOLDER: Final = b"\0"


class _SelectedField(NamedTuple):
    """Name a field of an event and its response key; a list of tags has the serializer of one tag.

    `values` is how many values one tag has at most.
    """

    key: str
    name: str
    serialize: Serializer | None
    values: int


class _EventSelection(NamedTuple):
    """Keep the response key of the root field, and the selected fields of an event."""

    root: str
    fields: list[_SelectedField]


@dataclass(slots=True)
class _CatalogueCache:
    """Keep the encoded parts for one catalogue: tags and lists by response key, and events split at their cursors.

    Lists and events are in plain dictionaries, emptied when they are full, and not in a cache that orders its entries:
    ten thousand pages look here in a few turns of the event loop.
    """

    catalogue: "weakref.ref[Catalogue]"
    tags: dict[str, dict[int, bytes]] = field(default_factory=dict)
    lists: dict[tuple[str, frozenset[int]], bytes] = field(default_factory=dict)
    events: dict[tuple[object, ...], tuple[bytes, ...]] = field(default_factory=dict)
    size: int = 0

    def make_room(self, size: int) -> None:
        """Count `size` bytes more, and forget all lists and events if they are too many."""
        if self.size + size > MAX_CATALOGUE_BYTES:
            self.lists.clear()
            self.events.clear()
            self.size = 0
        self.size += size


class UserTagsEncoder:
    """Encode the events of equal operations."""

    def __init__(self, request: SubscriptionRequest, selection: _EventSelection, language: Language) -> None:
        self._request = request
        self._language = language
        self._selection = selection
        self._caches: dict[int, _CatalogueCache] = {}

    def encode(self, update: UserTagsUpdate) -> bytes | None:
        """Return the `data` of one event as JSON; None if graphql-core must execute the event."""
        catalogue = in_language(update.catalogue, self._language)
        cache = self._cache_for(catalogue)
        key = (update.tags, update.added, update.removed, update.updated, update.reset, update.cause, update.at)
        chunks = cache.events.get(key)
        if chunks is None:
            if self._may_be_too_large(update):
                return None
            try:
                chunks = self._split_at_cursors(cache, update, catalogue)
            except Exception:  # noqa: BLE001 - graphql-core executes the event and reports the error
                return None
            cache.make_room(sum(map(len, chunks)))
            cache.events[key] = chunks
        return chunks[0] if len(chunks) == 1 else encode_cursor(update.cursor).encode().join(chunks)

    def _may_be_too_large(self, update: UserTagsUpdate) -> bool:
        """Tell whether the event may have more values than are sent: graphql-core counts them exactly."""
        lists = (each for each in self._selection.fields if each.serialize is not None)
        return sum(len(getattr(update, each.name)) * each.values for each in lists) > self._request.max_values

    async def execute_event(self, update: UserTagsUpdate, context: Context) -> ExecutionResult:
        """Return the answer to one event for one principal, by graphql-core."""
        request = self._request
        event = user_tags_event_to_graphql(update, context.named(update.catalogue))
        return masked_result(await request.plan.execute(request.coerced_variables, context, event), context)

    def _split_at_cursors(
        self, cache: _CatalogueCache, update: UserTagsUpdate, catalogue: Catalogue
    ) -> tuple[bytes, ...]:
        """Return the text before, between and after the cursors, which differ between subscriptions."""
        fields = (
            orjson.dumps(each.key) + b":" + _encode_field(cache, each, update, catalogue)
            for each in self._selection.fields
        )
        data = b"{" + orjson.dumps(self._selection.root) + b":{" + b",".join(fields) + b"}}"
        return tuple(data.split(CURSOR_PLACEHOLDER))

    def _cache_for(self, catalogue: Catalogue) -> _CatalogueCache:
        """Return the cache of a catalogue; it lives as long as the catalogue."""
        key = id(catalogue)
        cache = self._caches.get(key)
        if cache is None:
            reference = weakref.ref(catalogue, lambda _: self._caches.pop(key, None))
            cache = self._caches[key] = _CatalogueCache(reference)
        return cache


class _CachedEncoder(NamedTuple):
    size: int
    # None if the events of the operation must be executed one by one.
    encoder: UserTagsEncoder | None


class UserTagsEncoderCache:
    """Keep the encoders of a process, by operation, the variables that decide what is selected, and language."""

    def __init__(self) -> None:
        self._encoders: ByteCache[tuple[object, ...], _CachedEncoder] = ByteCache(MAX_BYTES, attrgetter("size"))

    def encoder_for(self, request: SubscriptionRequest, language: Language) -> UserTagsEncoder | None:
        """Return the encoder of an operation in a language; None if its events must be executed one by one."""
        key = (request.plan, language, *request.plan.selection_key(request.coerced_variables))
        cached = self._encoders.get(key)
        if cached is None:
            selection = _event_selection(request)
            encoder = None if selection is None else UserTagsEncoder(request, selection, language)
            cached = self._encoders[key] = _CachedEncoder(request.size + ENCODER_BYTES, encoder)
        return cached.encoder


def _event_selection(request: SubscriptionRequest) -> _EventSelection | None:
    """Return what is selected of an event; None if more than the tags and their catalogue decide about it."""
    if request.field != USER_TAGS_FIELD:
        return None
    plan = request.plan
    selection_plan = plan.selection_plan(request.coerced_variables)
    compiler = SerializerCompiler(plan.schema, selection_plan.subfields, memoize=False)
    ((root, details),) = selection_plan.root.items()
    event_type = get_named_type(plan.root_type.fields[USER_TAGS_FIELD].type)
    assert isinstance(event_type, GraphQLObjectType)  # noqa: S101 - as the schema has it
    fields = []
    for key, selected in selection_plan.subfields(event_type, details).items():
        name, serialize, values = selected[0].node.name.value, None, 0
        if name in TAG_LIST_FIELDS:
            tag_type = get_named_type(event_type.fields[name].type)
            assert isinstance(tag_type, GraphQLInterfaceType)  # noqa: S101 - as the schema has it
            serialize = compiler.compile(tag_type, selected)
            values = max(
                sum(_most_values(each, key, found) for key, found in selection_plan.subfields(each, selected).items())
                for each in plan.schema.get_possible_types(tag_type)
            )
        if name not in EVENT_FIELDS or (name in TAG_LIST_FIELDS and serialize is None):
            return None
        fields.append(_SelectedField(key, name, serialize, values))
    return _EventSelection(root, fields)


def _most_values(tag_type: GraphQLObjectType, key: str, details: FieldDetailsList) -> int:
    """Return how many values a field of a tag counts as at most; its longest text is the description."""
    field = tag_type.fields.get(details[0].node.name.value)
    long_text = MAX_DESCRIPTION_LENGTH // CHARACTERS_PER_VALUE if field is not None and is_long_text(field) else 0
    return key_weight(key) + long_text


def _encode_field(
    cache: _CatalogueCache, selected: _SelectedField, update: UserTagsUpdate, catalogue: Catalogue
) -> bytes:
    if selected.serialize is not None:
        tag_ids: frozenset[int] = getattr(update, selected.name)
        return _encode_tags(cache, selected.key, selected.serialize, tag_ids, catalogue)
    match selected.name:
        case "cursor":
            return b'"' + CURSOR_PLACEHOLDER + b'"'
        case "reset":
            return orjson.dumps(update.reset)
        case "cause":
            return orjson.dumps(None if update.cause is None else update.cause.name)
        case "at":
            return orjson.dumps(serialize_datetime(update.at))
        case _:
            return b'"UserTagsEvent"'


def _encode_tags(
    cache: _CatalogueCache, key: str, serialize: Serializer, tag_ids: frozenset[int], catalogue: Catalogue
) -> bytes:
    found = cache.lists.get((key, tag_ids))
    if found is None:
        ordered = presenter_of(catalogue).in_order(tag_ids)
        encoded = cache.tags.setdefault(key, {})
        for tag in tags_to_graphql([each for each in ordered if each not in encoded], catalogue):
            encoded[tag.entity.tag_id] = orjson.dumps(serialize(tag))
        found = b"[" + b",".join([encoded[each] for each in ordered]) + b"]"
        cache.make_room(len(found))
        cache.lists[key, tag_ids] = found
    return found
