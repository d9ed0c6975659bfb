"""What the README holds: its code blocks by language, its tables by heading."""

import re
from collections.abc import Iterator
from typing import Final

from tests.packaging.dockerfile import REPOSITORY

TEXT: Final = (REPOSITORY / "README.md").read_text(encoding="utf-8")
FENCE: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for found, text in FENCE.findall(TEXT) if found == language]


def block(language: str, holding: str) -> str:
    """Find the only block of a language that holds a text."""
    (found,) = (text for text in blocks(language) if holding in text)
    return found


def rows(heading: str) -> Iterator[list[str]]:
    """Read the cells of the first table under a heading, without its head."""
    section = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def quoted(text: str) -> list[str]:
    """Read what stands between backticks."""
    return re.findall(r"`([^`]+)`", text)
