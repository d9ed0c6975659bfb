"""Node.js with the packages of a directory; where there is none, the tests that need it say so."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "live"
MISSING: Final = "Node.js and npm are not installed"


def find_node(packages: Path) -> str | None:
    """The path of Node.js, the packages installed that the directory's lock names; None where there is no Node.js."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        return None
    lock = packages / "package-lock.json"
    installed = packages / "node_modules" / ".package-lock.json"
    with _alone(packages):
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=packages, check=True, capture_output=True, timeout=110)
    return found


def node(packages: Path = EXAMPLES) -> str:
    """The same; skips the test where there is no Node.js."""
    found = find_node(packages)
    if found is None:
        pytest.skip(MISSING)
    return found


@contextmanager
def _alone(packages: Path) -> Iterator[None]:
    """One process of the run installs, the others wait for it; a lock on the directory leaves nothing behind."""
    directory = os.open(packages, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
