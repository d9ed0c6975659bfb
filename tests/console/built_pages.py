"""Build the pages of the console where they are missing or older than what they are made of."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.support.processes import find_node

CONSOLE: Final = Path(__file__).parents[2] / "console"
PAGES: Final = CONSOLE.parent / "service" / "web" / "pages"
# The IDE takes most of the time, and changes least.
IDE_SOURCES: Final = ("src/ide", "ide.html", "vite.ide.config.ts", "package-lock.json")
SOURCES: Final = ("src", "*.html", "*.ts", "package-lock.json", "../schema.graphql")


def build_pages() -> bool:
    """Build the pages that are not current; False where there is no Node.js. Raises CalledProcessError."""
    if find_node(CONSOLE) is None:
        return False
    if not _is_current("ide.html", IDE_SOURCES):
        _build("build")
    elif not _is_current("persisted-documents.json", SOURCES):
        _build("build:pages")
    return True


def _build(script: str) -> None:
    subprocess.run(["npm", "run", script], cwd=CONSOLE, check=True, timeout=300)
    (PAGES / "persisted-documents.json").touch()


def _is_current(page: str, sources: Iterable[str]) -> bool:
    """Tell whether what was built is younger than all its sources."""
    built = PAGES / page
    found = (path for pattern in sources for path in CONSOLE.glob(pattern))
    files = (file for path in found for file in (path.rglob("*") if path.is_dir() else (path,)))
    newest = max(file.stat().st_mtime for file in files if file.is_file() and "generated" not in file.parts)
    return built.exists() and built.stat().st_mtime >= newest
