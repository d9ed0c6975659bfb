"""The program `user-tags`: everything one can do with the service from a terminal."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from service.dev.stack.addresses import resolve_settings
from service.dev.stack.servers import EmbeddedError, embedded_secrets
from service.entities.enums import ReturnMode, Role
from service.entities.errors import RequestError
from service.foundation.settings import Settings, SettingsError, read_settings

Command = Callable[[Settings, argparse.Namespace], int]

# A page that has stopped reading must not hold up a restart for long.
GRACEFUL_SHUTDOWN_TIMEOUT: Final = 5


def serve(settings: Settings, arguments: argparse.Namespace) -> int:
    # The other commands need no server.
    import uvicorn  # noqa: PLC0415

    from service.web.protocols.uvicorn_options import uvicorn_options  # noqa: PLC0415
    from service.web.protocols.websocket import raise_file_descriptor_limit  # noqa: PLC0415

    raise_file_descriptor_limit()
    with resolve_settings(settings) as resolved:
        os.environ.update(resolved.environment())
        uvicorn.run(
            "service.web.app:app_from_environment",
            factory=True,
            host=arguments.host,
            port=arguments.port,
            workers=arguments.workers,
            loop="uvloop",
            timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_TIMEOUT,
            **uvicorn_options(settings.client_limits),
        )
    return 0


def worker(settings: Settings, arguments: argparse.Namespace) -> int:
    from service.worker.main import run_worker  # noqa: PLC0415 - the other commands need no arq

    del arguments
    with resolve_settings(settings) as resolved:
        run_worker(resolved.settings)
    return 0


def up(settings: Settings, arguments: argparse.Namespace) -> int:
    from service.cli.status import StatusReporter  # noqa: PLC0415
    from service.dev.stack.supervisor import up as supervise  # noqa: PLC0415

    if arguments.data_dir is not None:
        settings = replace(settings, data_dir=arguments.data_dir)
    if arguments.demo:
        os.environ.setdefault("USER_TAGS_DEMO_FILE", str(Path(settings.data_dir).resolve() / "demo.json"))
        Path(os.environ["USER_TAGS_DEMO_FILE"]).unlink(missing_ok=True)
    status = StatusReporter(demo=arguments.demo)
    return supervise(
        settings,
        port=arguments.port,
        web_processes=arguments.web_processes,
        demo=arguments.demo,
        on_ready=status.print_addresses,
        summary_line=status.summary_line,
    )


def migrate(settings: Settings, arguments: argparse.Namespace) -> int:
    from service.storage.database.migrations import migrate as bring_up_to_date  # noqa: PLC0415

    del arguments
    with resolve_settings(settings) as resolved:
        applied = asyncio.run(bring_up_to_date(resolved.database_url))
    for migration in applied:
        print(f"applied {migration.version:04}_{migration.name}")
    if not applied:
        print("the database is up to date")
    return 0


def token(settings: Settings, arguments: argparse.Namespace) -> int:
    from service.auth.tokens import sign_token  # noqa: PLC0415

    if not (settings.jwt_secret or settings.jwt_public_key or settings.jwt_jwks_url):
        settings = replace(settings, jwt_secret=embedded_secrets(Path(settings.data_dir))[0])
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
    from service.cli.maintenance import run_refresh  # noqa: PLC0415

    with resolve_settings(settings) as resolved:
        return asyncio.run(run_refresh(resolved.settings, arguments.channel, print))


def verify(settings: Settings, arguments: argparse.Namespace) -> int:
    from service.cli.maintenance import run_verify  # noqa: PLC0415

    with resolve_settings(settings) as resolved:
        return asyncio.run(run_verify(resolved.settings, print, repair=arguments.repair))


def forget(settings: Settings, arguments: argparse.Namespace) -> int:
    from service.cli.maintenance import run_forget  # noqa: PLC0415

    with resolve_settings(settings) as resolved:
        return asyncio.run(run_forget(resolved.settings, arguments.channel, arguments.openid, print))


def import_csv(settings: Settings, arguments: argparse.Namespace) -> int:
    from service.cli.import_csv import run_import  # noqa: PLC0415
    from service.domain.return_data.submission import Submission  # noqa: PLC0415

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
    with resolve_settings(settings) as resolved:
        return asyncio.run(
            run_import(
                resolved.settings,
                arguments.file,
                arguments.channel,
                details,
                openids_of=arguments.openids_of,
                rejects=arguments.rejects,
                echo=print,
            )
        )


def export_schema(settings: Settings, arguments: argparse.Namespace) -> int:
    from service.api.schema import schema_text  # noqa: PLC0415

    del settings, arguments
    print(schema_text(), end="")
    return 0


def build_parser() -> argparse.ArgumentParser:
    program = argparse.ArgumentParser(prog="user-tags", description="User tags of a chatbot's WeChat channels.")
    commands = program.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        subparser = commands.add_parser(name, help=text, description=text)
        subparser.set_defaults(run=run)
        return subparser

    up_parser = command("up", up, "everything in one go, embedded: database, Valkey, migrations, web, worker")
    up_parser.add_argument("--port", type=int, default=8000)
    up_parser.add_argument("--web-processes", type=_positive_int, default=1)
    up_parser.add_argument("--data-dir", default=None)
    up_parser.add_argument("--demo", action="store_true", help="adds a robot with simulated WeChat traffic")
    serve_parser = command("serve", serve, "the web process")
    serve_parser.add_argument("--host", default="127.0.0.1")
    serve_parser.add_argument("--port", type=int, default=8000)
    serve_parser.add_argument("--workers", type=_positive_int, default=1)
    command("worker", worker, "the worker process")
    command("migrate", migrate, "bring the database up to date; safe to run from several machines at once")
    token_parser = command("token", token, "print a signed token (for development and tests)")
    token_parser.add_argument("--robot", required=True)
    token_parser.add_argument("--role", required=True, choices=[role.value for role in Role])
    token_parser.add_argument("--sub", default="developer")
    token_parser.add_argument("--ttl", type=_positive_int, default=3600, help="seconds")
    token_parser.add_argument("--channels", default="", help="channel ids, separated by commas, to narrow the token to")
    refresh_parser = command("refresh", refresh, "run the scheduled refreshes now, and say what changed")
    refresh_parser.add_argument("--channel", default=None, help="a channel id; all channels without it")
    verify_parser = command("verify", verify, "recompute everything from the facts and report differences")
    verify_parser.add_argument("--repair", action="store_true", help="correct what is wrong; exit 1 all the same")
    forget_parser = command("forget", forget, "delete what identifies a person; exit 1 where nobody is known")
    forget_parser.add_argument("--channel", required=True, help="a channel id")
    forget_parser.add_argument("--openid", required=True)
    import_parser = command("import-csv", import_csv, "hand back a list of openids, of any size, from a CSV file")
    import_parser.add_argument("file", help="the column openid, or else the first one; - reads standard input")
    import_parser.add_argument("--channel", required=True, help="a channel id")
    import_parser.add_argument("--category", required=True)
    import_parser.add_argument("--label", required=True)
    import_parser.add_argument("--description", default=None)
    import_parser.add_argument("--mode", default="ADD", choices=["ADD", "REMOVE"])
    import_parser.add_argument(
        "--openids-of", default=None, help="the channel the openids are of, if it is another one"
    )
    import_parser.add_argument("--expires-at", type=_aware_datetime, default=None, help="like 2026-03-01T12:00:00Z")
    import_parser.add_argument(
        "--key", default=None, help="sent again with the same key, what was written is not repeated"
    )
    import_parser.add_argument("--rejects", default=None, help="a file to write what was not taken to")
    command("export-schema", export_schema, "print the GraphQL schema")
    return program


def _positive_int(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _aware_datetime(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError("needs an offset, like 2026-03-01T12:00:00Z")
    return at


@contextmanager
def _errors_as_messages() -> Iterator[None]:
    """What the environment or the request got wrong is one line, not a traceback."""
    from service.storage.database.migrations import MigrationError  # noqa: PLC0415

    try:
        yield
    except (SettingsError, EmbeddedError, MigrationError, RequestError) as error:
        sys.exit(f"user-tags: {error}")
    except ConnectionError as error:
        sys.exit(f"user-tags: the database or Valkey does not answer: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = build_parser().parse_args(argv)
    with _errors_as_messages():
        run: Command = arguments.run
        return run(read_settings(), arguments)
