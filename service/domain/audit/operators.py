"""Stand for whoever runs a command on the machine of the service: in the audit log, the subject `operator`."""

from datetime import UTC, datetime
from typing import Final

from service.entities.audit import OPERATOR
from service.entities.principal import Principal, RequestOrigin, Role

NEVER: Final = datetime.max.replace(tzinfo=UTC)


def operator_of(robot_id: str, command: str) -> Principal:
    """Return who acts on a robot by a command, as `user-tags forget`, which stands in place of the id of a request."""
    return Principal(OPERATOR, robot_id, Role.CREATOR, NEVER, origin=RequestOrigin(command))
