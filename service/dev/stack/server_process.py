"""Start, probe, restart and stop the process of one embedded server, whichever program it is."""

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
SERVER_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
START_TIMEOUT: Final = 60.0
STOP_TIMEOUT: Final = 15.0
POLL_INTERVAL: Final = 0.02


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

    def stop_orphan(self, pid_file: Path) -> None:
        """Stop a server whose guard was killed. The caller holds the lock of the data directory, so it is not in use.

        A pid file is removed if its process has ended, or if the pid belongs to an unrelated process by now.
        """
        import psutil  # noqa: PLC0415 - comes with the extra `embedded`

        try:
            process = psutil.Process(int(pid_file.read_text(encoding="utf-8").split("\n")[0]))
            if process.name() == self.program.name and Path(process.cwd()) == self.data:
                process.send_signal(self.stop_signals[-1])
                process.wait(STOP_TIMEOUT)
        except FileNotFoundError:
            return
        except (psutil.Error, ValueError):
            pass
        pid_file.unlink(missing_ok=True)

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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
