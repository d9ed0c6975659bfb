"""Build the pages of the console as `make run` does."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from service.web.console.pages import PAGES

BUILD: Final = Path(__file__).parents[2] / "console" / "build.py"
ARE_MISSING: Final = "the console cannot be built: no registry of packages can be reached"


def build_pages() -> bool:
    """Build the pages if they are not current; False where they cannot be. Raises CalledProcessError for mistakes."""
    subprocess.run([sys.executable, str(BUILD), "--optional"], check=True, timeout=600)
    return (PAGES / "index.html").is_file()
