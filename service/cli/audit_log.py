"""`user-tags audit-log`: write the audit log of a robot to the standard output, a line of JSON for each entry."""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

from service.domain.audit.exporting import audit_lines, record_export
from service.domain.audit.operators import operator_of
from service.domain.audit.sealing import seal_audit_logs
from service.entities.audit import AuditOutcome
from service.entities.audit_chain import AuditFilter, AuditFormat
from service.foundation.settings import Settings
from service.resources import open_resources

COMMAND: Final = "user-tags audit-log"
Write = Callable[[bytes], object]


async def run_audit_log(settings: Settings, arguments: argparse.Namespace, write: Write) -> int:
    """Write the entries that the arguments ask for, after sealing those that are due. That is an act on record.

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
    audit_format = AuditFormat(arguments.format.upper())
    written = False
    async with open_resources(settings) as resources:
        runtime = resources.runtime
        await record_export(runtime, operator_of(arguments.robot, COMMAND), wanted, audit_format)
        await seal_audit_logs(runtime)
        lines = audit_lines(runtime, arguments.robot, wanted, audit_format)
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
