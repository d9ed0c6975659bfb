"""Read the inputs of updates: an absent field stays as it is, and null is refused unless a field allows it."""

from typing import Any

import strawberry

from service.entities.errors import BadInputError, FieldError


def unset_to_none(value: Any) -> Any:
    """Return the value of an input field, or None where the field is absent."""
    return None if value is strawberry.UNSET else value


def reject_nulls(update_input: object, *names: str) -> None:
    """Raise BadInputError, naming each of these fields that is null; absent fields pass."""
    errors = [
        FieldError((name,), "NULL", "Leave the field out to keep what is there.")
        for name in names
        if getattr(update_input, name) is None
    ]
    if errors:
        raise BadInputError(*errors)
