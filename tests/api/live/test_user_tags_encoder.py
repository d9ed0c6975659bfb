"""Encoded events are, byte for byte, what graphql-core answers to the same event."""

import gc
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final, cast

import orjson
import pytest
from graphql import DocumentNode, ExecutionResult, execute, get_operation_ast, parse
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation

from service.api.context import Context
from service.api.engine.query_plan import QueryPlan
from service.api.live import user_tags_encoder
from service.api.live.request import SubscriptionRequest, parse_subscription
from service.api.live.user_tags_encoder import UserTagsEncoder, UserTagsEncoderCache
from service.api.operations.user_tags import user_tags_event_to_graphql
from service.api.schema import make_schema
from service.domain.default_tags.languages import Language, in_language
from service.entities.blocks import ChangeCause
from service.entities.feed import Cursor, UserTagsUpdate
from service.entities.principal import Principal, Role
from service.entities.revision import Revision
from service.entities.tags import Catalogue, Tag, TagKind, TagState

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEMA: Final = make_schema()
ADMIN: Final = Principal("ann", "r1", Role.ADMIN, datetime(2100, 1, 1, tzinfo=UTC))
HEAD: Final = "subscription($openid: String!, $yes: Boolean!, $maybe: Boolean = true)"
VARIABLES: Final = {"openid": "ann", "yes": True}
NAMES: Final = 'subscription { userTags(channelId: "x", openid: "ann") { tags { name } } }'
OF_TAGS: Final = [
    *("id", "kind", "category", "name", "description", "state", "massPostable", "createdAt", "updatedAt"),
    *("version", "deletedAt", "__typename"),
]

directives = st.sampled_from(["", "", "@include(if: $yes)", "@skip(if: $yes)", "@skip(if: $maybe) @include(if: $yes)"])


def fields(*names: str) -> st.SearchStrategy[str]:
    """Draw one of these fields, with or without an alias of its own."""
    named = st.sampled_from([*names, *(f"other_{name}: {name}" for name in names)])
    return st.builds("{} {}".format, named, directives)


def braces(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(part, min_size=1, max_size=5).map(lambda parts: f"{{ {' '.join(parts)} }}")


tag_parts = st.one_of(
    fields(*OF_TAGS),
    st.builds("... on DefaultTag {} {}".format, directives, braces(fields(*OF_TAGS, "rule"))),
    st.builds("... on Node {} {{ id }}".format, directives),
    st.builds("... {} {}".format, directives, braces(fields(*OF_TAGS))),
    st.builds("...OfTag {}".format, directives),
)
lists = st.builds("{} {}".format, fields("tags", "added", "removed", "updated"), braces(tag_parts))
event_parts = st.one_of(
    fields("cursor", "reset", "cause", "at", "__typename"),
    lists,
    st.builds("... on UserTagsEvent {} {}".format, directives, braces(lists)),
    st.builds("...OfEvent {}".format, directives),
)
documents = st.builds(
    "{} {{ {} {} }} fragment OfTag on Tag {} fragment OfEvent on UserTagsEvent {}".format,
    st.just(HEAD),
    st.sampled_from([f'{alias}userTags(channelId: "x", openid: $openid)' for alias in ("", "feed: ")]),
    braces(event_parts),
    braces(fields(*OF_TAGS)),
    braces(lists),
)
variables = st.fixed_dictionaries({"openid": st.just("ann"), "yes": st.booleans()}, optional={"maybe": st.booleans()})
tags = st.builds(
    Tag,
    channel_id=st.just(1),
    tag_id=st.integers(1, 8),
    kind=st.sampled_from(TagKind),
    category=st.sampled_from(["Opening", "打开", 'a "quoted" \\ one']),
    name=st.text(max_size=3),
    description=st.none() | st.text(max_size=3),
    state=st.sampled_from(TagState),
    version=st.integers(1, 2**31 - 1),
    created_at=st.just(NOW),
    updated_at=st.just(NOW),
    deleted_at=st.sampled_from([None, NOW]),
)
catalogues = st.builds(
    lambda found, *, is_open: Catalogue(1, is_open, Revision(7, NOW), NOW, {tag.tag_id: tag for tag in found}),
    st.lists(tags, max_size=8),
    is_open=st.booleans(),
)
tag_ids = st.frozensets(st.integers(1, 8))
moments = st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1))  # noqa: DTZ001
updates = st.builds(
    UserTagsUpdate,
    cursor=st.builds(
        Cursor,
        st.just(1),
        st.just("ann"),
        st.none() | st.just(9),
        st.builds(Revision, st.just(4), moments),
        st.builds(Revision, st.just(7), moments),
    ),
    reset=st.booleans(),
    tags=tag_ids,
    added=tag_ids,
    removed=tag_ids,
    updated=st.just(frozenset[int]()),
    cause=st.none() | st.sampled_from(ChangeCause),
    at=moments,
    catalogue=catalogues,
)


def request(document: str, variables: dict[str, Any] | None = None) -> SubscriptionRequest:
    """Parse a subscription that is valid and permitted."""
    operation = SimpleNamespace(query=document, operation_name=None, variables=variables)
    found = parse_subscription(SCHEMA, cast("Operation[Context, None]", operation), ADMIN)
    assert found is not None
    return found


def unvalidated_request(document: str, variables: dict[str, Any]) -> SubscriptionRequest:
    """Read a subscription that may leave fragments and variables unused, as those that are drawn do."""
    parsed = parse(document)
    operation = get_operation_ast(parsed)
    assert operation is not None
    plan = QueryPlan(SCHEMA.graphql_schema, parsed, operation, size=0)
    values = plan.coerce_variables(variables)
    assert not isinstance(values, list)
    return SubscriptionRequest(plan, variables, values, "userTags", {}, values=1, max_values=100_000)


