"""Write entries of the audit log as events of the Open Cybersecurity Schema Framework: class 3004, Entity Management.

Source: schema.ocsf.io, version 1.8.0; docs/audit.md says which attribute holds what.
"""

from enum import IntEnum
from typing import Any, Final

from service import __version__
from service.domain.audit.chain import entry_record
from service.entities.audit import AuditEntry, AuditOutcome
from service.entities.audit_chain import LoggedEntry
from service.entities.ids import split_gid
from service.entities.principal import Role

OCSF_VERSION: Final = "1.8.0"
CATEGORY_UID: Final = 3
CLASS_UID: Final = 3004
# What other classes and enumerations call by this number, too: its name stands beside it.
OTHER: Final = 99


class Activity(IntEnum):
    """Name the activities of the class, with their numbers."""

    CREATE = 1
    READ = 2
    UPDATE = 3
    DELETE = 4
    MOVE = 5
    ENROLL = 6
    UNENROLL = 7
    ACTIVATE = 10
    DEACTIVATE = 11
    SUSPEND = 12
    RESUME = 13
    OTHER = OTHER


# By the verb that the name of an action begins with; all others are OTHER, which is named as the action.
ACTIVITIES: Final = {
    "create": Activity.CREATE,
    "obtain": Activity.CREATE,
    "export": Activity.READ,
    "update": Activity.UPDATE,
    "set": Activity.UPDATE,
    "reset": Activity.UPDATE,
    "rotate": Activity.UPDATE,
    "confirm": Activity.UPDATE,
    "merge": Activity.UPDATE,
    "rename": Activity.MOVE,
    "delete": Activity.DELETE,
    "forget": Activity.DELETE,
    "bind": Activity.ENROLL,
    "unbind": Activity.UNENROLL,
    "unlink": Activity.UNENROLL,
    "approve": Activity.ACTIVATE,
    "cancel": Activity.DEACTIVATE,
    "pause": Activity.SUSPEND,
    "resume": Activity.RESUME,
}
# Severity: informational, low, medium. Status: success, failure.
SEVERITIES: Final = {AuditOutcome.DONE: 1, AuditOutcome.FAILED: 2, AuditOutcome.DENIED: 3}
STATUSES: Final = {AuditOutcome.DONE: 1, AuditOutcome.FAILED: 2, AuditOutcome.DENIED: 2}
# Kinds of users: a person, an administrator, a service.
USER_TYPES: Final = {Role.CREATOR: 2, Role.ADMIN: 2, Role.AGENT: 1, Role.INTEGRATOR: 4}
USER_ENTITY: Final = 2


def ocsf_event(logged: LoggedEntry) -> dict[str, Any]:
    """Return a sealed entry as an event. What the class has no attribute for stands in `unmapped`."""
    entry, number, own_hash = logged
    record = entry_record(entry, number or 0)
    activity = _activity(entry.action)
    event = {
        "category_uid": CATEGORY_UID,
        "category_name": "Identity & Access Management",
        "class_uid": CLASS_UID,
        "class_name": "Entity Management",
        "activity_id": activity.value,
        "activity_name": entry.action if activity is Activity.OTHER else activity.name.capitalize(),
        "type_uid": CLASS_UID * 100 + activity.value,
        "time": round(entry.at.timestamp() * 1000),
        "severity_id": SEVERITIES[entry.outcome],
        "status_id": STATUSES[entry.outcome],
        "status": "Success" if entry.outcome is AuditOutcome.DONE else "Failure",
        "status_code": entry.error_code,
        "status_detail": entry.detail,
        "message": f"{entry.subject}: {entry.action}, {entry.outcome.value}",
        "count": entry.count,
        "metadata": {
            "version": OCSF_VERSION,
            "product": {"name": "User Tags", "vendor_name": "User Tags", "version": __version__},
            "uid": record["id"],
            "sequence": number,
            "log_name": "audit",
            "tenant_uid": entry.robot_id,
            "event_code": entry.action,
            "correlation_uid": entry.origin.request_id or None,
        },
        "actor": {"user": {"uid": entry.subject, "type": entry.role, "type_id": _user_type(entry.role)}},
        "src_endpoint": {"ip": entry.origin.client_address} if entry.origin.client_address else None,
        "entity": {**_entity(entry), "data": record["before"]},
        "entity_result": {**_entity(entry), "data": record["after"]} if entry.after is not None else None,
        "unmapped": {
            "number": record["number"],
            "hash": None if own_hash is None else own_hash.hex(),
            "minute": record["minute"],
            "outcome": entry.outcome.value,
        },
    }
    return _without_nulls(event)


def _activity(action: str) -> Activity:
    verb = next((verb for verb in ACTIVITIES if action.startswith(verb) and action[len(verb) :][:1].isupper()), "")
    return ACTIVITIES.get(verb, Activity.OTHER)


def _user_type(role: str) -> int:
    return USER_TYPES[Role(role)] if role in list(Role) else OTHER


def _entity(entry: AuditEntry) -> dict[str, Any]:
    """Return what an act was about, as a managed entity; without a target it is the robot."""
    split = split_gid(entry.target_id or "")
    if split is None:
        return {"uid": entry.target_id or entry.robot_id, "type": "Robot", "type_id": OTHER}
    return {
        "uid": entry.target_id,
        "type": split.type_name,
        "type_id": USER_ENTITY if split.type_name == "User" else OTHER,
    }


def _without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """Return values without those that are None, also in objects of the schema; what an act changed stays as it is."""
    return {
        name: _without_nulls(value) if isinstance(value, dict) and name != "data" else value
        for name, value in values.items()
        if value is not None
    }
