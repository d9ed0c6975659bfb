"""Check that what the fuzzer takes for right is right, and that what it damages is not the same."""

import csv
from pathlib import Path
from random import Random

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate
from graphql.execution.values import get_variable_values
from graphql.language import OperationDefinitionNode

from tests.fuzz.files import csv_file
from tests.fuzz.junk import damaged, damaged_bytes
from tests.fuzz.operations import operations_of, right_variables

KNOWN = {"channels": ["a-channel"], "tags": ["one-tag", "another"], "nodes": ["a-node"], "cursors": ["a-cursor"]}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8"))


def test_every_operation_is_valid_and_its_variables_are_accepted(schema: GraphQLSchema) -> None:
    operations = operations_of(schema)

    assert {each.kind for each in operations} == {"query", "mutation", "subscription"}
    for number, operation in enumerate(operations):
        document = parse(operation.text)
        assert validate(schema, document) == [], operation.text
        [definition] = document.definitions
        assert isinstance(definition, OperationDefinitionNode)
        values = right_variables(operation, KNOWN, Random(number))
        coerced = get_variable_values(schema, definition.variable_definitions or (), values)
        assert not isinstance(coerced, list), coerced


@pytest.mark.parametrize("seed", range(40))
def test_a_file_has_the_openids_that_it_says(seed: int) -> None:
    made = csv_file(Random(seed))
    encoding = made.parameters.get("encoding") or ("utf-16" if made.content[:2] == b"\xff\xfe" else "utf-8-sig")
    text = made.content.decode(encoding)

    cells = {cell for line in text.splitlines() for each in csv.reader([line]) for cell in ";".join(each).split(";")}
    found = {part for cell in cells for part in cell.replace('"', "").split("\t")}
    assert made.openids <= found
    assert len(made.openids) == 20


def test_damage_changes_something() -> None:
    value = {"input": {"channelId": "a", "events": [{"openid": "b", "at": 1}]}}
    made = [damaged(value, Random(seed)) for seed in range(100)]

    assert all(each != value for each in made)
    assert sum(isinstance(each, dict) and "input" in each for each in made) > 40
    assert (
        sum(damaged_bytes(b"<xml><a>1</a></xml>", Random(seed)) != b"<xml><a>1</a></xml>" for seed in range(100)) > 80
    )
