"""`python -m tests.contract.schema_lint`: what graphql-inspector and graphql-eslint say.

No change since the released schema may be breaking; schema.graphql, and the operations that the documents and the
examples show, keep the recommended rules.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.contract.shown_operations import write_documented_operations
from tests.support.processes import NODE_IS_MISSING, find_node

HERE: Final = Path(__file__).parent
TOOLS: Final = HERE / "schema_tools"
REPOSITORY: Final = HERE.parents[1]
PRESENT: Final = REPOSITORY / "schema.graphql"
# What clients may rely on: `make release-schema` writes it with each release.
RELEASED: Final = HERE / "schema.released.graphql"
# Inside, because ESLint looks at nothing outside.
DOCUMENTED: Final = TOOLS / ".shown"
ESLINT: Final = (
    TOOLS / "node_modules/eslint/bin/eslint.js",
    "--config",
    TOOLS / "eslint.config.mjs",
    "--max-warnings=0",
)


def compare(node: str, before: Path, after: Path) -> tuple[int, str]:
    """The exit code, which is not 0 on a breaking change, and the changes by name."""
    return _run(node, TOOLS / "compare.mjs", before, after)


def lint(node: str, files: Iterable[Path]) -> tuple[int, str]:
    """The exit code, which is not 0 on any finding, and the findings."""
    return _run(node, *ESLINT, *files)


def lint_text(node: str, text: str, name: Path) -> tuple[int, str]:
    """The same of a text, as if it were the file of this name."""
    return _run(node, *ESLINT, "--stdin", "--stdin-filename", name, text=text)


def _run(node: str, *arguments: str | Path, text: str = "") -> tuple[int, str]:
    command = [node, *map(str, arguments)]
    done = subprocess.run(command, cwd=REPOSITORY, input=text, capture_output=True, text=True, check=False, timeout=100)
    return done.returncode, done.stdout + done.stderr


def main() -> int:
    node = find_node(TOOLS)
    if node is None:
        print(f"Schema lint skipped: {NODE_IS_MISSING}.")
        return 0
    write_documented_operations(DOCUMENTED)
    codes = []
    for code, said in (compare(node, RELEASED, PRESENT), lint(node, [PRESENT, DOCUMENTED])):
        codes.append(code)
        print(said or "Nothing found by graphql-eslint.", end="\n" if not said else "")
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
