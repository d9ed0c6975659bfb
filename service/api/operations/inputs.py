"""What an update says: an absent field stays as it is, and null says nothing sensible unless a field allows it."""

from typing import Any

import strawberry

from service.entities.errors import BadInputError, FieldError


def unset_to_none(value: Any) -> Any:
    return None if value is strawberry.UNSET else value


def reject_nulls(update_input: object, *names: str) -> None:
    """In updates an absent field stays as it is; an explicit null says nothing sensible."""
    failures = [
        FieldError(f"input.{_to_camel_case(name)}", "NULL", "Leave the field out to keep what is there.")
        for name in names
        if getattr(update_input, name) is None
    ]
    if failures:
        raise BadInputError(*failures)


def _to_camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
