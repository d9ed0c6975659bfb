"""Say what each command of `user-tags` takes on the command line."""

import argparse
from datetime import datetime
from typing import Final, NoReturn

from service.domain.return_data.csv_text import ENCODINGS
from service.entities.audit import AuditOutcome
from service.entities.audit_chain import AuditFormat
from service.entities.principal import Role
from service.foundation.instants import parse_instant

MAX_PORT: Final = 65_535
MAX_TTL: Final = 10 * 365 * 86_400
MAX_DIGITS: Final = 18


class OneLineParser(argparse.ArgumentParser):
    """Parse arguments, and say what is wrong with them in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """End the program with exit code 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what all commands take: the data directory, which without servers of one's own has the embedded ones."""
    parser.add_argument("--data-dir", default=None, help="where database, secrets and logs are kept (.data)")


def add_up_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the port and the processes of `up`, and the demo."""
    parser.add_argument("--port", type=_port, default=8000, help="where the API listens (8000)")
    parser.add_argument("--web-processes", type=_positive_int, default=1, help="how many web processes to start (1)")
    parser.add_argument("--demo", action="store_true", help="add a robot with simulated WeChat traffic")


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where `serve` listens, and with how many processes."""
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (127.0.0.1)")
    parser.add_argument("--port", type=_port, default=8000, help="the port to listen at (8000)")
    parser.add_argument("--workers", type=_positive_int, default=1, help="how many processes share the port (1)")


def add_token_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the claims of a `token`."""
    parser.add_argument("--robot", required=True, help="the id of the robot")
    parser.add_argument("--role", required=True, choices=[role.value for role in Role], help="what the token may do")
    parser.add_argument("--sub", default="developer", help="who the token is for (developer)")
    parser.add_argument("--ttl", type=_ttl, default=3600, help="seconds until it expires (3600)")
    parser.add_argument("--channels", default="", help="channel ids, separated by commas, to narrow the token to")


def add_refresh_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the channel to `refresh`."""
    parser.add_argument("--channel", default=None, help="a channel id; without it every channel is refreshed")


def add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whether `verify` repairs, and how much of the change log it looks at."""
    parser.add_argument("--repair", action="store_true", help="correct what is wrong; the exit code is 1 all the same")
    parser.add_argument("--log", action="store_true", help="look at the whole change log, not at a sample of it")


def add_audit_log_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whose `audit-log` is written, which entries of it, and how."""
    parser.add_argument("--robot", required=True, help="the id of the robot")
    parser.add_argument("--since", type=_instant, default=None, help="the earliest instant, like 2026-03-01T12:00:00Z")
    parser.add_argument("--until", type=_instant, default=None, help="the instant before which entries are written")
    parser.add_argument("--subject", default=None, help="who acted")
    parser.add_argument("--action", default=None, help="the name of a mutation, like deleteTag")
    parser.add_argument("--outcome", default=None, choices=[each.value for each in AuditOutcome], help="how it ended")
    parser.add_argument("--target", default=None, help="the id of what it was about")
    parser.add_argument(
        "--format",
        default="plain",
        choices=[each.value.lower() for each in AuditFormat],
        help="as the entries are hashed, or as events of OCSF class 3004 (plain)",
    )


def add_acting_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whether `acting` confirms."""
    parser.add_argument(
        "--confirm", action="store_true", help="let the installation of USER_TAGS_PUBLIC_URL act, and no other"
    )


def add_forget_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whom to `forget`."""
    parser.add_argument("--channel", required=True, help="a channel id")
    parser.add_argument("--openid", required=True, help="the openid of the user in this channel")


def add_import_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `import-csv` reads, and into which tag."""
    parser.add_argument(
        "file", help="the file, with openids in a column openid or as its only column; - is standard input"
    )
    parser.add_argument("--channel", required=True, help="the id of the channel to tag in")
    parser.add_argument("--category", required=True, help="the category of the tag")
    parser.add_argument("--label", required=True, help="the name of the tag")
    parser.add_argument("--description", default=None, help="what the tag means")
    parser.add_argument("--mode", default="ADD", choices=["ADD", "REMOVE"], help="give the tag or take it away (ADD)")
    parser.add_argument("--openids-of", default=None, help="the channel the openids are of, if it is another one")
    parser.add_argument(
        "--expires-at", type=_instant, default=None, help="when the tag ends, like 2026-03-01T12:00:00Z"
    )
    parser.add_argument(
        "--key", default=None, help="a key for this file: sent again with it, what was written is not repeated"
    )
    parser.add_argument("--column", default=None, help="the heading of the column of the openids, if it is another")
    parser.add_argument("--encoding", default="utf-8", choices=list(ENCODINGS), help="of the file (utf-8)")
    parser.add_argument("--rejects", default=None, help="a file to write the rejected entries to")


def _positive_int(text: str) -> int:
    number = _whole_number(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _port(text: str) -> int:
    number = _whole_number(text)
    if not 1 <= number <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MAX_PORT}")
    return number


def _ttl(text: str) -> int:
    number = _positive_int(text)
    if number > MAX_TTL:
        raise argparse.ArgumentTypeError(f"must be at most {MAX_TTL}, ten years")
    return number


def _whole_number(text: str) -> int:
    if not text.removeprefix("-").isdecimal() or len(text) > MAX_DIGITS:
        raise argparse.ArgumentTypeError("must be a whole number")
    return int(text)
