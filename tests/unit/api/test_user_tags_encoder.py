"""What is written without execution is, byte for byte, what graphql-core answers to the same event."""

import gc
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import pytest
from graphql import ExecutionResult, execute, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from service.api.live.user_tags_encoder import UserTagsEncoderCache
from service.api.operations.user_tags import user_tags_event_to_graphql
from service.api.schema import graphql_schema_of, make_schema
from service.entities.blocks import ChangeCause
from service.entities.feed import Cursor, UserTagsUpdate
from service.entities.tags import Catalogue, Tag, TagKind, TagState

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEMA: Final = graphql_schema_of(make_schema())
HEAD: Final = "subscription($openid: String!, $yes: Boolean!, $maybe: Boolean = true)"
VARIABLES: Final = {"openid": "ann", "yes": True}
OF_TAGS: Final = [
    *("id", "kind", "category", "name", "description", "state", "massPostable", "createdAt", "updatedAt"),
    *("version", "deletedAt", "__typename"),
]

directives = st.sampled_from(["", "", "@include(if: $yes)", "@skip(if: $yes)", "@skip(if: $maybe) @include(if: $yes)"])


def fields(*names: str) -> st.SearchStrategy[str]:
    """One of them, with or without an alias of its own."""
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
    lambda found, *, is_open: Catalogue(1, is_open, 7, NOW, NOW, {tag.tag_id: tag for tag in found}),
    st.lists(tags, max_size=8),
    is_open=st.booleans(),
)
tag_ids = st.frozensets(st.integers(1, 8))
moments = st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1))  # noqa: DTZ001
updates = st.builds(
    UserTagsUpdate,
    cursor=st.builds(
        Cursor, st.just(1), st.just("ann"), st.none() | st.just(9), st.just(4), moments, st.just(7), moments
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


def executed(document: str, update: UserTagsUpdate, given_variables: dict[str, Any]) -> bytes:
    result = execute(
        SCHEMA, parse(document), root_value=user_tags_event_to_graphql(update), variable_values=given_variables
    )
    assert isinstance(result, ExecutionResult)
    assert result.errors is None
    return orjson.dumps(result.data)


@given(documents, variables, st.lists(updates, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_written_is_what_graphql_core_answers(
    document: str, given_variables: dict[str, Any], events: list[UserTagsUpdate]
) -> None:
    encoder = UserTagsEncoderCache(SCHEMA, parse).encoder_for(document, None, given_variables)
    assert encoder is not None
    for update in (*events, *events):
        assert encoder.encode(update) == executed(document, update, given_variables)


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
def test_what_needs_to_know_who_asks_is_executed(selected: str) -> None:
    document = (
        f'subscription {{ userTags(channelId: "x", openid: "ann") {{ {selected} }} }}'
        "fragment F on UserTagsEvent { tags { ...G } } fragment G on Tag { id memberCount }"
    )
    assert UserTagsEncoderCache(SCHEMA, parse).encoder_for(document, None, None) is None


def test_the_panel_and_queries_are_executed() -> None:
    encoders = UserTagsEncoderCache(SCHEMA, parse)
    assert encoders.encoder_for("subscription { tagEvents { cursor } }", None, None) is None
    assert encoders.encoder_for("query a { viewer { robotId } } query b { viewer { robotId } }", None, None) is None


def test_equal_operations_share_and_others_do_not() -> None:
    encoders = UserTagsEncoderCache(SCHEMA, parse)
    document = f'{HEAD} {{ userTags(channelId: "x", openid: $openid) {{ cursor @include(if: $yes) reset }} }}'
    ann = encoders.encoder_for(document, None, VARIABLES)
    assert encoders.encoder_for(document, None, VARIABLES | {"openid": "bob"}) is ann
    assert encoders.encoder_for(document, None, VARIABLES | {"yes": False}) is not ann


def test_what_was_written_for_a_catalogue_goes_with_it() -> None:
    document = f'{HEAD} {{ userTags(channelId: "x", openid: $openid) {{ tags {{ name }} }} }}'
    encoder = UserTagsEncoderCache(SCHEMA, parse).encoder_for(document, None, VARIABLES)
    assert encoder is not None
    for name in ("Opened", "Was opened"):
        tag = Tag(1, 3, TagKind.DEFAULT, "Opening", name, None, TagState.ACTIVE, 1, NOW, NOW, None)
        catalogue = Catalogue(1, True, 7, NOW, NOW, {3: tag})
        place = Cursor(1, "ann", 1, 1, NOW, 7, NOW)
        three, none = frozenset({3}), frozenset[int]()
        update = UserTagsUpdate(place, False, three, three, none, none, None, NOW, catalogue)
        assert orjson.loads(encoder.encode(update) or b"") == {"userTags": {"tags": [{"name": name}]}}
        del catalogue, update
        gc.collect()
        assert not encoder._caches
