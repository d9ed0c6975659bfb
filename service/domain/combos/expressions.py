"""Parse the expression that a client wrote, or name all its errors at once (docs/specification.md §4.4)."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple, assert_never

from service.entities.errors import ErrorCode, FieldError, FieldPath, raise_field_errors
from service.entities.expressions import (
    DifferenceDraft,
    Draft,
    Expression,
    NaryDraft,
    Operator,
    TagDraft,
    TooDeepDraft,
    UnknownTagDraft,
    all_of,
    any_of,
    difference,
    tag,
)
from service.entities.tags import Catalogue, Tag, TagState

MAX_DEPTH: Final = 8
MAX_LEAVES: Final = 100
# Every use case that takes an expression takes it under this name.
EXPRESSION_PATH: Final[FieldPath] = ("expression",)


# As the tag panel shows them: 生效中, 已生效, 已失效.
STATE_WORDS: Final = {
    TagState.PENDING: "still taking effect (PENDING)",
    TagState.ACTIVE: "in effect (ACTIVE)",
    TagState.LAPSED: "lapsed (LAPSED)",
}


class ParsedExpression(NamedTuple):
    """Hold a normalised expression; with `errors` it is a placeholder and must not be used."""

    expression: Expression
    errors: list[FieldError]


class AllowedStates(Enum):
    """Name the states of the tags that an expression may be made of."""

    ACTIVE_OR_PENDING = (TagState.ACTIVE, TagState.PENDING)
    ACTIVE_ONLY = (TagState.ACTIVE,)


def parse_expression(catalogue: Catalogue, draft: Draft, allowed: AllowedStates) -> Expression:
    """Return the normalised expression: nested unions and intersections flattened, repetitions dropped.

    Raises a RequestError that names every failing input, below `expression`: BAD_USER_INPUT, LIMIT_EXCEEDED over 8
    levels or 100 leaves, NOT_FOUND, TAG_NOT_USABLE.
    """
    expression, errors = try_parse_expression(catalogue, draft, allowed)
    raise_field_errors(errors)
    return expression


def try_parse_expression(catalogue: Catalogue, draft: Draft, allowed: AllowedStates) -> ParsedExpression:
    """Return what `parse_expression` returns, with the errors that it would raise."""
    parser = _DraftParser(catalogue, allowed)
    expression = parser.read(draft, EXPRESSION_PATH, 0)
    if parser.leaves > MAX_LEAVES:
        message = f"An expression has at most {MAX_LEAVES} tags."
        parser.fail(ErrorCode.LIMIT_EXCEEDED, EXPRESSION_PATH, "TOO_MANY_LEAVES", message)
    return ParsedExpression(expression, parser.errors)


def not_usable_errors(catalogue: Catalogue, expression: Expression) -> list[FieldError]:
    """Return one error for each tag of an expression that is not ACTIVE."""
    found = (
        not_usable_reason(catalogue.tags[tag_id], AllowedStates.ACTIVE_ONLY)
        for tag_id in expression.tag_ids()
        if tag_id in catalogue.tags
    )
    return [
        FieldError(EXPRESSION_PATH, "TAG_NOT_USABLE", message, ErrorCode.TAG_NOT_USABLE) for message in found if message
    ]


def format_expression(catalogue: Catalogue, expression: Expression) -> str:
    """Return an expression as text with the names of its tags, `?` for an unknown one."""
    return expression.text(lambda tag_id: catalogue.tags[tag_id].name if tag_id in catalogue.tags else "?")


@dataclass(slots=True)
class _DraftParser:
    """Parse one draft, counting its leaves and collecting its errors."""

    catalogue: Catalogue
    allowed: AllowedStates
    leaves: int = 0
    errors: list[FieldError] = field(default_factory=list)

    def fail(self, request_code: ErrorCode, path: FieldPath, code: str, message: str) -> None:
        self.errors.append(FieldError(path, code, message, request_code))

    def read(self, draft: Draft, path: FieldPath, depth: int) -> Expression:
        """Return the expression of a draft inside `depth` operators, with a placeholder for each failing part."""
        match draft:
            case TagDraft(channel_id, tag_id):
                self.leaves += 1
                return tag(self._checked_tag_id(channel_id, tag_id, (*path, "tag")))
            case UnknownTagDraft():
                self.leaves += 1
                self.fail(ErrorCode.NOT_FOUND, (*path, "tag"), "NOT_FOUND", "There is no such tag.")
                return tag(0)
            case NaryDraft() | DifferenceDraft() | TooDeepDraft() if depth == MAX_DEPTH:
                message = f"Operators are nested at most {MAX_DEPTH} deep."
                self.fail(ErrorCode.LIMIT_EXCEEDED, path, "TOO_DEEP", message)
                return tag(0)
            case NaryDraft(operator, operands):
                name = "all" if operator is Operator.ALL else "any"
                if not operands:
                    self.fail(ErrorCode.BAD_USER_INPUT, (*path, name), "EMPTY", "At least one operand is needed.")
                    return tag(0)
                read = [self.read(each, (*path, name, index), depth + 1) for index, each in enumerate(operands)]
                return all_of(*read) if operator is Operator.ALL else any_of(*read)
            case DifferenceDraft(keep, remove):
                return difference(
                    self.read(keep, (*path, "except", "from"), depth + 1),
                    self.read(remove, (*path, "except", "remove"), depth + 1),
                )
            case TooDeepDraft():
                return tag(0)
            case _:
                assert_never(draft)

    def _checked_tag_id(self, channel_id: int, tag_id: int, path: FieldPath) -> int:
        found = self.catalogue.tags.get(tag_id) if channel_id == self.catalogue.channel_id else None
        if found is None:
            # A tag of another channel is answered like one that does not exist.
            self.fail(ErrorCode.NOT_FOUND, path, "NOT_FOUND", "There is no such tag in this channel.")
            return 0
        if error := not_usable_reason(found, self.allowed):
            self.fail(ErrorCode.TAG_NOT_USABLE, path, "TAG_NOT_USABLE", error)
        return tag_id


def not_usable_reason(found: Tag, allowed: AllowedStates) -> str | None:
    """Return why a tag cannot be an operand; None when it can."""
    if found.deleted_at is not None:
        return f"{found.name} was deleted."
    if found.state not in allowed.value:
        return f"{found.name} is {STATE_WORDS[found.state]}."
    return None


def to_draft(channel_id: int, expression: Expression) -> Draft:
    """Return the draft that is parsed to this expression."""
    if expression.operator is Operator.TAG:
        return TagDraft(channel_id, expression.tag_id)
    operands = tuple(to_draft(channel_id, each) for each in expression.operands)
    if expression.operator is Operator.EXCEPT:
        return DifferenceDraft(*operands)
    return NaryDraft(expression.operator, operands)
