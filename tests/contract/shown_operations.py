"""The operations that the documents and the examples show."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
# Between the fences of Markdown (indented ones are in a list), the quotes of Python and the backticks of JavaScript.
QUOTED: Final = (
    re.compile(r"^ *```graphql\n(.*?)^ *```$", re.MULTILINE | re.DOTALL),
    re.compile(r'"""(.*?)"""', re.DOTALL),
    re.compile(r"(?<!`)`([^`]+)`(?!`)"),
)
OPERATION: Final = re.compile(r"\s*(?:query|mutation|subscription)\b[^:]*?[({]")


def documented_operations() -> Iterator[tuple[str, str]]:
    """Yield each with its place: the file and the line."""
    documents = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    examples = [each for each in (REPOSITORY / "examples").glob("*/*.*") if each.suffix in {".py", ".mjs"}]
    for path in (*sorted(documents), *sorted(examples)):
        text = path.read_text(encoding="utf-8")
        for found in (found for quoted in QUOTED for found in quoted.finditer(text)):
            if OPERATION.match(found[1]):
                line = text.count("\n", 0, found.start(1)) + 1
                yield f"{path.relative_to(REPOSITORY)}:{line}", found[1]


def write_documented_operations(directory: Path) -> None:
    """Write each as a file of its own, named after its place."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for place, operation in documented_operations():
        (directory / f"{re.sub(r'[^A-Za-z0-9]', '_', place)}.graphql").write_text(operation, encoding="utf-8")
