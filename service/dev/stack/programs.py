"""Prepare, start, probe and stop the two server programs."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from service.dev.stack.account import OsAccount, die_with_parent
from service.dev.stack.servers import EmbeddedError, open_log, tail_log

LOOPBACK: Final = "127.0.0.1"
DATABASE_NAME: Final = "user_tags"
SERVER_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
START_TIMEOUT: Final = 60.0
STOP_TIMEOUT: Final = 15.0
POLL_INTERVAL: Final = 0.02
MIN_SHARED_BUFFERS_MB: Final = 256
MAX_SHARED_BUFFERS_MB: Final = 4096
POSTMASTER_STATE_LINE: Final = 7
"""The line of postmaster.pid, counted from 0, that says how far the start has come."""


class Server:
    """Run one server program on its data and log; once started it has a port and a process."""

    name: str
    stop_signals: tuple[signal.Signals, ...]

    def __init__(self, program: Path, data_dir: Path, account: OsAccount, *, fast: bool) -> None:
        self.program = program
        self.data_dir = data_dir
        self.data = data_dir / self.name
        self.account = account
        self.fast = fast
        self.log_path = data_dir / "logs" / f"{self.name}.log"
        self.log: IO[bytes] = open_log(self.log_path)
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Create the data if there is none, and stop and clean up what an earlier run left behind."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Return the program and its arguments."""
        raise NotImplementedError

    def configuration(self) -> bytes:
        """Return what the server reads on stdin, which other accounts cannot see, as they can its arguments."""
        return b""

    def is_ready(self) -> bool:
        """Tell whether the server that was just started accepts connections."""
        raise NotImplementedError

    def url(self) -> str:
        """Return the URL that a client connects to, with the password in it."""
        raise NotImplementedError

    def start(self) -> None:
        """Start on a free port and return when the server accepts connections; raises EmbeddedError if it does not."""
        deadline = time.monotonic() + START_TIMEOUT
        self.prepare()
        while time.monotonic() < deadline:
            self.port = _free_port()
            self.launch()
            # A port can be taken between its choice and its use, and after a crash the last backends need a moment to
            # notice and to release their memory. Neither lasts.
            if self._wait_until_ready(deadline) or not self._failed_transiently():
                break
            time.sleep(POLL_INTERVAL)
        if self.process is None or self.process.poll() is not None or not self.is_ready():
            raise EmbeddedError(f"{self.name} did not start; {self.log_path} ends with:\n{tail_log(self.log_path)}")

    def launch(self) -> None:
        """Start the process on its port, without waiting for it to be ready."""
        with tempfile.TemporaryFile() as stdin:
            stdin.write(self.configuration())
            stdin.seek(0)
            self.process = subprocess.Popen(
                self.command(),
                stdin=stdin,
                stdout=self.log,
                stderr=self.log,
                cwd=self.data,
                env=SERVER_ENVIRONMENT,
                preexec_fn=self._prepare_child,  # noqa: PLW1509 - the guard has one thread only
            )

    def restart_if_exited(self) -> None:
        """Start the process again on the same port if it has died."""
        if self.process is not None and self.process.poll() is not None:
            self.launch()

    def run(self, *command: str, text: str = "") -> None:
        """Run a tool of the server to its end, as the account of the server; raises EmbeddedError if it fails."""
        done = subprocess.run(
            command,
            check=False,
            input=text.encode(),
            stdout=self.log,
            stderr=self.log,
            cwd=self.data,
            env=SERVER_ENVIRONMENT,
            preexec_fn=self._prepare_child,
        )
        if done.returncode != 0:
            raise EmbeddedError(f"{command[0]} failed; {self.log_path} ends with:\n{tail_log(self.log_path)}")

    def stop(self) -> None:
        """Stop the server and wait for it, with stronger signals each time it does not stop within `STOP_TIMEOUT`."""
        if self.process is not None:
            for request in (*self.stop_signals, signal.SIGKILL):
                self.process.send_signal(request)
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(STOP_TIMEOUT)
                    break
        self.log.close()

    def _prepare_child(self) -> None:
        self.account.drop_privileges()
        # If the guard itself is killed, the kernel stops the servers on Linux; elsewhere the next start does.
        die_with_parent(self.stop_signals[0])

    def _wait_until_ready(self, deadline: float) -> bool:
        while self.process is not None and self.process.poll() is None and time.monotonic() < deadline:
            if self.is_ready():
                return True
            time.sleep(POLL_INTERVAL)
        return False

    def _failed_transiently(self) -> bool:
        end = tail_log(self.log_path, lines=12)
        return any(reason in end for reason in ("Address already in use", "is still in use"))


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
        _stop_orphan(self.data / "postmaster.pid", self.program, self.data)
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


class Valkey(Server):
    """Run Valkey with an append-only file, so that queued tasks survive a restart; without one if `fast`."""

    name = "valkey"
    stop_signals = (signal.SIGTERM,)
    password = secrets.token_hex(16)

    def url(self) -> str:
        """Return the URL of Valkey, with the password in it."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def prepare(self) -> None:
        """Stop a server left by a killed guard, and create the directory of the data."""
        _stop_orphan(self.data / "valkey.pid", self.program, self.data)
        if not self.data.exists():
            self.account.create_directory(self.data)

    def command(self) -> list[str]:
        """Return the program, told to read its configuration from stdin."""
        return [str(self.program), "-"]

    def configuration(self) -> bytes:
        """Return the configuration file, with the password in it."""
        settings = {
            "bind": LOOPBACK,
            "port": self.port,
            "requirepass": self.password,
            "pidfile": "valkey.pid",
            "save": '""',
            "appendonly": "no" if self.fast else "yes",
            "appendfsync": "everysec",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items()).encode()

    def is_ready(self) -> bool:
        """Tell whether it takes the password and answers a PING."""
        with suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
            connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                return answer.read() == b"+OK\r\n+PONG\r\n"
        return False


def _stop_orphan(pid_file: Path, program: Path, data: Path) -> None:
    """Stop a server whose guard was killed. The caller holds the lock of the data directory, so nobody uses it.

    A pid file is removed if its process has ended, or if the pid belongs to an unrelated process by now.
    """
    import psutil  # noqa: PLC0415 - comes with the extra `embedded`

    try:
        process = psutil.Process(int(pid_file.read_text(encoding="utf-8").split("\n")[0]))
        if process.name() == program.name and Path(process.cwd()) == data:
            process.terminate() if program.name == Valkey.name else process.send_signal(signal.SIGQUIT)
            process.wait(STOP_TIMEOUT)
    except FileNotFoundError:
        return
    except (psutil.Error, ValueError):
        pass
    pid_file.unlink(missing_ok=True)


def _shared_buffers_mb() -> int:
    """Return a sixth of the machine's memory in MB, within limits; PostgreSQL claims it page by page, as needed."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return min(max(memory // 6, MIN_SHARED_BUFFERS_MB), MAX_SHARED_BUFFERS_MB)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
