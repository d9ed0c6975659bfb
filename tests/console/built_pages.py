"""Build the pages of the console where they are missing or older than what they are made of."""

import subprocess
from pathlib import Path
from typing import Final

from tests.support.processes import find_node

CONSOLE: Final = Path(__file__).parents[2] / "console"
PAGES: Final = CONSOLE.parent / "service" / "web" / "pages"
SOURCES: Final = ("src", "*.html", "*.ts", "package-lock.json", "../schema.graphql")


def pages_are_current() -> bool:
    """Tell whether the pages are younger than all their sources."""
    built = PAGES / "persisted-documents.json"
    return built.exists() and built.stat().st_mtime >= _newest_source()


def build_pages() -> bool:
    """Build the pages if they are not current; False where there is no Node.js. Raises CalledProcessError."""
    if find_node(CONSOLE) is None:
        return False
    if not pages_are_current():
        subprocess.run(["npm", "run", "build"], cwd=CONSOLE, check=True, timeout=300)
        (PAGES / "persisted-documents.json").touch()
    return True


def _newest_source() -> float:
    found = (path for pattern in SOURCES for path in CONSOLE.glob(pattern))
    files = (file for path in found for file in (path.rglob("*") if path.is_dir() else (path,)))
    return max(file.stat().st_mtime for file in files if file.is_file() and "generated" not in file.parts)
