"""`user-tags audit-log`: write the audit log of a robot to the standard output, a line of JSON for each entry."""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import aclosing

from service.domain.audit.exporting import audit_lines
from service.domain.audit.reading import check_audit_filter
from service.domain.audit.sealing import seal_audit_logs
from service.entities.audit import AuditOutcome
from service.entities.audit_chain import AuditFilter, AuditFormat
from service.foundation.settings import Settings
from service.resources import open_resources

Write = Callable[[bytes], object]


async def run_audit_log(settings: Settings, arguments: argparse.Namespace, write: Write) -> int:
    """Write the entries that the arguments ask for, after sealing those that are due.

    Return exit code 0, or 1 where there is none. Raises BadInputError for a filter that no entry can pass.
    """
    wanted = AuditFilter(
        target_id=arguments.target,
        subject=arguments.subject,
        action=arguments.action,
        outcome=AuditOutcome(arguments.outcome) if arguments.outcome else None,
        since=arguments.since,
        until=arguments.until,
    )
    check_audit_filter(wanted)
    written = False
    async with open_resources(settings) as resources:
        await seal_audit_logs(resources.runtime)
        lines = audit_lines(resources.runtime, arguments.robot, wanted, AuditFormat(arguments.format.upper()))
        async with aclosing(lines) as pieces:
            async for piece in pieces:
                write(piece)
                written = True
    return 0 if written else 1


def write_to_stdout(piece: bytes) -> None:
    """Write to the standard output. Where whatever reads it has gone, as `head` does, end the program in silence."""
    try:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
