"""Parse the command line of `user-tags`, and run the command it names.

Servers, arq and GraphQL are imported where a command needs them: the others start without them.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from service import __version__
from service.cli.arguments import (
    OneLineParser,
    add_acting_arguments,
    add_audit_log_arguments,
    add_common_arguments,
    add_forget_arguments,
    add_import_arguments,
    add_refresh_arguments,
    add_serve_arguments,
    add_token_arguments,
    add_up_arguments,
    add_verify_arguments,
)
from service.dev.stack.addresses import ResolvedSettings, resolve_settings
from service.dev.stack.servers import EmbeddedError, existing_secrets
from service.entities.errors import RequestError
from service.entities.principal import Role
from service.entities.return_data import ReturnMode
from service.foundation.settings import Settings, SettingsError, read_settings


@dataclass(frozen=True, slots=True)
class Command:
    """Describe one command: `run` returns the exit code, `add_arguments` says what it takes."""

    name: str
    help: str
    run: Callable[[Settings, argparse.Namespace], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] = lambda _: None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, and return its exit code. Errors end the program with one line."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    command: Command | None = arguments.command
    if command is None:
        parser.print_help()
        return 0
    with _errors_as_messages():
        settings = read_settings()
        if arguments.data_dir is not None:
            settings = replace(settings, data_dir=arguments.data_dir)
        return command.run(settings, arguments)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; it puts the chosen Command into `command`."""
    program = OneLineParser(
        prog="user-tags",
        description="User tags of a chatbot's WeChat channels. Settings are environment variables (docs/settings.md).",
    )
    program.add_argument("--version", action="version", version=f"user-tags {__version__}")
    program.set_defaults(command=None)
    parsers = program.add_subparsers(metavar="COMMAND")
    for command in COMMANDS:
        parser = parsers.add_parser(
            command.name, help=command.help, description=f"{command.help[0].upper()}{command.help[1:]}."
        )
        add_common_arguments(parser)
        command.add_arguments(parser)
        parser.set_defaults(command=command)
    return program


def up(settings: Settings, arguments: argparse.Namespace) -> int:
    """Start the embedded servers, the web processes and a worker, and keep them running until Ctrl-C."""
    from service.cli.status import StatusReporter  # noqa: PLC0415
    from service.dev.demo.environment import demo_environment  # noqa: PLC0415
    from service.dev.stack.supervisor import up as supervise  # noqa: PLC0415

    status = StatusReporter(demo=arguments.demo)
    return supervise(
        settings,
        port=arguments.port,
        web_processes=arguments.web_processes,
        demo=arguments.demo,
        extra_environment=demo_environment(settings, os.environ) if arguments.demo else {},
        on_ready=status.print_addresses,
        summary_line=status.summary_line,
    )


def serve(settings: Settings, arguments: argparse.Namespace) -> int:
    """Serve the API until the process is told to stop."""
    from service.cli.serving import run_web_processes  # noqa: PLC0415

    with _resolved_settings(settings, create=True) as resolved:
        run_web_processes(resolved, host=arguments.host, port=arguments.port, workers=arguments.workers)
    return 0


def worker(settings: Settings, arguments: argparse.Namespace) -> int:
    """Work on tasks until the process is told to stop."""
    from service.worker.main import run_worker  # noqa: PLC0415

    del arguments
    with _resolved_settings(settings, create=True) as resolved:
        run_worker(resolved.settings)
    return 0


def migrate(settings: Settings, arguments: argparse.Namespace) -> int:
    """Apply the migrations that are pending, and print which they were."""
    from service.storage.database.migrations import migrate as apply_migrations  # noqa: PLC0415

    del arguments
    with _resolved_settings(settings, create=True, migrated=False) as resolved:
        applied = asyncio.run(apply_migrations(resolved.database_url))
    for each in applied:
        print(f"applied {each.label}")
    if not applied:
        print("the database is up to date")
    return 0


