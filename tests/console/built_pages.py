"""Build the pages of the console if what is there is not of these sources."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from service.web.console.pages import PAGES

BUILD: Final = Path(__file__).parents[2] / "console" / "build.py"
IS_NOT_BUILT: Final = "the console is not built: Node.js, or what it is built with, cannot be had"


def build_pages() -> bool:
    """Build the pages; False where what they are built with cannot be had. Raises CalledProcessError."""
    subprocess.run([sys.executable, BUILD, "--optional"], check=True, timeout=600)
    return PAGES.is_dir()
