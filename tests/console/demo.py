"""Run the demo in a directory of its own, and say where its pages are and how people sign in."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from service.auth.tokens import sign_token
from service.dev.stack.servers import embedded_secrets
from service.entities.principal import Role
from service.foundation.settings import Settings
from tests.support.servers import enterable_directory, free_port
from tests.support.web import DEFAULT_TTL

# Seconds: a new directory needs a database first.
PATIENCE: Final = 120.0
READY: Final = "Ctrl-C stops everything"


@dataclass(frozen=True)
class Demo:
    """Hold a running demo: `facts` is what it wrote of itself, with the channels and somebody whose tags change."""

    url: str
    jwt_secret: str
    facts: dict[str, Any]

    def token(self, role: Role) -> str:
        """Sign a token of the demo's robot."""
        return sign_token(Settings(jwt_secret=self.jwt_secret), robot="demo", role=role, subject=role, ttl=DEFAULT_TTL)

    def path(self, pattern: str) -> str:
        """Fill in `{channel}` and `{openid}`, those of somebody who is watched."""
        watched = self.facts["watched"]
        return pattern.format(channel=quote(watched["channelId"], safe=""), openid=watched["openid"])


@contextmanager
def running_demo(**settings: str) -> Iterator[Demo]:
    """Run `user-tags up --demo` until the block ends; settings go by names without the prefix `USER_TAGS_`.

    Raises RuntimeError, with what it printed, where it ends before it is ready.
    """
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("USER_TAGS_")}
    given = {f"USER_TAGS_{name}": value for name, value in ({"DEMO_PORT": "0"} | settings).items()}
    with enterable_directory() as directory:
        command = (sys.executable, "-m", "service", "up", "--demo", "--port", str(port), "--data-dir", str(directory))
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=clean | given, text=True) as process:
            try:
                _wait_until_ready(process)
                facts = json.loads((directory / "demo.json").read_text(encoding="utf-8"))
                yield Demo(f"http://127.0.0.1:{port}", embedded_secrets(directory).jwt_secret, facts)
            finally:
                process.terminate()
                process.wait(PATIENCE)


def _wait_until_ready(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if READY in line:
            return
    raise RuntimeError("".join(printed))