def encoder_of(document: str, variables: dict[str, Any] | None = None) -> UserTagsEncoder | None:
    return UserTagsEncoderCache().encoder_for(request(document, variables), Language.ENGLISH)


def executed(
    document: DocumentNode, update: UserTagsUpdate, given_variables: dict[str, Any], language: Language
) -> bytes:
    """Return the data that graphql-core answers to an event."""
    result = execute(
        SCHEMA.graphql_schema,
        document,
        root_value=user_tags_event_to_graphql(update, in_language(update.catalogue, language)),
        variable_values=given_variables,
    )
    assert isinstance(result, ExecutionResult)
    assert result.errors is None
    return orjson.dumps(result.data)


@given(documents, variables, st.lists(updates, min_size=1, max_size=3), st.sampled_from(Language))
@settings(max_examples=60)
def test_encoded_events_are_what_graphql_core_answers(
    document: str, given_variables: dict[str, Any], events: list[UserTagsUpdate], language: Language
) -> None:
    encoder = UserTagsEncoderCache().encoder_for(unvalidated_request(document, given_variables), language)
    assert encoder is not None
    parsed = parse(document)
    answers = [executed(parsed, update, given_variables, language) for update in events]
    for _ in ("first", "from its caches"):
        assert [encoder.encode(update) for update in events] == answers


@pytest.mark.parametrize(
    "selected",
    [
        "user { id }",
        "cursor tags { channel { id } }",
        "tags { memberCount }",
        "tags { asOf }",
        "added { id ... on DefaultTag { memberCount } }",
        "... on UserTagsEvent { removed { ... { ... on Node { ... on Tag { channel { name } } } } } }",
        "...F",
    ],
)
def test_an_event_that_depends_on_the_principal_is_executed(selected: str) -> None:
    document = (
        f'subscription {{ userTags(channelId: "x", openid: "ann") {{ {selected} }} }}'
        "fragment F on UserTagsEvent { tags { ...G } } fragment G on Tag { id memberCount }"
    )
    if "...F" not in selected:
        document = document.partition("fragment")[0]
    assert encoder_of(document) is None


def test_events_of_other_subscriptions_are_executed() -> None:
    assert encoder_of("subscription { tagEvents { cursor } }") is None


def test_equal_operations_share_an_encoder() -> None:
    encoders = UserTagsEncoderCache()
    document = """
    subscription($openid: String!, $yes: Boolean!) {
      userTags(channelId: "x", openid: $openid) { cursor @include(if: $yes) reset }
    }
    """
    ann = encoders.encoder_for(request(document, VARIABLES), Language.ENGLISH)
    assert ann is not None
    assert encoders.encoder_for(request(document, VARIABLES | {"openid": "bob"}), Language.ENGLISH) is ann
    assert encoders.encoder_for(request(document, VARIABLES | {"yes": False}), Language.ENGLISH) is not ann
    assert encoders.encoder_for(request(document, VARIABLES), Language.CHINESE) is not ann


def test_a_serializer_that_fails_leaves_the_event_to_graphql_core() -> None:
    encoder = encoder_of(NAMES)
    assert encoder is not None
    tag = Tag(1, 3, TagKind.DEFAULT, "Opening", cast("str", None), None, TagState.ACTIVE, 1, NOW, NOW, None)
    assert encoder.encode(update_with(tag)) is None


def test_the_texts_of_a_catalogue_are_dropped_with_it() -> None:
    encoder = encoder_of(NAMES)
    assert encoder is not None
    for name in ("Opened", "Was opened"):
        tag = Tag(1, 3, TagKind.DEFAULT, "Opening", name, None, TagState.ACTIVE, 1, NOW, NOW, None)
        update = update_with(tag)
        assert orjson.loads(encoder.encode(update) or b"") == {"userTags": {"tags": [{"name": name}]}}
        del tag, update
        gc.collect()
        assert not encoder._caches


def test_what_is_kept_of_a_catalogue_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_tags_encoder, "MAX_CATALOGUE_BYTES", 1_000)
    encoder = encoder_of(NAMES)
    assert encoder is not None
    of_catalogue = {
        each: Tag(1, each, TagKind.DEFAULT, "Opening", f"Tag {each}", None, TagState.ACTIVE, 1, NOW, NOW, None)
        for each in range(1, 9)
    }
    catalogue = Catalogue(1, True, Revision(7, NOW), NOW, of_catalogue)
    cursor, none = Cursor(1, "ann", 1, Revision(1, NOW), Revision(7, NOW)), frozenset[int]()
    for number in range(1, 256):
        its = frozenset(each for each in of_catalogue if number & 1 << each - 1)
        update = UserTagsUpdate(cursor, False, its, its, none, none, None, NOW, catalogue)
        names = orjson.loads(encoder.encode(update) or b"")["userTags"]["tags"]
        assert {each["name"] for each in names} == {f"Tag {each}" for each in its}
        (cache,) = encoder._caches.values()
        kept = [*cache.lists.values(), *(chunk for chunks in cache.events.values() for chunk in chunks)]
        assert sum(map(len, kept)) <= 1_000


def update_with(tag: Tag) -> UserTagsUpdate:
    """Return an event of a person who has just got a tag, the only one of its catalogue."""
    catalogue = Catalogue(1, True, Revision(7, NOW), NOW, {tag.tag_id: tag})
    cursor = Cursor(1, "ann", 1, Revision(1, NOW), Revision(7, NOW))
    its, none = frozenset({tag.tag_id}), frozenset[int]()
    return UserTagsUpdate(cursor, False, its, its, none, none, None, NOW, catalogue)
