"""From what somebody wrote to an expression that can be computed, or all that is wrong with it at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias, assert_never

from service.entities.errors import ErrorCode, FieldError, RequestError
from service.entities.expressions import (
    DifferenceDraft,
    Draft,
    Expression,
    NaryDraft,
    Operator,
    TagDraft,
    TooDeepDraft,
    all_of,
    any_of,
    difference,
    tag,
)
from service.entities.ids import parse_gid, tag_gid
from service.entities.tags import Catalogue, Tag, TagState

MAX_DEPTH: Final = 8
MAX_LEAVES: Final = 100
# The gravest first: it is the code of the whole refusal.
SEVERITY_ORDER: Final = (
    ErrorCode.BAD_USER_INPUT,
    ErrorCode.LIMIT_EXCEEDED,
    ErrorCode.NOT_FOUND,
    ErrorCode.CYCLE,
    ErrorCode.TAG_NOT_USABLE,
    ErrorCode.NAME_TAKEN,
)
CodedFieldError: TypeAlias = tuple[ErrorCode, FieldError]


class AllowedStates(Enum):
    """Which tags an expression may be made of."""

    ACTIVE_OR_PENDING = (TagState.ACTIVE, TagState.PENDING)
    ACTIVE_ONLY = (TagState.ACTIVE,)


def parse_expression(catalogue: Catalogue, draft: Draft, path: str, allowed: AllowedStates) -> Expression:
    """The normalised expression: nested unions and intersections flattened, repetitions dropped.

    `path` is where the client wrote it. Raises a RequestError that names every failing input: BAD_USER_INPUT,
    LIMIT_EXCEEDED over 8 levels or 100 leaves, NOT_FOUND, TAG_NOT_USABLE.
    """
    expression, errors = try_parse_expression(catalogue, draft, path, allowed)
    raise_field_errors(errors)
    return expression


def try_parse_expression(
    catalogue: Catalogue, draft: Draft, path: str, allowed: AllowedStates
) -> tuple[Expression, list[CodedFieldError]]:
    """The same with what is wrong beside it, to be refused together with other inputs."""
    reader = _DraftParser(catalogue, allowed)
    expression = reader.read(draft, path, 0)
    if reader.leaves > MAX_LEAVES:
        reader.fail(ErrorCode.LIMIT_EXCEEDED, path, "TOO_MANY_LEAVES", f"At most {MAX_LEAVES} tags at the leaves.")
    return expression, reader.errors


def raise_field_errors(errors: Iterable[CodedFieldError]) -> None:
    """Raises one RequestError for all failures, if there are any; its code is that of the gravest."""
    ordered = sorted(errors, key=lambda error: SEVERITY_ORDER.index(error[0]))
    if ordered:
        fields = tuple(error for _, error in ordered)
        message = fields[0].message if len(fields) == 1 else f"{len(fields)} inputs were refused."
        raise RequestError(ordered[0][0], message, fields)


def not_usable_errors(catalogue: Catalogue, expression: Expression, path: str) -> list[CodedFieldError]:
    """Leaves that are not ACTIVE, where only those that are will do."""
    found = (
        not_usable_reason(catalogue.tags[tag_id], AllowedStates.ACTIVE_ONLY)
        for tag_id in expression.tag_ids()
        if tag_id in catalogue.tags
    )
    return [(ErrorCode.TAG_NOT_USABLE, FieldError(path, "TAG_NOT_USABLE", message)) for message in found if message]


def format_expression(catalogue: Catalogue, expression: Expression) -> str:
    """The expression for people, by the names of the tags."""
    return expression.text(lambda tag_id: catalogue.tags[tag_id].name if tag_id in catalogue.tags else "?")


@dataclass(slots=True)
class _DraftParser:
    catalogue: Catalogue
    allowed: AllowedStates
    leaves: int = 0
    errors: list[CodedFieldError] = field(default_factory=list)

    def fail(self, code: ErrorCode, path: str, field_code: str, message: str) -> None:
        self.errors.append((code, FieldError(path, field_code, message)))

    def read(self, draft: Draft, path: str, depth: int) -> Expression:
        """A stand-in where something failed; `depth` operators lead here."""
        match draft:
            case TagDraft(gid):
                self.leaves += 1
                return tag(self._tag_id(gid, f"{path}.tag"))
            case NaryDraft() | DifferenceDraft() | TooDeepDraft() if depth == MAX_DEPTH:
                message = f"Operators are nested at most {MAX_DEPTH} deep."
                self.fail(ErrorCode.LIMIT_EXCEEDED, path, "TOO_DEEP", message)
                return tag(0)
            case NaryDraft(operator, operands):
                name = "all" if operator is Operator.ALL else "any"
                if not operands:
                    self.fail(ErrorCode.BAD_USER_INPUT, f"{path}.{name}", "EMPTY", "At least one operand is needed.")
                    return tag(0)
                read = [self.read(each, f"{path}.{name}.{index}", depth + 1) for index, each in enumerate(operands)]
                return all_of(*read) if operator is Operator.ALL else any_of(*read)
            case DifferenceDraft(keep, remove):
                return difference(
                    self.read(keep, f"{path}.except.from", depth + 1),
                    self.read(remove, f"{path}.except.remove", depth + 1),
                )
            case TooDeepDraft():
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
        if error := not_usable_reason(found, self.allowed):
            self.fail(ErrorCode.TAG_NOT_USABLE, path, "TAG_NOT_USABLE", error)
        return tag_id


def not_usable_reason(found: Tag, allowed: AllowedStates) -> str | None:
    """Why a tag cannot be an operand; None when it can."""
    if found.deleted_at is not None:
        return f"{found.name} was deleted."
    if found.state not in allowed.value:
        return f"{found.name} is {found.state}."
    return None


def to_draft(channel_id: int, expression: Expression) -> Draft:
    """The draft that would be read as this expression."""
    if expression.operator is Operator.TAG:
        return TagDraft(tag_gid(channel_id, expression.tag_id))
    operands = tuple(to_draft(channel_id, each) for each in expression.operands)
    if expression.operator is Operator.EXCEPT:
        return DifferenceDraft(*operands)
    return NaryDraft(expression.operator, operands)
