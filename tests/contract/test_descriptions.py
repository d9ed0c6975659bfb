"""Hold each description to what an IDE needs, which shows one at a time: a sentence of its own, who may, which
codes.
"""

import re
from collections.abc import Iterable
from typing import Final

import pytest
from graphql import GraphQLEnumType, GraphQLField, GraphQLSchema, build_schema
from strawberry.permission import PermissionExtension

from service.api.guards.permissions import HasAnyPermission, guards_of
from service.api.schema import make_schema
from service.entities.errors import ErrorCode
from service.entities.principal import PERMISSIONS, Permission, Role
from tests.contract.schema_walk import descriptions, fields

MIN_WORDS: Final = 3
LEANING: Final = re.compile(
    r"(?:it|its|they|their|them|this|that|those|these|as above|ditto|the same|the ones?|the others?|none)\b",
    re.IGNORECASE,
)
CODE: Final = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
NAME: Final = re.compile(r"`([A-Za-z]+)`")
# The claims of a token, the beginning of WeChat's ids, and the call that integrators make.
NAMES_FROM_ELSEWHERE: Final = {"sub", "role", "robot", "wx", "batchset"}
PLURALS: Final = {
    Role.CREATOR: "creators",
    Role.ADMIN: "admins",
    Role.AGENT: "agents",
    Role.INTEGRATOR: "integrators",
}
NO_CODE: Final = "Answers no code of its own."


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return make_schema().graphql_schema


def test_every_description_stands_alone(schema: GraphQLSchema) -> None:
    found = {name: weakness(text) for name, text in descriptions(schema)}

    assert {name: each for name, each in found.items() if each is not None} == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is none"),
        (" ", "there is none"),
        ("The tag.", "too short"),
        ("It was renamed or edited.", "leans on another description"),
        ("The other of the two tags.", "leans on another description"),
        ("The same people without cursors.", "leans on another description"),
        ("… unless they are in this.", "is no sentence"),
        ("Pass it as `after`", "is no sentence"),
        ("`text` reads like an expression.", None),
        ("Id of the channel.", None),
    ],
)
def test_a_description_that_does_not_is_found(text: str | None, said: str | None) -> None:
    assert weakness(text) == said


def test_the_walk_reaches_everything_that_can_have_a_description() -> None:
    bare = build_schema(
        "type Query { a(b: C): D }  input C { e: Int }  enum D { F }  union U = Query  interface I { g: ID }"
    )

    assert {name for name, text in descriptions(bare) if weakness(text)} == {
        "Query",
        "Query.a",
        "Query.a(b:)",
        "C",
        "C.e",
        "D",
        "D.F",
        "U",
        "U.Query",
        "I",
        "I.g",
    }


def test_what_is_guarded_says_for_whom_it_is(schema: GraphQLSchema) -> None:
    guarded = {name: field for name, field in fields(schema) if guards_of(field)}
    missing = {
        name: said for name, field in guarded.items() if (said := who_may(field)) not in (field.description or "")
    }

    assert len(guarded) > 40
    assert missing == {}


def test_who_may_is_what_the_table_of_roles_says() -> None:
    assert roles_with([Permission.VIEW_TAGS]) == "every role"
    assert roles_with([Permission.VIEW_USERS]) == "creators, admins and agents"
    assert roles_with([Permission.VIEW_TAGS, Permission.SUBMIT_DATA]) == "creators, admins and integrators"
    assert roles_with([Permission.EXPORT]) == "creators and admins"


def test_every_operation_says_which_codes_it_answers(schema: GraphQLSchema) -> None:
    roots = [schema.query_type, schema.mutation_type, schema.subscription_type]
    operations = {f"{root.name}.{name}": field for root in roots if root for name, field in root.fields.items()}
    silent = [name for name, field in operations.items() if not says_codes(field.description or "")]

    assert len(operations) > 35
    assert silent == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Deletes a tag.", False),
        ("Deletes a tag. Answers.", False),
        ("Deletes a tag. Answers NOT_FOND.", False),
        ("Deletes a tag, TAG_PROTECTED.", False),
        ("Deletes a tag. Answers TAG_PROTECTED or NOT_FOUND.", True),
        ("Tells who is asking. Answers no code of its own.", True),
        ("Tells who is asking. Answers no code of its own. Answers NOT_FOUND.", False),
    ],
)
def test_an_operation_that_names_no_code_is_found(text: str, says: bool) -> None:
    assert says_codes(text) is says


def test_descriptions_name_only_what_there_is(schema: GraphQLSchema) -> None:
    values = {name for each in schema.type_map.values() if isinstance(each, GraphQLEnumType) for name in each.values}
    coordinates = [name for name, _ in descriptions(schema)]
    names = {part for each in coordinates for part in re.findall(r"\w+", each)} | NAMES_FROM_ELSEWHERE

    unknown = {
        name: wrong
        for name, text in descriptions(schema)
        if (wrong := {*CODE.findall(text or "")} - values | {*NAME.findall(text or "")} - names)
    }
    assert unknown == {}


def weakness(text: str | None) -> str | None:
    """Return what is wrong with a description that is seen alone; None for a good one."""
    if text is None or not text.strip():
        return "there is none"
    if not (text[0].isupper() or text[0] == "`") or text[-1] != ".":
        return "is no sentence"
    if LEANING.match(text):
        return "leans on another description"
    return "too short" if len(text.split()) < MIN_WORDS else None


def who_may(field: GraphQLField) -> str:
    """Return the words that the description of a guarded field must have."""
    guards = _guards(field)
    checks = [each for guard in guards for each in guard.permissions]
    alternatives = [permission for each in checks if isinstance(each, HasAnyPermission) for permission in each.any_of]
    permissions = alternatives or [permission for permission in guards_of(field) if permission is not None]
    if not permissions:
        return "For every valid token."
    names = [each.value for each in dict.fromkeys(permissions)]
    listed = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 and alternatives else ", ".join(names)
    said = f"For {roles_with(permissions, of_any=bool(alternatives))} ({listed})"
    return f"{said}, null for others" if any(guard.fail_silently for guard in guards) else said


def roles_with(permissions: Iterable[Permission], *, of_any: bool = False) -> str:
    """Return the roles that have all of these permissions, or with `of_any` one of them, as prose."""
    needed = set(permissions)
    enough = needed.intersection if of_any else needed.issubset
    names = [PLURALS[role] for role, granted in PERMISSIONS.items() if enough(granted)]
    if len(names) == len(Role):
        return "every role"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def says_codes(text: str) -> bool:
    """Tell whether a description ends with the codes that an operation answers, or says that there are none."""
    _, answers, said = text.partition(" Answers ")
    codes = {code.value for code in ErrorCode} & {*re.findall(r"[A-Z_]+", said)}
    return bool(answers) and bool(codes) != (NO_CODE in text)


def _guards(field: GraphQLField) -> list[PermissionExtension]:
    definition = field.extensions["strawberry-definition"]
    return [each for each in definition.extensions if isinstance(each, PermissionExtension)]
