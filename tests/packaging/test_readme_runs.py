"""The README's shell and Python blocks, pasted into a shell beside a running demo."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.dev.stack.servers import environment_with_ourselves
from tests.packaging.dockerfile import REPOSITORY
from tests.packaging.readme import block
from tests.ports import free_port

BIN = Path(sys.executable).parent
TOKEN = re.compile(r"eyJ[\w.…-]+")


@contextmanager
def demo(data_dir: Path, port: int) -> Iterator[str]:
    """Run `user-tags up --demo`, and give what it printed until it was ready."""
    with subprocess.Popen(
        [BIN / "user-tags", "up", "--demo", "--port", str(port), "--data-dir", str(data_dir)],
        env=environment(data_dir),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if "Ctrl-C stops everything" in line:
                    break
            yield said
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def environment(data_dir: Path) -> dict[str, str]:
    ours = {
        name: value
        for name, value in environment_with_ourselves().items()
        if not name.startswith("USER_TAGS_") and name not in {"DATABASE_URL", "REDIS_URL"}
    }
    return ours | {"USER_TAGS_DATA_DIR": str(data_dir), "USER_TAGS_DEMO_PORT": "0", "NO_PROXY": "127.0.0.1"}


def told(said: str) -> list[str]:
    """Read the lines of the terminal that do not depend on tokens, ids and ports."""
    lines = [re.sub(r"\d{4,}", "…", TOKEN.sub("…", line)).rstrip() for line in said.strip().splitlines()]
    return [re.sub(r"(openid\": \"|/demo/)[\w-]+", r"\1…", line) for line in lines]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's examples use curl")
def test_the_examples_work_when_pasted(place: Path) -> None:
    port = free_port()
    report = place / "report.py"

    def adapted(text: str) -> str:
        """Aim an example at this demo."""
        return text.replace("127.0.0.1:8000", f"127.0.0.1:{port}").replace(".data/", f"{place}/data/")

    report.write_text(adapted(block("python", "httpx")), encoding="utf-8")
    script = [
        block("sh", "export TOKEN"),
        block("sh", "followerCount"),
        "\necho\n",
        block("sh", "recordEvents"),
        f"\necho\n.venv/bin/python {report}\n",
    ]
    with demo(place / "data", port) as said:
        answers = subprocess.run(
            ["sh", "-eu"],
            input=adapted("".join(script)).replace(".venv/bin/", f"{BIN}/"),
            env=environment(place / "data"),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout.splitlines()

    panel, reported, in_python = (line for line in answers if line)
    service_account, mini_program = json.loads(panel)["data"]["channels"]
    assert len(service_account["tags"]["nodes"]) == 9, "eight default tags and the campaign"
    assert len(mini_program["tags"]["nodes"]) == 4
    recorded = json.loads(reported)["data"]["recordEvents"]
    assert (recorded["accepted"], [each["code"] for each in recorded["rejected"]]) == (1, ["MALFORMED_OPENID"])
    assert in_python == "{'data': {'recordEvents': {'accepted': 1, 'rejected': []}}}"
    shown = told(block("text", "User Tags is ready"))
    assert told(said) == shown[: shown.index("  Ctrl-C stops everything; the data stays.") + 1]
