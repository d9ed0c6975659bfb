"""Run a demo, and a shell beside it into which the blocks of the documents are pasted."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from service.dev.stack.servers import environment_with_package_path
from tests.packaging.documents import README
from tests.support.servers import free_port, shared_processes

BIN: Final = Path(sys.executable).parent
EXPORTS: Final = README.block("sh", "export TOKEN")
PRINTED_EXPORT: Final = re.compile(r"^  export (\w+)=(\S+)$", re.MULTILINE)
PLATFORM: Final = re.compile(r"http://127\.0\.0\.1:(\d+)/demo/")


@dataclass(frozen=True, slots=True)
class Demo:
    """Hold a demo: its output until it was ready, its port, a directory for data and examples, its exports."""

    said: str
    port: int
    place: Path
    exported: dict[str, str] = field(default_factory=dict)

    def adapted(self, text: str) -> str:
        """Aim an example, written for the usual ports and directories, at this demo."""
        platform = PLATFORM.search(self.said)
        assert platform is not None, self.said
        return (
            text.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")
            .replace("127.0.0.1:8089", f"127.0.0.1:{platform[1]}")
            .replace(".data/", f"{self.place}/data/")
            .replace(".venv/bin/", f"{BIN}/")
        )

    def paste(self, block: str) -> str:
        """Run a block in a shell with the printed exports; return what it printed."""
        done = subprocess.run(
            ["sh", "-eu"],
            input=self.adapted(block),
            env=environment(self.place / "data") | self.exported,
            cwd=self.place,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def watching(self, block: str) -> Iterator[Iterator[str]]:
        """Run a block that does not end, in a shell with the printed exports; give the lines that it prints."""
        with subprocess.Popen(
            ["sh", "-eu", "-c", self.adapted(block)],
            env=environment(self.place / "data") | self.exported,
            cwd=self.place,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            try:
                yield (line.rstrip() for line in process.stdout)
            finally:
                os.killpg(process.pid, signal.SIGKILL)

    def ask(self, query: str, *, role: str = "admin", **variables: Any) -> Any:
        """Answer an operation with the printed token of a role; a subscription that ends, with its last event."""
        [token] = re.findall(rf"^  {role} +(?:http\S+/#token=)?(eyJ\S+)$", self.said, re.MULTILINE)
        stream = query.lstrip().startswith("subscription")
        answer = httpx.post(
            f"http://127.0.0.1:{self.port}/graphql{'/stream' if stream else ''}",
            json={"query": query, "variables": variables},
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "text/event-stream" if stream else "*/*",
            },
            timeout=60,
            trust_env=False,
        )
        if stream:
            events = [json.loads(text) for text in re.findall(r"^data: (\{.*\})\r?$", answer.text, re.MULTILINE)]
            return events[-1]
        return answer.json()


@contextmanager
def demo(place: Path) -> Iterator[Demo]:
    """Run `user-tags up --demo` for as many tests as like."""
    port, data_dir = free_port(), place / "data"
    with subprocess.Popen(
        [BIN / "user-tags", "up", "--demo", "--port", str(port), "--data-dir", str(data_dir)],
        env=environment(data_dir),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        shared_processes.add(process.pid)
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if "Ctrl-C stops everything" in line:
                    break
            yield Demo(said, port, place, dict(PRINTED_EXPORT.findall(said)))
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            shared_processes.discard(process.pid)


def environment(data_dir: Path) -> dict[str, str]:
    """Return our environment without settings of the service but those of the demo."""
    ours = {
        name: value
        for name, value in environment_with_package_path().items()
        if not name.startswith("USER_TAGS_") and name not in {"DATABASE_URL", "REDIS_URL"}
    }
    return ours | {"USER_TAGS_DATA_DIR": str(data_dir), "USER_TAGS_DEMO_PORT": "0", "NO_PROXY": "127.0.0.1"}
