"""What clients were promised is what the schema offers, and everything in it is explained."""

from pathlib import Path

import pytest
from graphql import (
    BreakingChangeType,
    DangerousChangeType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
    introspection_from_schema,
)

from service.api.schema import make_schema, schema_text
from tests.contract.not_built_yet import MISSING_FROM_SCHEMA
from tests.contract.schema_walk import descriptions

HERE = Path(__file__).parent
EXPORTED = HERE.parents[1] / "schema.graphql"
# Seen by name, against MISSING_FROM_SCHEMA.
REMOVALS = {
    BreakingChangeType.TYPE_REMOVED,
    BreakingChangeType.TYPE_REMOVED_FROM_UNION,
    BreakingChangeType.FIELD_REMOVED,
    BreakingChangeType.ARG_REMOVED,
    BreakingChangeType.VALUE_REMOVED_FROM_ENUM,
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return make_schema().graphql_schema


@pytest.fixture(scope="module")
def contract() -> GraphQLSchema:
    return build_schema((HERE / "contract.graphql").read_text())


def test_the_exported_schema_is_the_present_one() -> None:
    assert EXPORTED.read_text() == schema_text(), "run `make schema`"


def test_what_the_contract_promises_is_there_or_known_to_be_missing(
    contract: GraphQLSchema, schema: GraphQLSchema
) -> None:
    missing = _missing(contract, schema)

    assert missing - set(MISSING_FROM_SCHEMA) == set(), "promised, and gone"
    assert set(MISSING_FROM_SCHEMA) - missing == set(), "built by now: take it off the list"


def test_the_list_of_what_is_missing_is_in_order() -> None:
    assert sorted(set(MISSING_FROM_SCHEMA)) == list(MISSING_FROM_SCHEMA)


def test_what_is_built_keeps_names_arguments_and_nullability(contract: GraphQLSchema, schema: GraphQLSchema) -> None:
    changes = find_breaking_changes(contract, schema)

    assert [change.description for change in changes if change.type not in REMOVALS] == []


def test_what_is_built_keeps_its_defaults(contract: GraphQLSchema, schema: GraphQLSchema) -> None:
    changes = find_dangerous_changes(contract, schema)
    moved = [change.description for change in changes if change.type is DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE]

    assert moved == []
    offered = _input_defaults(schema)
    assert offered["UserEventInput.fromAd"] == "false"
    assert {name: offered[name] for name in _input_defaults(contract) if name in offered} == {
        name: default for name, default in _input_defaults(contract).items() if name in offered
    }


def test_the_walk_over_descriptions_finds_what_lacks_one() -> None:
    bare = build_schema("type Query { a(b: C): D }  input C { e: Int }  enum D { F }")

    assert {name for name, text in descriptions(bare) if not text} == {
        "Query",
        "Query.a",
        "Query.a(b:)",
        "C",
        "C.e",
        "D",
        "D.F",
    }


def _missing(contract: GraphQLSchema, schema: GraphQLSchema) -> set[str]:
    """What the schema lacks; of what is missing whole, only its name."""
    present = {name for name, _ in descriptions(schema)}
    missing = {name for name, _ in descriptions(contract)} - present
    return {name for name in missing if missing.isdisjoint({name.partition(".")[0], name.partition("(")[0]} - {name})}


def _input_defaults(schema: GraphQLSchema) -> dict[str, str | None]:
    """The default of each field of an input type; null is as good as none."""
    return {
        f"{each['name']}.{field['name']}": None if field["defaultValue"] == "null" else field["defaultValue"]
        for each in introspection_from_schema(schema)["__schema"]["types"]
        if each["kind"] == "INPUT_OBJECT"
        for field in each["inputFields"]
    }
