"""Run PostgreSQL as an embedded server: its data, settings and readiness."""

import os
import secrets
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from service.dev.stack.server_process import LOOPBACK, Server

DATABASE_NAME: Final = "user_tags"
MIN_SHARED_BUFFERS_MB: Final = 256
MAX_SHARED_BUFFERS_MB: Final = 4096
# The line of postmaster.pid, counted from 0, that says how far the start has come.
POSTMASTER_STATE_LINE: Final = 7


class Postgres(Server):
    """Run PostgreSQL with one superuser and one database, both called `user_tags`."""

    name = "postgres"
    stop_signals = (signal.SIGINT, signal.SIGQUIT)  # fast shutdown, then immediate

    @property
    def _password_file(self) -> Path:
        return self.data_dir / "postgres.password"

    def url(self) -> str:
        """Return the URL of the database, with the password in it."""
        password = self._password_file.read_text(encoding="ascii").strip()
        return f"postgresql://{DATABASE_NAME}:{password}@{LOOPBACK}:{self.port}/{DATABASE_NAME}?sslmode=disable"

    def prepare(self) -> None:
        """Stop a server left by a killed guard, and run initdb if there is no data."""
        self.stop_orphan(self.data / "postmaster.pid")
        if not (self.data / "PG_VERSION").exists():
            self._initialise()

    def _initialise(self) -> None:
        """Create the data beside its final place, and rename it when it is complete."""
        final, self.data = self.data, self.data.with_name("postgres.new")
        shutil.rmtree(self.data, ignore_errors=True)
        self.account.create_directory(self.data)
        descriptor = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_hex(16)}\n")
        os.chown(self._password_file, self.account.uid, self.account.gid)
        self.run(
            str(self.program.with_name("initdb")),
            f"--pgdata={self.data}",
            "--encoding=UTF8",
            "--locale=C",
            "--auth=scram-sha-256",
            f"--username={DATABASE_NAME}",
            f"--pwfile={self._password_file}",
            *(["--no-sync"] if self.fast else []),
        )
        self.run(
            str(self.program), "--single", "-D", str(self.data), "postgres", text=f"CREATE DATABASE {DATABASE_NAME}\n"
        )
        self.data.rename(final)
        self.data = final

    def command(self) -> list[str]:
        """Return the program with its settings; `fast` ones lose data in a crash."""
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "shared_buffers": f"{_shared_buffers_mb()}MB",
            # Rare checkpoints, since each page is logged whole once after one; recovery still takes seconds only.
            "checkpoint_timeout": "15min",
            "max_wal_size": "4GB",
            "wal_compression": "on",
            # The busiest tables are a few pages, which would grow between vacuums a minute apart.
            "autovacuum_naptime": "10s",
            "autovacuum": "on",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if self.fast:
            settings |= {
                "fsync": "off",
                "synchronous_commit": "off",
                "full_page_writes": "off",
                "max_wal_size": "512MB",
                "shared_buffers": f"{MIN_SHARED_BUFFERS_MB}MB",
            }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.program), "-D", str(self.data), *options]

    def is_ready(self) -> bool:
        """Tell whether it accepts connections, from postmaster.pid as pg_ctl does: line 1 the pid, line 8 the state."""
        with suppress(FileNotFoundError):
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
            is_ours = self.process is not None and lines[0].strip() == str(self.process.pid)
            return is_ours and len(lines) > POSTMASTER_STATE_LINE and lines[POSTMASTER_STATE_LINE].strip() == "ready"
        return False


def _shared_buffers_mb() -> int:
    """Return a sixth of the machine's memory in MB, within limits; PostgreSQL claims it page by page, as needed."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return min(max(memory // 6, MIN_SHARED_BUFFERS_MB), MAX_SHARED_BUFFERS_MB)
