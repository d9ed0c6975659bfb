"""Check the documents: links, paths, commands, GraphQL, roles, errors, and what is not built yet."""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from service import __version__
from service.cli.commands import build_parser
from service.entities.errors import ErrorCode
from service.entities.principal import Permission, Role, permissions_of
from service.wechat.batchset import BatchsetCode
from tests.packaging.dockerfile import REPOSITORY
from tests.packaging.documents import (
    BROADCASTS,
    CHANGELOG,
    CONSOLE,
    DOCUMENTS,
    FOR_DEVELOPERS,
    FRONTEND,
    INDEX,
    INTEGRATOR,
    PAGES,
    README,
    SECURITY,
    Document,
    committed,
    quoted,
)

MAX_README_LINES = 180
NEEDED = {
    "channels and tags, `tagEvents`": Permission.VIEW_TAGS,
    "people and their tags, `userTags`; audiences and overlaps": Permission.VIEW_USERS,
    "combine, rename, delete tags": Permission.MANAGE_TAGS,
    "export, see and cancel jobs": Permission.EXPORT,
    "bind, update, unbind channels; push addresses": Permission.MANAGE_CHANNELS,
    "confirm the ad return address, forget a person": Permission.MANAGE_CHANNELS,
    "import followers, migrate openids": Permission.MANAGE_CHANNELS,
    "see and take over the Official Account's tags, sync to them": Permission.SYNC,
    "make and edit ad tags": Permission.MANAGE_TAGS,
    "make, see, approve, stop and retry broadcasts, test messages; their policy": Permission.BROADCAST,
    "send against caps and in quiet hours, loosen the threshold of approval": Permission.OVERRIDE_BROADCAST_POLICY,
    "make, see, change and delete webhook endpoints; read `/feed/changes`": Permission.MANAGE_WEBHOOKS,
    "link identities": Permission.SUBMIT_DATA,
    "record events, hand data back, undo it": Permission.SUBMIT_DATA,
    "see the return address": Permission.VIEW_RETURN_ADDRESS,
    "obtain the return endpoint, see and reset its key": Permission.MANAGE_RETURN_KEY,
}
SHOWN_BY_THE_CONSOLE = {
    "tags, their states and sizes, live": Permission.VIEW_TAGS,
    "people, audiences, overlaps, conversations": Permission.VIEW_USERS,
    "the return address": Permission.VIEW_RETURN_ADDRESS,
    "its key: obtain, show, reset": Permission.MANAGE_RETURN_KEY,
    "make, edit, rename, merge, delete tags": Permission.MANAGE_TAGS,
    "hand lists back, undo them": Permission.SUBMIT_DATA,
    "exports, imports and other jobs": Permission.EXPORT,
    "sync, tags made at WeChat": Permission.SYNC,
    "broadcasts and their policy": Permission.BROADCAST,
    "send against caps and in quiet hours, loosen approvals": Permission.OVERRIDE_BROADCAST_POLICY,
    "bind, set up and unbind channels; forget a person": Permission.MANAGE_CHANNELS,
    "webhooks: who is told of changes, and how that goes": Permission.MANAGE_WEBHOOKS,
    "the audit log, with a token for all channels": Permission.VIEW_AUDIT_LOG,
}
COMMANDS = "up|serve|worker|migrate|token|refresh|verify|forget|acting|audit-log|import-csv|export-schema"
RELEASE = re.compile(r"\[\d+\.\d+\.\d+\] - 20\d\d-\d\d-\d\d")
COMMAND = re.compile(rf"user-tags ((?:{COMMANDS})\b[^\n#)|]*)")
# How a page writes what may be given, and what it leaves out.
USAGE = re.compile(r"\[|…$")
METHOD = re.compile(r"[A-Z][a-z]\w*\.[a-z]\w*")
FUNCTION = re.compile(r"[a-z]+(?:_[a-z]+)+")
# Folders whose files the documents name by their path from the root.
PATH = re.compile(r"(?:service|console|sql|tests|docs|benchmarks|examples|requirements|\.ci)/[\w./-]*")

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.path)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((REPOSITORY / "schema.graphql").read_text(encoding="utf-8"))


