"""Seal what was written to the audit logs (docs/specification.md §6.9)."""

from typing import Any

from service.domain.audit.sealing import seal_audit_logs as seal
from service.domain.runtime import Runtime


async def seal_audit_logs(ctx: dict[str, Any]) -> None:
    """Give the entries of all robots that are some seconds old their numbers and hashes."""
    runtime: Runtime = ctx["runtime"]
    await seal(runtime)
