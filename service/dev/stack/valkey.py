"""Run Valkey as an embedded server: its data, configuration and readiness."""

import secrets
import signal
import socket
from contextlib import suppress

from service.dev.stack.server_process import LOOPBACK, Server


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
        self.stop_orphan(self.data / "valkey.pid")
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
