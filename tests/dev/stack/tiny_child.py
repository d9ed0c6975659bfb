"""Stand in for the web process, the worker or the demo, and note in a file what happens."""

import http.server
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


def main(events: str, name: str, behaviour: str = "", port: str = "") -> None:
    def note(what: str) -> None:
        with Path(events).open("a", encoding="utf-8") as file:
            file.write(f"{name} {what} {os.getpid()}\n")

    def leave(_signal: int, _frame: object) -> None:
        note("stopped")
        sys.exit(0)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if behaviour == "stubborn" else leave)
    if behaviour == "fails":
        print(f"{name} has a reason", flush=True)
        sys.exit(3)
    if behaviour == "stubborn":
        subprocess.Popen([sys.executable, __file__, events, "grandchild", "stubborn-too"], start_new_session=False)
    if port:
        server = http.server.HTTPServer(("127.0.0.1", int(port)), Readyz)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    note("started")
    while True:
        signal.pause()


class Readyz(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()


if __name__ == "__main__":
    main(*sys.argv[1:])
