"""Node.js with the packages of examples/live; where there is none, the tests that need it say so."""

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


def node() -> str:
    """The path of Node.js, its packages installed; skips the test where there is no Node.js."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("Node.js and npm are not installed")
    lock = EXAMPLES / "package-lock.json"
    installed = EXAMPLES / "node_modules" / ".package-lock.json"
    with _alone():
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=EXAMPLES, check=True, capture_output=True, timeout=110)
    return found


@contextmanager
def _alone() -> Iterator[None]:
    """One process of the run installs, the others wait for it; a lock on the directory leaves nothing behind."""
    directory = os.open(EXAMPLES, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
