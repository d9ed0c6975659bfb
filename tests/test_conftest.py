"""Fail the test that leaves a task or a process running."""

import subprocess
import sys
from pathlib import Path

from service.dev.stack.servers import environment_with_package_path

LEAKY = """
import asyncio, subprocess, sys
from tests import conftest

conftest.GRACE_PERIOD = 0.5

async def test_task():
    global task
    task = asyncio.create_task(asyncio.Event().wait(), name="forgotten")

def test_process():
    global process
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

async def test_tidy():
    pass
"""


def test_a_test_that_leaves_something_running_fails(tmp_path: Path) -> None:
    (tmp_path / "test_leaky.py").write_text(LEAKY)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.conftest",
            "-p",
            "no:cacheprovider",
            "--asyncio-mode=auto",
            ".",
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment_with_package_path(),
    )
    assert "This test left running: task forgotten" in run.stdout
    assert "This test left running: process" in run.stdout
    assert "3 passed, 2 errors" in run.stdout
