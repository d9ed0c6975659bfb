"""Tell in the terminal of `user-tags up` where everything is, and what happens."""

import asyncio
import json
import os
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg

from service.auth.tokens import sign_token
from service.cli.ide_link import FOLLOW_PERSON, ide_link
from service.dev.stack.addresses import write_running_file
from service.entities.principal import Role
from service.foundation.settings import read_settings
from service.storage.channels import Summary, summary
from service.storage.database.pool import DATABASE_ERRORS
from service.web.console.pages import PAGES

DEMO_ROBOT: Final = "demo"
DEMO_TIMEOUT: Final = 20.0
TOKEN_TTL: Final = timedelta(hours=24)
# A person who is new to the demo, for the README.
NEW_GUEST: Final = "oTeaHouse-a-new-guest-000001"
SUBSCRIPTION_EXAMPLE: Final = (
    "subscription ($channel: ID!, $openid: String!) {{\n"
    "    userTags(channelId: $channel, openid: $openid) {{\n"
    "      cursor reset cause tags {{ category name }} added {{ name }} removed {{ name }}\n"
    "    }}\n"
    "  }}\n"
    '  variables: {{"channel": "{channel}", "openid": "{openid}"}}'
)
WECHAT_EXAMPLE: Final = (
    "{{\n"
    '    remoteTags(channelId: "{channel}") {{ remoteTagId name memberCount }}\n'
    '    channel(id: "{channel}") {{\n'
    "      jobs(first: 3) {{ nodes {{ __typename state done total error }} }}\n"
    "      tags(kind: COMBO) {{ nodes {{ name memberCount officialAccount {{ inSync lastSyncedAt error }} }} }}\n"
    "      broadcasts(first: 3) {{ nodes {{ message state waitingFor planned sent failed uncertain delivered }} }}\n"
    "    }}\n"
    "  }}"
)
BROADCAST_EXAMPLE: Final = (
    "mutation {{\n"
    '    createBroadcast(input: {{channelId: "{channel}", audience: {{followers: true}}, idempotencyKey: "hello",\n'
    '      message: {{massText: {{text: "New teas are in."}}}}}}) {{ broadcast {{ id }} }}\n'
    "  }}"
)

WEBHOOK_EXAMPLE: Final = ".venv/bin/python examples/webhook_receiver/receiver.py"


