"""Check every committed text against .editorconfig."""

import configparser
from fnmatch import fnmatch

from tests.packaging.dockerfile import REPOSITORY
from tests.packaging.documents import committed


def sections() -> configparser.ConfigParser:
    """Read the file; what stands before its first section is in `top`."""
    read = configparser.ConfigParser()
    read.read_string("[top]\n" + (REPOSITORY / ".editorconfig").read_text(encoding="utf-8"))
    return read


def default_tag_rules(path: str) -> dict[str, str]:
    """Return the properties of all sections that a path matches, the last one winning."""
    found: dict[str, str] = {}
    for pattern, properties in sections().items():
        if fnmatch(path if "/" in pattern else path.rsplit("/", 1)[-1], pattern):
            found |= properties
    return found


def test_it_says_what_the_tools_say() -> None:
    assert sections()["top"]["root"] == "true"
    python = default_tag_rules("service/__init__.py")
    assert (python["indent_style"], python["indent_size"], python["max_line_length"]) == ("space", "4", "120")
    assert default_tag_rules("Makefile")["indent_style"] == "tab"
    assert default_tag_rules("sql/schema.sql")["indent_style"] == "unset"
    assert default_tag_rules("docs/index.md")["insert_final_newline"] == "true"


def test_every_text_keeps_it() -> None:
    wrong = []
    for path in committed():
        file = REPOSITORY / path
        if not file.is_file():
            continue
        content = file.read_bytes()
        if b"\0" in content:  # a picture
            continue
        lines = content.decode("utf-8").split("\n")
        if lines.pop():
            wrong.append(f"{path}: no line end at the end")
        spaces = default_tag_rules(path)["indent_style"] == "space"
        for number, line in enumerate(lines, start=1):
            if line != line.rstrip():
                wrong.append(f"{path}:{number}: blanks or a carriage return at the end")
            if spaces and line.startswith("\t"):
                wrong.append(f"{path}:{number}: a tab")
    assert wrong == []
