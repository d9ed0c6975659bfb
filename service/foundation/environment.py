"""Read the environment into frozen dataclasses, and name every variable that is malformed or unknown."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PREFIX: Final = "USER_TAGS_"
MIN_SIMILARITY: Final = 0.65
# What somebody meant for the prefix.
LIKE_PREFIX: Final = re.compile(r"USER[_-]?TAGS?[_-]+", re.IGNORECASE)
# Kubernetes and Docker set variables in every container that say where the service user-tags, or user-tags-web, is.
# The value tells their USER_TAGS_PORT (tcp://10.0.0.7:8000) from a misspelt setting.
SERVICE_LINK: Final = re.compile(
    r"USER_?TAGS?_"
    r"(\w+_)?(SERVICE_HOST=.+|SERVICE_PORT(_\w+)?=\d+"
    r"|PORT=(tcp|udp|sctp)://.+|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?=.+)"
)

Group = TypeVar("Group", bound="DataclassInstance")
Path = tuple[str, ...]


class SettingsError(Exception):
    """Raised when the environment is incomplete or wrong; each argument is a sentence about one variable."""

    def __str__(self) -> str:
        return " ".join(str(sentence) for sentence in self.args)


@dataclass(frozen=True, slots=True)
class Variable:
    """Name the variable of a field, where it is not the prefix of its group and the name of the field."""

    name: str


def variables_of(kind: "type[DataclassInstance]") -> dict[Path, str]:
    """Return the names of all variables of a dataclass and the groups in it, by the path of their field.

    A group is a field whose type is a dataclass; its class attribute `prefix` begins the names.
    """
    hints = get_type_hints(kind, include_extras=True)
    prefix = getattr(kind, "prefix", PREFIX)
    found: dict[Path, str] = {}
    for field in fields(kind):
        hint = hints[field.name]
        if isinstance(hint, type) and is_dataclass(hint):
            found |= {(field.name, *path): name for path, name in variables_of(hint).items()}
        else:
            named = [each.name for each in getattr(hint, "__metadata__", ()) if isinstance(each, Variable)]
            found[(field.name,)] = named[0] if named else prefix + field.name.upper()
    return found


def read_variables(kind: type[Group], environment: Mapping[str, str], known: Collection[str]) -> Group:
    """Return a `kind` filled from the environment; a variable that is unset or blank leaves the default.

    Raises SettingsError with a sentence for every malformed variable, and for every one with the prefix `USER_TAGS_`,
    or what looks like it, that is not among the `known`.
    """
    names = variables_of(kind)
    given: dict[str, Any] = {}
    for path, name in names.items():
        if text := environment.get(name, "").strip():
            group = given
            for part in path[:-1]:
                group = group.setdefault(part, {})
            group[path[-1]] = text
    wrong = list(_unknown(environment, known))
    value: Group | None = None
    try:
        value = _adapter(kind).validate_python(given)
    except ValidationError as error:
        wrong += [f"{names[_path(each['loc'])]} {each['ctx']['error']}." for each in error.errors(include_input=False)]
    # Raised outside `except`, since pydantic's error, which holds the values and so secrets, would be its context.
    if value is None or wrong:
        raise SettingsError(*wrong)
    return value


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _path(location: tuple[int | str, ...]) -> Path:
    return tuple(str(part) for part in location)


def _unknown(environment: Mapping[str, str], known: Collection[str]) -> Iterator[str]:
    by_suffix = {name.removeprefix(PREFIX): name for name in known}
    for name, text in environment.items():
        prefix = LIKE_PREFIX.match(name)
        if prefix is None or name in known or SERVICE_LINK.fullmatch(f"{name}={text}"):
            continue
        # Without the prefix, which would make any two names similar.
        similar = get_close_matches(name[prefix.end() :].upper(), by_suffix, n=1, cutoff=MIN_SIMILARITY)
        yield f"{name} is not a known variable{f'; did you mean {by_suffix[similar[0]]}?' if similar else '.'}"
