"""From what somebody wrote to an expression that can be computed, or all that is wrong with it at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias, assert_never

from service.entities.enums import TagState
from service.entities.errors import ErrorCode, FieldFailure, RefusedError
from service.entities.expressions import (
    DifferenceDraft,
    Draft,
    Expression,
    ManyDraft,
    Operator,
    TagDraft,
    UnclearDraft,
    all_of,
    any_of,
    difference,
    tag,
)
from service.entities.ids import parse_gid, tag_gid
from service.entities.tags import Catalogue, Tag

DEEPEST: Final = 8
MOST_LEAVES: Final = 100
# The gravest first: it is the code of the whole refusal.
GRAVITY: Final = (
    ErrorCode.BAD_USER_INPUT,
    ErrorCode.LIMIT_EXCEEDED,
    ErrorCode.NOT_FOUND,
    ErrorCode.CYCLE,
    ErrorCode.TAG_NOT_USABLE,
    ErrorCode.NAME_TAKEN,
)
Failure: TypeAlias = tuple[ErrorCode, FieldFailure]


class Usable(Enum):
    """Which tags an expression may be made of."""

    FOR_COMBOS = (TagState.ACTIVE, TagState.PENDING)
    NOW = (TagState.ACTIVE,)


def parse_expression(catalogue: Catalogue, draft: Draft, path: str, usable: Usable) -> Expression:
    """The normalised expression: nested unions and intersections flattened, repetitions dropped.

    `path` is where the client wrote it. Raises a RefusedError that names every failing input: BAD_USER_INPUT,
    LIMIT_EXCEEDED over 8 levels or 100 leaves, NOT_FOUND, TAG_NOT_USABLE.
    """
    expression, failures = read_expression(catalogue, draft, path, usable)
    refuse(failures)
    return expression


def read_expression(catalogue: Catalogue, draft: Draft, path: str, usable: Usable) -> tuple[Expression, list[Failure]]:
    """The same with what is wrong beside it, to be refused together with other inputs."""
    reader = _Reader(catalogue, usable)
    expression = reader.read(draft, path, 0)
    if reader.leaves > MOST_LEAVES:
        reader.fail(ErrorCode.LIMIT_EXCEEDED, path, "TOO_MANY_LEAVES", f"At most {MOST_LEAVES} tags at the leaves.")
    return expression, reader.failures


def refuse(failures: Iterable[Failure]) -> None:
    """Raises one RefusedError for all failures, if there are any; its code is that of the gravest."""
    ordered = sorted(failures, key=lambda failure: GRAVITY.index(failure[0]))
    if ordered:
        fields = tuple(failure for _, failure in ordered)
        message = fields[0].message if len(fields) == 1 else f"{len(fields)} inputs were refused."
        raise RefusedError(ordered[0][0], message, fields)


def unusable_failures(catalogue: Catalogue, expression: Expression, path: str) -> list[Failure]:
    """Leaves that are not ACTIVE, where only those that are will do."""
    found = (
        unusable(catalogue.tags[tag_id], Usable.NOW) for tag_id in expression.tag_ids() if tag_id in catalogue.tags
    )
    return [(ErrorCode.TAG_NOT_USABLE, FieldFailure(path, "TAG_NOT_USABLE", message)) for message in found if message]


def names_of(catalogue: Catalogue, expression: Expression) -> str:
    """The expression for people, by the names of the tags."""
    return expression.text(lambda tag_id: catalogue.tags[tag_id].name if tag_id in catalogue.tags else "?")


@dataclass(slots=True)
class _Reader:
    catalogue: Catalogue
    usable: Usable
    leaves: int = 0
    failures: list[Failure] = field(default_factory=list)

    def fail(self, code: ErrorCode, path: str, field_code: str, message: str) -> None:
        self.failures.append((code, FieldFailure(path, field_code, message)))

    def read(self, draft: Draft, path: str, above: int) -> Expression:
        """A stand-in where something failed; `above` operators lead here."""
        match draft:
            case TagDraft(gid):
                self.leaves += 1
                return tag(self._tag_id(gid, f"{path}.tag"))
            case ManyDraft() | DifferenceDraft() | UnclearDraft() if above == DEEPEST:
                message = f"Operators are nested at most {DEEPEST} deep."
                self.fail(ErrorCode.LIMIT_EXCEEDED, path, "TOO_DEEP", message)
                return tag(0)
            case ManyDraft(operator, operands):
                name = "all" if operator is Operator.ALL else "any"
                if not operands:
                    self.fail(ErrorCode.BAD_USER_INPUT, f"{path}.{name}", "EMPTY", "At least one operand is needed.")
                    return tag(0)
                read = [self.read(each, f"{path}.{name}.{index}", above + 1) for index, each in enumerate(operands)]
                return all_of(*read) if operator is Operator.ALL else any_of(*read)
            case DifferenceDraft(keep, remove):
                return difference(
                    self.read(keep, f"{path}.except.from", above + 1),
                    self.read(remove, f"{path}.except.remove", above + 1),
                )
            case UnclearDraft():
                return tag(0)
            case _:
                assert_never(draft)

    def _tag_id(self, gid: str, path: str) -> int:
        numbers = parse_gid(gid, "Tag", 2)
        if numbers is None:
            self.fail(ErrorCode.NOT_FOUND, path, "NOT_FOUND", "There is no such tag.")
            return 0
        channel_id, tag_id = numbers
        found = self.catalogue.tags.get(tag_id) if channel_id == self.catalogue.channel_id else None
        if found is None:
            # Whether a tag of another channel exists is nobody's business here.
            self.fail(ErrorCode.NOT_FOUND, path, "NOT_FOUND", "There is no such tag in this channel.")
            return 0
        if failure := unusable(found, self.usable):
            self.fail(ErrorCode.TAG_NOT_USABLE, path, "TAG_NOT_USABLE", failure)
        return tag_id


def unusable(found: Tag, usable: Usable) -> str | None:
    """Why a tag cannot be an operand; None when it can."""
    if found.deleted_at is not None:
        return f"{found.name} was deleted."
    if found.state not in usable.value:
        return f"{found.name} is {found.state}."
    return None


def draft_of(channel_id: int, expression: Expression) -> Draft:
    """The draft that would be read as this expression."""
    if expression.operator is Operator.TAG:
        return TagDraft(tag_gid(channel_id, expression.tag_id))
    operands = tuple(draft_of(channel_id, each) for each in expression.operands)
    if expression.operator is Operator.EXCEPT:
        return DifferenceDraft(*operands)
    return ManyDraft(expression.operator, operands)