class StatusReporter:
    """Print the addresses once everything runs, then return a line of counts as often as it is asked for."""

    def __init__(self, *, demo: bool) -> None:
        self._demo = demo
        self._started_at = time.time()
        self._environment: Mapping[str, str] = {}
        self._last_sample: tuple[float, int] | None = None

    def print_addresses(self, environment: Mapping[str, str]) -> None:
        """Print where everything is, and write it where the commands in other terminals look for it."""
        self._environment = environment
        write_running_file(
            Path(environment["USER_TAGS_DATA_DIR"]), environment["DATABASE_URL"], environment["REDIS_URL"]
        )
        url = environment["USER_TAGS_PUBLIC_URL"]
        print("\nUser Tags is ready.\n")
        for line in address_lines(url, with_console=has_console()):
            print(f"  {line}")
        if self._demo:
            self._print_demo(environment)
        else:
            self._print_exports({"TOKEN": _token_command(environment)})
        print("\n  Ctrl-C stops everything; the data stays.\n", flush=True)

    def summary_line(self) -> str:
        """Return how much there is and how fast tags change, or that the database does not answer. Never raises."""
        try:
            totals = asyncio.run(self._summary())
        except DATABASE_ERRORS as error:
            return f"the database does not answer ({type(error).__name__})"
        now, changes = time.monotonic(), totals.changes
        rate = (changes - self._last_sample[1]) / (now - self._last_sample[0]) if self._last_sample else 0.0
        self._last_sample = (now, changes)
        newest = "never" if totals.changed_at is None else f"{totals.changed_at:%H:%M:%S} UTC"
        return (
            f"{totals.channels} channels · {totals.users} users · {changes} tag changes "
            f"({rate:.1f} a second) · newest {newest}"
        )

    async def _summary(self) -> Summary:
        connection = await asyncpg.connect(self._environment["DATABASE_URL"], timeout=2)
        try:
            return await summary(connection)
        finally:
            await connection.close()

    def _print_demo(self, environment: Mapping[str, str]) -> None:
        settings = read_settings({**os.environ, **environment})
        tokens = {
            role: sign_token(settings, robot=DEMO_ROBOT, role=role, subject=role.value, ttl=TOKEN_TTL) for role in Role
        }
        print(f"\nSign in to the robot “{DEMO_ROBOT}”, for a day, as its\n")
        for role, entry in _entries(environment["USER_TAGS_PUBLIC_URL"], tokens):
            print(f"  {role.value:<11}{entry}")
        demo_info = _read_demo_file(Path(environment["USER_TAGS_DEMO_FILE"]), self._started_at)
        if demo_info is None:
            print("\nThe demo's traffic begins in a moment; see the log demo.log in the data directory.")
            return
        watched = demo_info["watched"]
        print("\nA subscription to a user whose tags change often (send the token in connection_init as")
        print('{"Authorization": "Bearer …"}, or in the IDE under Headers):\n')
        print("  " + SUBSCRIPTION_EXAMPLE.format(channel=watched["channelId"], openid=watched["openid"]))
        person = {"channel": watched["channelId"], "openid": watched["openid"]}
        if has_console():
            link = ide_link(environment["USER_TAGS_PUBLIC_URL"], tokens[Role.ADMIN], FOLLOW_PERSON, person)
            print(f"\nThe same in the IDE, filled in with the admin's token:\n\n  {link}")
        print(f"\nMake something happen:\n\n  curl -X POST {demo_info['platformUrl']}/demo/{watched['openid']}/message")
        print("\nSend a message to everybody who follows (in the IDE, with the creator's or the admin's token):\n")
        print("  " + BROADCAST_EXAMPLE.format(channel=watched["channelId"]))
        print("\nThe imitated WeChat's followers are imported, and a combo tag is kept in sync. WeChat's books:\n")
        print(f"  curl {demo_info['platformUrl']}/demo/books")
        print("\nWhat the service says of all that:\n")
        print("  " + WECHAT_EXAMPLE.format(channel=watched["channelId"]))
        print("\nHave a program of your own told of every change by webhooks, once you have pasted what follows:\n")
        print(f"  {WEBHOOK_EXAMPLE}")
        values = {
            "PLATFORM": demo_info["platformUrl"],
            "TOKEN": tokens[Role.ADMIN],
            "CHANNEL": watched["channelId"],
            "OPENID": NEW_GUEST,
        }
        self._print_exports(values)

    def _print_exports(self, values: Mapping[str, str]) -> None:
        """Print what another terminal needs for the examples of the documents."""
        print("\nFor the examples, paste this into another terminal:\n")
        for name, value in {"URL": self._environment["USER_TAGS_DEMO_SERVICE_URL"], **values}.items():
            print(f"  export {name}={value}")


def has_console() -> bool:
    """Tell whether the web processes serve the console."""
    return (PAGES / "index.html").is_file()


def address_lines(url: str, *, with_console: bool) -> tuple[str, ...]:
    """Return a line for each thing that the service at this address serves; the IDE is built with the console."""
    if with_console:
        pages = (f"Console    {url}/", f"GraphQL    {url}/graphql   (and its IDE, in a browser)")
    else:
        pages = ("Console    not built, nor the IDE: run `make console`, and start again", f"GraphQL    {url}/graphql")
    return (*pages, f"Health     {url}/readyz")


def _entries(url: str, tokens: Mapping[Role, str]) -> Iterator[tuple[Role, str]]:
    """Yield how each role comes in: by links that sign people in, agents to the conversation page too; else by token.

    The fragment of a link is not sent by browsers, and taken out of the address by the page.
    """
    for role, token in tokens.items():
        if role is Role.INTEGRATOR or not has_console():
            yield role, token
        else:
            yield role, f"{url}/#token={token}"
        if role is Role.AGENT and has_console():
            yield role, f"{url}/conversation#token={token}"


def _token_command(environment: Mapping[str, str]) -> str:
    """Return the shell's words for a token of the robot that the reader is going to name."""
    program, data_dir = Path(sys.argv[0]).resolve(), environment["USER_TAGS_DATA_DIR"]
    words = [str(program)] if program.name == "user-tags" else [sys.executable, "-m", "service"]
    command = shlex.join([*words, "token", "--data-dir", data_dir, "--robot", "my-robot", "--role", "creator"])
    return f'"$({command})"'


def _read_demo_file(path: Path, started_at: float) -> dict[str, Any] | None:
    """Return what the demo wrote about itself after `started_at`; None where it has not within 20 seconds."""
    deadline = time.monotonic() + DEMO_TIMEOUT
    while time.monotonic() < deadline:
        try:
            if path.stat().st_mtime >= started_at:
                found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
                return found
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    return None
