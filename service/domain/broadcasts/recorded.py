"""Say what entries of the audit log have of broadcasts.

Of messages they have the kind and a keyed hash. A text may name people, the log can forget nobody, and the broadcast
itself shows its message as long as it is kept.
"""

import orjson

from service.domain.audit.values import expression_value
from service.entities.audit import AuditValue, Hidden
from service.entities.broadcast_messages import BroadcastMessage
from service.entities.broadcasts import Broadcast, BroadcastPolicy
from service.entities.expressions import from_json


def message_value(message: BroadcastMessage) -> AuditValue:
    """Return what stands for the content of a message: the same for all that say the same to one robot's people."""
    return Hidden("message", orjson.dumps(message.to_json(), option=orjson.OPT_SORT_KEYS).decode())


def broadcast_values(broadcast: Broadcast) -> dict[str, AuditValue]:
    """Return what people have written of a broadcast."""
    stored = orjson.dumps(broadcast.message, option=orjson.OPT_SORT_KEYS).decode()
    return {
        "name": broadcast.name,
        "kind": broadcast.kind,
        "message": Hidden("message", stored),
        "audience": expression_value(broadcast.channel_id, from_json(broadcast.audience)),
        "start_at": broadcast.start_at,
        "hold_out_percent": broadcast.hold_out_percent,
        "once_only": broadcast.once_only,
        "confirm_duplicate": broadcast.confirm_duplicate,
        "ignore_caps": broadcast.ignore_caps,
        "ignore_quiet_hours": broadcast.ignore_quiet_hours,
        "temporary_tag": broadcast.temporary_tag,
        "repeat": broadcast.repeat,
    }


def policy_values(policy: BroadcastPolicy) -> dict[str, AuditValue]:
    """Return the rules of a policy; the key that decides who is held out is a secret."""
    quiet, rolling = policy.quiet_hours, policy.rolling
    return {
        "time_zone": policy.time_zone,
        "quiet_hours": None if quiet is None else {"from": f"{quiet.start:%H:%M}", "to": f"{quiet.end:%H:%M}"},
        "respect_holidays": policy.respect_holidays,
        "per_person_per_day": policy.per_person_per_day,
        "per_person_rolling": None if rolling is None else {"messages": rolling.messages, "days": rolling.days},
        "approval_above": policy.approval_above,
        "missed_start_after": int(policy.missed_start_after.total_seconds()),
        "duplicate_within_days": policy.duplicate_within.days,
    }