def token(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print a signed token. Without a configured key it is signed with the secret of the data directory."""
    from service.auth.tokens import sign_token  # noqa: PLC0415

    if not (settings.jwt_secret or settings.jwt_public_key or settings.jwt_jwks_url):
        settings = replace(settings, jwt_secret=existing_secrets(Path(settings.data_dir)).jwt_secret)
    print(
        sign_token(
            settings,
            robot=arguments.robot,
            role=Role(arguments.role),
            subject=arguments.sub,
            ttl=timedelta(seconds=arguments.ttl),
            channels=arguments.channels.split(",") if arguments.channels else None,
        )
    )
    return 0


def refresh(settings: Settings, arguments: argparse.Namespace) -> int:
    """Bring default tags and combos to the present now."""
    from service.cli.maintenance import run_refresh  # noqa: PLC0415

    with _resolved_settings(settings) as resolved:
        return asyncio.run(run_refresh(resolved.settings, arguments.channel, print))


def verify(settings: Settings, arguments: argparse.Namespace) -> int:
    """Compare what is stored with what the facts say."""
    from service.cli.maintenance import run_verify  # noqa: PLC0415

    with _resolved_settings(settings) as resolved:
        return asyncio.run(run_verify(resolved.settings, print, repair=arguments.repair, whole_log=arguments.log))


def forget(settings: Settings, arguments: argparse.Namespace) -> int:
    """Delete what identifies one user."""
    from service.cli.maintenance import run_forget  # noqa: PLC0415

    with _resolved_settings(settings) as resolved:
        return asyncio.run(run_forget(resolved.settings, arguments.channel, arguments.openid, print))


def audit_log(settings: Settings, arguments: argparse.Namespace) -> int:
    """Write the audit log of a robot."""
    from service.cli.audit_log import run_audit_log, write_to_stdout  # noqa: PLC0415

    with _resolved_settings(settings) as resolved:
        return asyncio.run(run_audit_log(resolved.settings, arguments, write_to_stdout))


def acting(settings: Settings, arguments: argparse.Namespace) -> int:
    """Say whether calls to WeChat are made, and confirm it."""
    from service.cli.acting import run_acting  # noqa: PLC0415

    with _resolved_settings(settings) as resolved:
        return asyncio.run(run_acting(resolved.settings, print, confirm=arguments.confirm))


def import_csv(settings: Settings, arguments: argparse.Namespace) -> int:
    """Hand back the openids of a CSV file."""
    from service.cli.import_csv import run_import  # noqa: PLC0415
    from service.domain.return_data.csv_reader import OpenidReader  # noqa: PLC0415
    from service.domain.return_data.csv_text import ENCODINGS  # noqa: PLC0415
    from service.domain.return_data.requests import Submission  # noqa: PLC0415

    details = Submission(
        category=arguments.category,
        label=arguments.label,
        description=arguments.description,
        openids=(),
        mode=ReturnMode(arguments.mode),
        subject="user-tags import-csv",
        expires_at=arguments.expires_at,
        idempotency_key=arguments.key,
    )
    with _resolved_settings(settings) as resolved:
        if arguments.file != "-":
            Path(arguments.file).open("rb").close()  # a file that is not there is no reason to look for the channel
        return asyncio.run(
            run_import(
                resolved.settings,
                arguments.file,
                arguments.channel,
                details,
                OpenidReader(ENCODINGS[arguments.encoding], arguments.column),
                openids_of=arguments.openids_of,
                rejects=arguments.rejects,
                echo=print,
            )
        )


def export_schema(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print the GraphQL schema as `schema.graphql` holds it."""
    from service.api.schema import schema_text  # noqa: PLC0415

    del settings, arguments
    print(schema_text(), end="")
    return 0


COMMANDS: Final = (
    Command("up", "start everything embedded: database, Valkey, web processes and worker", up, add_up_arguments),
    Command("serve", "run the web process: the API and the addresses that WeChat calls", serve, add_serve_arguments),
    Command("worker", "run the worker: scheduled runs, combos and exports", worker),
    Command("migrate", "bring the database up to date; safe to run from several machines at once", migrate),
    Command("token", "print a signed token, for development and tests", token, add_token_arguments),
    Command(
        "refresh",
        "bring default tags and combos to the present now, and print the changes",
        refresh,
        add_refresh_arguments,
    ),
    Command("verify", "recompute everything from the facts; exit 1 on any difference", verify, add_verify_arguments),
    Command("forget", "delete what identifies a user; exit 1 if the openid is unknown", forget, add_forget_arguments),
    Command(
        "audit-log",
        "write who did what for a robot, a line of JSON each; exit 1 if there is nothing",
        audit_log,
        add_audit_log_arguments,
    ),
    Command(
        "acting",
        "say whether calls to WeChat are made; exit 1 while they need to be confirmed",
        acting,
        add_acting_arguments,
    ),
    Command(
        "import-csv",
        "hand back a list of openids from a CSV file; exit 1 where some were rejected",
        import_csv,
        add_import_arguments,
    ),
    Command("export-schema", "print the GraphQL schema", export_schema),
)


@contextmanager
def _resolved_settings(
    settings: Settings, *, create: bool = False, migrated: bool = True
) -> Iterator[ResolvedSettings]:
    """Yield settings with a database that was found usable: as `resolve_settings` and `check_servers` have it."""
    from service.cli.preflight import check_servers  # noqa: PLC0415

    with resolve_settings(settings, create=create) as resolved:
        check_servers(resolved.settings, migrated=migrated)
        yield resolved


@contextmanager
def _errors_as_messages() -> Iterator[None]:
    """End the program with one line instead of a traceback for what the environment or the arguments got wrong."""
    from service.cli.preflight import DatabaseUnusableError  # noqa: PLC0415
    from service.storage.database.migrations import MigrationError  # noqa: PLC0415

    try:
        yield
    except (SettingsError, EmbeddedError, MigrationError, DatabaseUnusableError, RequestError) as error:
        sys.exit(f"user-tags: {error}")
    except OSError as error:
        if error.filename is not None:
            sys.exit(f"user-tags: {error.filename} cannot be used: {error.strerror}")
        sys.exit(f"user-tags: the database or Valkey does not answer: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
