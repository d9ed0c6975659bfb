"""What the README says is so: settings, commands, GraphQL, roles, errors, paths."""

import ast
import re
import shlex
from collections.abc import Iterator, Mapping

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from service.cli.commands import parser
from service.entities.enums import Permission, Role
from service.entities.errors import ErrorCode
from service.entities.principal import permissions_of
from service.foundation.settings import ClientLimits, QueryLimits, read_settings
from tests.packaging.dockerfile import REPOSITORY
from tests.packaging.readme import TEXT, block, blocks, quoted, rows

LIMITS = {quoted(row[0])[0]: row[1:] for row in rows("Limits")}
SETTINGS = {quoted(row[0])[0]: row[1] for row in rows("Settings")} | {
    f"USER_TAGS_{name}": row[0] for name, row in LIMITS.items()
}
# What a client may see instead of an error code: a status of HTTP, or why a WebSocket was closed.
STATUSES = {"408", "413", "429", "431", "1009", "1011", "4408"}
NEEDED = {
    "channels and tags, `tagEvents`": Permission.VIEW_TAGS,
    "people and their tags, `userTags`; audiences and overlaps": Permission.VIEW_USERS,
    "combine, rename, delete tags": Permission.MANAGE_TAGS,
    "export, see and cancel jobs": Permission.EXPORT,
    "bind, update, unbind channels; push addresses": Permission.MANAGE_CHANNELS,
    "confirm the ad return address, forget a person": Permission.MANAGE_CHANNELS,
    "make and edit ad tags": Permission.MANAGE_TAGS,
    "link identities": Permission.SUBMIT_DATA,
    "record events, hand data back, undo it": Permission.SUBMIT_DATA,
    "see the return address": Permission.VIEW_RETURN_ADDRESS,
    "obtain the return endpoint, see and reset its key": Permission.MANAGE_RETURN_KEY,
}
COMMAND = re.compile(
    r"user-tags ((?:up|serve|worker|migrate|token|refresh|verify|forget|import-csv|export-schema)\b[^`\n)|]*)"
)


class Asked(Mapping[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((REPOSITORY / "schema.graphql").read_text(encoding="utf-8"))


def test_the_table_of_settings_is_complete() -> None:
    asked = Asked()
    read_settings(asked)
    assert set(SETTINGS) == asked.names


@pytest.mark.parametrize(("name", "default"), [(name, *quoted(cell)) for name, cell in SETTINGS.items() if "`" in cell])
def test_a_default_in_the_table_is_the_default(name: str, default: str) -> None:
    assert read_settings({name: default}) == read_settings({})


def test_a_setting_without_a_default_in_the_table_has_none() -> None:
    settings = read_settings({})
    assert all(value in (None, ()) for value in (
        settings.database_url, settings.redis_url, settings.jwt_secret, settings.jwt_public_key, settings.jwt_jwks_url,
        settings.jwt_algorithms, settings.jwt_issuer, settings.jwt_audience, settings.secrets_keys,
        settings.clock_offset_file, settings.trusted_documents,
    ))  # fmt: skip


def test_every_limit_is_in_the_table_of_limits_with_what_it_does() -> None:
    named = {each.upper() for each in ClientLimits.__slots__} | {
        f"QUERY_{each.upper()}" for each in QueryLimits.__slots__
    }
    assert set(LIMITS) == named
    for _, limited, beyond in LIMITS.values():
        assert limited
        assert set(quoted(beyond)) <= set(ErrorCode)
        assert set(re.findall(r"\d+", beyond)) <= STATUSES


@pytest.mark.parametrize("command", sorted({found.strip() for found in COMMAND.findall(TEXT)}))
def test_every_command_exists(command: str) -> None:
    parser().parse_args(shlex.split(command))


def test_every_make_target_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([a-z]+)", "\n".join([*blocks("sh"), *quoted(TEXT)]), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def operations() -> Iterator[str]:
    """All GraphQL, wherever it stands: in blocks of its own, in JSON, Python and JavaScript, in the terminal."""
    yield from blocks("graphql")
    for shell in blocks("sh"):
        yield from (query.replace("\\$", "$") for query in re.findall(r'"query": "([^"]+)"', shell))
    for constant in ast.walk(ast.parse(block("python", "httpx"))):
        if isinstance(constant, ast.Constant) and "mutation" in str(constant.value):
            yield str(constant.value)
    yield from re.findall(r"`(\s*subscription[^`]+)`", block("js", "graphql-ws"))
    terminal = block("text", "User Tags is ready")
    yield from re.findall(r"^  (subscription .*?)^  variables:", terminal, re.MULTILINE | re.DOTALL)


def test_all_graphql_is_found() -> None:
    assert len(list(operations())) == 11


@pytest.mark.parametrize("operation", list(operations()))
def test_graphql_is_valid(operation: str, schema: GraphQLSchema) -> None:
    assert validate(schema, parse(operation)) == []


def test_the_table_of_roles_is_that_of_the_code() -> None:
    told = {row[0]: row[1:] for row in rows("Roles")}
    assert told == {
        action: ["✓" if needed in permissions_of(role) else "–" for role in Role] for action, needed in NEEDED.items()
    }


def test_every_error_code_is_explained() -> None:
    assert sorted(code for row in rows("Errors") for code in quoted(row[0])) == sorted(ErrorCode)


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert f"\n## {target[1:].replace('-', ' ')}\n" in TEXT.lower(), target
        elif "://" not in target:
            assert (REPOSITORY / target).exists(), target
