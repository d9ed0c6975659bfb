"""Find the database and Valkey: those of the environment, those of a running `user-tags up`, or newly started ones."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from service.dev.stack.servers import DataDirectoryInUseError, embedded_secrets, existing_secrets, start_embedded
from service.foundation.settings import Settings

RUNNING_FILE = "running.json"


@dataclass(frozen=True, slots=True)
class ResolvedSettings:
    """Hold settings that have a database, Valkey, and keys for tokens and stored secrets."""

    settings: Settings

    @property
    def database_url(self) -> str:
        """Return the URL of the database."""
        return self.settings.database_url or ""

    def environment(self) -> dict[str, str]:
        """Return the variables with which a child process finds the same servers and secrets."""
        values = {
            "DATABASE_URL": self.settings.database_url,
            "REDIS_URL": self.settings.redis_url,
            "USER_TAGS_JWT_SECRET": self.settings.jwt_secret,
            "USER_TAGS_SECRETS_KEY": ",".join(self.settings.secrets_keys),
        }
        return {name: value for name, value in values.items() if value}


@contextmanager
def resolve_settings(settings: Settings, *, create: bool = True) -> Iterator[ResolvedSettings]:
    """Yield settings completed by embedded servers, which run until the block ends.

    Where `user-tags up` runs on the same data directory, its servers are used instead. Raises EmbeddedError if neither
    is possible, and without `create` also if the directory has no data yet.
    """
    if settings.database_url and settings.redis_url and settings.secrets_keys:
        yield ResolvedSettings(settings)
        return
    data_dir = Path(settings.data_dir)
    if not create:
        existing_secrets(data_dir)
    with _running_servers(settings, data_dir) as (database_url, redis_url):
        jwt_secret, secrets_key = embedded_secrets(data_dir)
        public = settings.jwt_public_key or settings.jwt_jwks_url
        yield ResolvedSettings(
            replace(
                settings,
                database_url=settings.database_url or database_url,
                redis_url=settings.redis_url or redis_url,
                jwt_secret=settings.jwt_secret or (None if public else jwt_secret),
                secrets_keys=settings.secrets_keys or (secrets_key,),
            )
        )


def write_running_file(data_dir: Path, database_url: str, redis_url: str) -> None:
    """Write the addresses of the servers for commands in other terminals; only the owner can read the file."""
    path = data_dir / RUNNING_FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"database_url": database_url, "redis_url": redis_url}, file)


@contextmanager
def _running_servers(settings: Settings, data_dir: Path) -> Iterator[tuple[str, str]]:
    if settings.database_url and settings.redis_url:
        yield "", ""
        return
    try:
        servers = start_embedded(data_dir, postgres=settings.database_url is None, valkey=settings.redis_url is None)
    except DataDirectoryInUseError:
        running = _read_running_file(data_dir)
        if running is None:
            raise
        yield running
        return
    with servers:
        yield servers.database_url, servers.redis_url


def _read_running_file(data_dir: Path) -> tuple[str, str] | None:
    try:
        found = json.loads((data_dir / RUNNING_FILE).read_text(encoding="utf-8"))
        return found["database_url"], found["redis_url"]
    except (OSError, ValueError, KeyError):
        return None
