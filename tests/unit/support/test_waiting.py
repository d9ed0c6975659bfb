"""Waiting without sleeping, and the check that every test cleans up."""

import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from service.dev.stack.servers import environment_with_package_path
from tests.support.waiting import wait_until

LEAKY = """
import asyncio, subprocess, sys

async def test_task():
    global task
    task = asyncio.create_task(asyncio.Event().wait(), name="forgotten")

def test_process():
    global process
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

async def test_tidy():
    pass
"""


async def test_it_returns_the_first_truthy_answer() -> None:
    answers = count()
    assert await wait_until(lambda: next(answers)) == 1


async def test_it_takes_an_async_condition() -> None:
    async def answer() -> str:
        return "yes"

    assert await wait_until(answer) == "yes"


async def test_out_of_time_it_shows_the_last_answer() -> None:
    with pytest.raises(AssertionError, match=r"was not true within 0\.02 s; the last answer was \[\]"):
        await wait_until(list[int], within=0.02)


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