def test_the_readme_is_short() -> None:
    assert len(README.text.splitlines()) <= MAX_README_LINES


def test_the_readme_has_its_parts_in_order() -> None:
    parts = [
        'the "User Tags" page of WeChat\'s dialogue platform',
        "**What it cannot do yet**",
        "](docs/architecture.svg)",
        "make run ",
        "make test ",
        "export TOKEN=",
        "export CHANNEL=",
        "export OPENID=",
        "/graphql/stream",
        "curl -X POST $PLATFORM/demo/",
        "## Where to read on",
    ]
    place = 0
    for each in parts:
        place = README.text.find(each, place)
        assert place >= 0, each


def test_the_documents_name_the_newest_release() -> None:
    headings = re.findall(r"^## (.+)$", CHANGELOG.text, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert all(RELEASE.fullmatch(each) for each in headings[1:])
    newest = headings[1].split("]")[0].removeprefix("[")
    assert newest == __version__
    assert f"The newest release is {newest}." in README.text
    assert next(row[0] for row in SECURITY.rows("Supported versions")) == f"{newest}, the newest release"


@each_document
def test_every_relative_link_leads_to_a_file_and_its_anchor(document: Document) -> None:
    dead = []
    for target in document.links():
        if "://" in target or target.startswith("mailto:"):
            continue
        file, anchor = document.resolve(target)
        inside = file.is_relative_to(REPOSITORY) and file.exists()
        if not inside or (anchor and anchor not in Document(file.relative_to(REPOSITORY).as_posix()).anchors()):
            dead.append(target)
    assert dead == []


def test_links_are_found_and_followed() -> None:
    """The check of links is no better than what it finds."""
    assert {"docs/architecture.svg", "docs/frontend.md", "LICENSE"} <= set(README.links())
    assert INTEGRATOR.resolve("../SECURITY.md#roles") == (REPOSITORY / "SECURITY.md", "roles")
    assert {"return-data", "by-the-platforms-call", "report-events"} <= INTEGRATOR.anchors()


def test_the_index_leads_to_every_page_and_to_the_other_documents() -> None:
    linked = {INDEX.resolve(target)[0] for target in INDEX.links()}
    assert {REPOSITORY / each.path for each in (*PAGES, *DOCUMENTS) if each is not INDEX} - linked <= {
        REPOSITORY / INDEX.path
    }


@each_document
def test_every_path_that_is_named_exists(document: Document) -> None:
    named = {span for span in document.spans() if PATH.fullmatch(span)}
    assert [path for path in sorted(named) if not (REPOSITORY / path).exists()] == []


@cache
def defined_in(path: str) -> frozenset[str]:
    """Return the functions, classes and methods (also as `Class.method`) of a module, or the words of another file."""
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    if not path.endswith(".py"):
        return frozenset(re.findall(r"\w+", text))
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            inside = (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
            names |= {f"{node.name}.{each.name}" for each in inside}
    return frozenset(names)


@each_document
def test_functions_and_classes_are_in_the_files_that_are_named_with_them(document: Document) -> None:
    wrong = []
    for files, names in document.code_in_files():
        there = frozenset[str]().union(*(defined_in(file) for file in files if (REPOSITORY / file).exists()))
        wrong += [(files, name) for name in names if name not in there]
    assert wrong == []


def test_functions_named_with_their_files_are_found() -> None:
    """The check of functions is no better than what it finds."""
    found = [pair for document in FOR_DEVELOPERS for pair in document.code_in_files()]
    assert (["service/foundation/mailbox.py"], ["Mailbox.put"]) in found
    assert (["service/storage/blocks/heads.py", "sql/queries/heads.sql"], ["lock_heads", "advance_heads"]) in found
    assert (["service/domain/combos/refresh.py"], ["refresh_combos"]) in found
    assert (["service/api/engine/document_cache.py"], ["DocumentCache.plan_for"]) in found


@pytest.mark.parametrize("document", FOR_DEVELOPERS, ids=lambda document: document.path)
def test_methods_functions_and_columns_exist(document: Document) -> None:
    code = [path for path in committed() if re.match(r"(service|sql)/.*\.(py|sql)$|schema\.graphql$", path)]
    existing = frozenset(Path(path).stem for path in committed()).union(*map(defined_in, code))
    named = {span for span in document.spans() if METHOD.fullmatch(span) or FUNCTION.fullmatch(span)}
    assert sorted(named - existing) == []


def commands() -> Iterator[str]:
    for document in DOCUMENTS:
        for code in [*document.spans(), *document.blocks("sh")]:
            for found in COMMAND.findall(code.replace("\\\n", " ")):
                yield found.strip()


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_every_command_exists(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    name, *rest = shlex.split(command)
    if rest and not USAGE.search(command):
        build_parser().parse_args([name, *rest])
        return
    # Named alone, or with what may be given.
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([name, "--help"])
    assert ended.value.code == 0
    assert set(re.findall(r"--[a-z][a-z-]*", command)) <= set(re.findall(r"--[a-z][a-z-]*", capsys.readouterr().out))


@each_document
def test_every_make_target_exists(document: Document) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    code = "\n".join([*document.blocks("sh"), *document.spans()])
    for target in re.findall(r"^make ([a-z][a-z-]*)", code, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def operations() -> Iterator[tuple[str, str]]:
    """Return all GraphQL, wherever it stands: in blocks of its own, in JSON, Python and JavaScript."""
    for document in DOCUMENTS:
        yield from ((document.path, text) for text in document.blocks("graphql"))
        for shell in document.blocks("sh"):
            for query in re.findall(r'"query": "([^"]+)"', shell):
                yield document.path, query.replace("\\$", "$")
        for program in document.blocks("python"):
            for constant in ast.walk(ast.parse(program)):
                if isinstance(constant, ast.Constant) and "mutation" in str(constant.value):
                    yield document.path, str(constant.value)
        for program in document.blocks("js"):
            yield from ((document.path, text) for text in re.findall(r"`(\s*subscription[^`]+)`", program))


def test_all_graphql_is_found() -> None:
    found = [path for path, _ in operations()]
    assert {page: found.count(page) for page in (README.path, FRONTEND.path, BROADCASTS.path, INTEGRATOR.path)} == {
        README.path: 4,
        FRONTEND.path: 18,
        BROADCASTS.path: 8,
        INTEGRATOR.path: 8,
    }


@pytest.mark.parametrize(("path", "operation"), list(operations()))
def test_graphql_is_valid(path: str, operation: str, schema: GraphQLSchema) -> None:
    assert validate(schema, parse(operation)) == [], path


@pytest.mark.parametrize(
    ("document", "heading", "all_needed"),
    [(SECURITY, "Roles", NEEDED), (CONSOLE, "What your role sees", SHOWN_BY_THE_CONSOLE)],
    ids=["SECURITY.md", "docs/console.md"],
)
def test_the_tables_of_roles_are_those_of_the_code(
    document: Document, heading: str, all_needed: dict[str, Permission]
) -> None:
    documented = {row[0]: row[1:] for row in document.rows(heading)}
    assert documented == {
        action: ["✓" if needed in permissions_of(role) else "–" for role in Role]
        for action, needed in all_needed.items()
    }


def test_every_error_code_is_explained() -> None:
    assert sorted(code for row in FRONTEND.rows("Errors") for code in quoted(row[0])) == sorted(ErrorCode)


def test_every_code_of_the_platforms_call_is_explained() -> None:
    documented = [int(code) for row in INTEGRATOR.rows("Return data") for code in quoted(row[0])]
    assert sorted(documented) == sorted(BatchsetCode)
