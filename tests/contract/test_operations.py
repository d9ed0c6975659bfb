"""Hold the root fields to one address each: a module of service/api/operations that names them."""

import ast
import inspect
import re
from typing import Final

import pytest
from strawberry.types.field import StrawberryField

from service.api.schema import make_schema
from tests.packaging.dockerfile import REPOSITORY
from tests.packaging.documents import Document

OPERATIONS: Final = "service.api.operations."
OVERVIEW: Final = Document("docs/architecture/overview.md")
NAME: Final = re.compile(r"`([A-Za-z]+)`")
# The order of the parts of each module; helpers come last.
KINDS: Final = ("Input", "Payload", "Queries", "Mutations", "Subscriptions")


@pytest.fixture(scope="module")
def modules() -> dict[str, set[str]]:
    """Return the root fields of each module that resolves any, by its name in service/api/operations."""
    schema = make_schema().graphql_schema
    found: dict[str, set[str]] = {}
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        assert root is not None
        for name, field in root.fields.items():
            definition = field.extensions["strawberry-definition"]
            assert isinstance(definition, StrawberryField)
            assert definition.base_resolver is not None, name
            found.setdefault(definition.base_resolver.wrapped_func.__module__, set()).add(name)
    return found


def test_every_root_field_is_resolved_in_the_operations(modules: dict[str, set[str]]) -> None:
    assert sum(map(len, modules.values())) > 35
    assert {module: fields for module, fields in modules.items() if not module.startswith(OPERATIONS)} == {}


def test_each_module_names_its_fields_and_no_others(modules: dict[str, set[str]]) -> None:
    assert {module: set(NAME.findall(docstring(module))) for module in modules} == modules


def test_the_overview_says_which_module_resolves_a_field(modules: dict[str, set[str]]) -> None:
    listed = {
        f"{OPERATIONS}{module.strip('`')}": set(NAME.findall(fields)) for fields, module in OVERVIEW.rows("Root fields")
    }

    assert listed == modules


def test_the_modules_read_alike(modules: dict[str, set[str]]) -> None:
    orders = {module: kinds_in_order(source(module)) for module in modules}

    assert {module: order for module, order in orders.items() if order != sorted(order)} == {}
    assert {kind for order in orders.values() for kind in order} == set(range(len(KINDS)))


def test_a_module_in_another_order_is_found() -> None:
    assert kinds_in_order("class PageMutations: ...\nclass PageInput: ...\nclass PageQueries: ...") == [3, 0, 2]


def kinds_in_order(text: str) -> list[int]:
    """Return the kinds of the classes of a module, as indexes of KINDS; other classes are left out."""
    classes = [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    return [kind for name in classes for kind, suffix in enumerate(KINDS) if name.endswith(suffix)]


def source(module: str) -> str:
    """Return the text of a module of service/."""
    return (REPOSITORY / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")


def docstring(module: str) -> str:
    """Return the docstring of a module, without line breaks."""
    return inspect.cleandoc(ast.get_docstring(ast.parse(source(module))) or "")
