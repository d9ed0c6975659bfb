"""Export the sealed entries of a robot's audit log, a line of JSON each, behind a signed link that holds for an hour.

Nothing is stored for a link: what it leads to is in it. Both asking for one and opening it are acts on record.
Source: docs/specification.md §6.9.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson

from service.domain.audit.chain import entry_record
from service.domain.audit.in_order import chain_order
from service.domain.audit.ocsf import ocsf_event
from service.domain.audit.reading import check_audit_filter, require_audit_permission
from service.domain.audit.recording import record
from service.domain.runtime import Runtime
from service.entities.audit import AuditOutcome, AuditValue
from service.entities.audit_chain import AuditFilter, AuditFormat, LoggedEntry
from service.entities.principal import Principal, RequestOrigin, Role
from service.foundation.instants import parse_instant
from service.storage import audit_chain, audit_log
from service.storage.channels import channels_of_robot, home_channel_or_none

ACTION: Final = "export_audit_log"
OPENED: Final = "The link was opened."
LINK_VALID_FOR: Final = timedelta(hours=1)
# As many as take some milliseconds to write.
LINES_PER_CHUNK: Final = 100
# What is signed begins with this, so that no other signed link passes for one of these.
SIGNED_AS: Final = "audit export "


class AuditExport(NamedTuple):
    """Say what is exported, and for whom, as a link does; `reader` ends when the link does."""

    reader: Principal
    wanted: AuditFilter
    format: AuditFormat


class ExportLink(NamedTuple):
    """Hold the signed URL of an export, and when it expires."""

    url: str
    expires_at: datetime


async def start_audit_export(
    runtime: Runtime, principal: Principal, wanted: AuditFilter, audit_format: AuditFormat
) -> ExportLink:
    """Return a link to the entries that are wanted, as they will be when it is opened.

    Raises ForbiddenError, BadInputError.
    """
    expires_at = (runtime.clock() + LINK_VALID_FOR).replace(microsecond=0)
    await record_export(runtime, principal, wanted, audit_format)
    claims = _claims(principal, wanted, audit_format, expires_at)
    text = base64.urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip("=")
    url = f"{runtime.settings.public_url}/export/audit/{text}.{runtime.secret_box.sign(SIGNED_AS + text)}"
    return ExportLink(url, expires_at)


async def record_export(runtime: Runtime, principal: Principal, wanted: AuditFilter, audit_format: AuditFormat) -> None:
    """Record that entries are exported. Raises ForbiddenError, BadInputError where they cannot be."""
    require_audit_permission(principal)
    check_audit_filter(wanted)
    async with runtime.pool.acquire() as conn, conn.transaction():
        await record(conn, runtime, principal, ACTION, channel_id=None, after=_values(wanted, audit_format))


def parse_audit_link(runtime: Runtime, link: str) -> AuditExport | None:
    """Return what a link is for; None if the signature is wrong. The caller looks when it expires."""
    text, _, signature = link.rpartition(".")
    if not runtime.secret_box.verify_signature(SIGNED_AS + text, signature):
        return None
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, orjson.JSONDecodeError):
        return None
    reader = Principal(
        claims["subject"], claims["robot"], Role(claims["role"]), datetime.fromtimestamp(claims["expires"], UTC)
    )
    return AuditExport(reader, _wanted(claims["wanted"]), AuditFormat(claims["format"]))


async def record_opening(runtime: Runtime, export: AuditExport, origin: RequestOrigin) -> None:
    """Record that a link was opened, by whoever has it: the entry names who asked for it."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        await record(
            conn,
            runtime,
            replace(export.reader, origin=origin),
            ACTION,
            channel_id=None,
            after=_values(export.wanted, export.format),
            detail=OPENED,
        )


async def audit_lines(
    runtime: Runtime, robot_id: str, wanted: AuditFilter, audit_format: AuditFormat
) -> AsyncGenerator[bytes]:
    """Yield the sealed entries that are wanted, in the order of their numbers, some lines of JSON at a time.

    Little is held in memory, and no connection while the reader is slow. It ends with the entry that was the last when
    it began.
    """
    async with runtime.pool.acquire() as conn:
        home = await home_channel_or_none(conn, robot_id)
        if home is None:
            return
        channel_ids = [each.channel_id for each in await channels_of_robot(conn, robot_id)]
        ends = await audit_chain.chain_ends(conn, home)

    async def read(channel_id: int, after: int, last: int) -> list[LoggedEntry]:
        async with runtime.pool.acquire() as conn:
            return await audit_log.exported_entries(conn, channel_id, wanted, after, last)

    async def find_next(channel_ids: Sequence[int], after: int) -> int | None:
        async with runtime.pool.acquire() as conn:
            return await audit_chain.first_number_after(conn, channel_ids, after)

    async with aclosing(chain_order(channel_ids, ends.base_number, ends.last_number, read, find_next)) as pieces:
        async for piece in pieces:
            for start in range(0, len(piece), LINES_PER_CHUNK):
                yield await asyncio.to_thread(_lines, piece[start : start + LINES_PER_CHUNK], audit_format)


def _lines(entries: Sequence[LoggedEntry], audit_format: AuditFormat) -> bytes:
    write = ocsf_event if audit_format is AuditFormat.OCSF else plain_line
    return b"".join(orjson.dumps(write(each), option=orjson.OPT_APPEND_NEWLINE) for each in entries)


def plain_line(logged: LoggedEntry) -> dict[str, Any]:
    """Return a sealed entry as it is hashed, with its hash (docs/audit.md)."""
    return {
        **entry_record(logged.entry, logged.number or 0),
        "hash": None if logged.hash is None else logged.hash.hex(),
    }


def _values(wanted: AuditFilter, audit_format: AuditFormat) -> dict[str, AuditValue]:
    """Return what is on record of an export."""
    return {"format": audit_format, **{name: value for name, value in asdict(wanted).items() if value is not None}}


def _claims(
    principal: Principal, wanted: AuditFilter, audit_format: AuditFormat, expires_at: datetime
) -> dict[str, Any]:
    return {
        "robot": principal.robot_id,
        "subject": principal.subject,
        "role": principal.role.value,
        "format": audit_format.value,
        "expires": int(expires_at.timestamp()),
        "wanted": asdict(wanted),
    }


def _wanted(claims: dict[str, Any]) -> AuditFilter:
    return AuditFilter(
        target_id=claims["target_id"],
        subject=claims["subject"],
        action=claims["action"],
        outcome=None if claims["outcome"] is None else AuditOutcome(claims["outcome"]),
        since=None if claims["since"] is None else parse_instant(claims["since"]),
        until=None if claims["until"] is None else parse_instant(claims["until"]),
    )
