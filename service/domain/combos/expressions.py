"""Parse the expression that a client wrote, or name all its errors at once (docs/specification.md §4.4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias, assert_never

from service.entities.errors import ErrorCode, FieldError, FieldPath, raise_field_errors
from service.entities.expressions import (
    FOLLOWERS,
    DifferenceDraft,
    Draft,
    Expression,
    FollowersDraft,
    LeafDraft,
    NaryDraft,
    Operator,
    ReceivedDraft,
    TagDraft,
    TooDeepDraft,
    UnknownBroadcastDraft,
    UnknownTagDraft,
    all_of,
    any_of,
    difference,
    received,
    tag,
)
from service.entities.tags import Catalogue, Tag, TagState

MAX_DEPTH: Final = 8
MAX_LEAVES: Final = 100
# Every use case that takes an expression takes it under this name, but for broadcasts, which take it as `audience`.
EXPRESSION_PATH: Final[FieldPath] = ("expression",)


# As the tag panel shows them: 生效中, 已生效, 已失效.
STATE_WORDS: Final = {
    TagState.PENDING: "still taking effect (PENDING)",
    TagState.ACTIVE: "in effect (ACTIVE)",
    TagState.LAPSED: "lapsed (LAPSED)",
}


# What broadcasts of a channel are called, `{number: name}`.
BroadcastNames: TypeAlias = Mapping[int, str]
NO_BROADCASTS: Final[BroadcastNames] = MappingProxyType({})


class ParsedExpression(NamedTuple):
    """Hold a normalised expression; with `errors` it is a placeholder and must not be used."""

    expression: Expression
    errors: list[FieldError]


class AllowedStates(Enum):
    """Name the states of the tags that an expression may be made of."""

    ACTIVE_OR_PENDING = (TagState.ACTIVE, TagState.PENDING)
    ACTIVE_ONLY = (TagState.ACTIVE,)


def parse_expression(
    catalogue: Catalogue, draft: Draft, allowed: AllowedStates, broadcasts: BroadcastNames | None = None
) -> Expression:
    """Return the normalised expression: nested unions and intersections flattened, repetitions dropped.

    `broadcasts` are those of the channel that `received` may name. Raises a RequestError that names every failing
    input, below `expression`: BAD_USER_INPUT, LIMIT_EXCEEDED over 8 levels or 100 leaves, NOT_FOUND, TAG_NOT_USABLE.
    """
    expression, errors = try_parse_expression(catalogue, draft, allowed, broadcasts)
    raise_field_errors(errors)
    return expression


def try_parse_expression(
    catalogue: Catalogue,
    draft: Draft,
    allowed: AllowedStates,
    broadcasts: BroadcastNames | None = None,
    path: FieldPath = EXPRESSION_PATH,
) -> ParsedExpression:
    """Return what `parse_expression` returns, with the errors that it would raise, below `path`."""
    parser = _DraftParser(catalogue, allowed, broadcasts)
    expression = parser.read(draft, path, 0)
    if parser.leaves > MAX_LEAVES:
        message = f"An expression has at most {MAX_LEAVES} tags."
        parser.fail(ErrorCode.LIMIT_EXCEEDED, path, "TOO_MANY_LEAVES", message)
    return ParsedExpression(expression, parser.errors)


def not_usable_errors(
    catalogue: Catalogue, expression: Expression, path: FieldPath = EXPRESSION_PATH
) -> list[FieldError]:
    """Return one error at `path` for each tag of an expression that is not ACTIVE."""
    found = (
        not_usable_reason(catalogue.tags[tag_id], AllowedStates.ACTIVE_ONLY)
        for tag_id in expression.tag_ids()
        if tag_id in catalogue.tags
    )
    return [FieldError(path, "TAG_NOT_USABLE", message, ErrorCode.TAG_NOT_USABLE) for message in found if message]


def format_expression(catalogue: Catalogue, expression: Expression, broadcasts: BroadcastNames = NO_BROADCASTS) -> str:
    """Return an expression as text with the names of its tags and broadcasts, `?` for an unknown one."""

    def name_of(leaf: Expression) -> str:
        if leaf.operator is Operator.FOLLOWERS:
            return "Followers"
        if leaf.operator is Operator.RECEIVED:
            return f"Received {broadcasts.get(leaf.job_id, '?')}"
        return catalogue.tags[leaf.tag_id].name if leaf.tag_id in catalogue.tags else "?"

    return expression.text(name_of)


@dataclass(slots=True)
class _DraftParser:
    """Parse one draft, counting its leaves and collecting its errors."""

    catalogue: Catalogue
    allowed: AllowedStates
    broadcasts: BroadcastNames | None = None
    leaves: int = 0
    errors: list[FieldError] = field(default_factory=list)

    def fail(self, request_code: ErrorCode, path: FieldPath, code: str, message: str) -> None:
        self.errors.append(FieldError(path, code, message, request_code))

    def read(self, draft: Draft, path: FieldPath, depth: int) -> Expression:
        """Return the expression of a draft inside `depth` operators, with a placeholder for each failing part."""
        match draft:
            case TagDraft() | UnknownTagDraft() | FollowersDraft() | ReceivedDraft() | UnknownBroadcastDraft():
                self.leaves += 1
                return self._read_leaf(draft, path)
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

    def _read_leaf(self, draft: LeafDraft, path: FieldPath) -> Expression:
        match draft:
            case TagDraft(channel_id, tag_id):
                return tag(self._checked_tag_id(channel_id, tag_id, (*path, "tag")))
            case UnknownTagDraft():
                self.fail(ErrorCode.NOT_FOUND, (*path, "tag"), "NOT_FOUND", "There is no such tag.")
                return tag(0)
            case FollowersDraft(wanted):
                if not wanted:
                    message = "Only true: to leave followers out, put them into the `remove` of an `except`."
                    self.fail(ErrorCode.BAD_USER_INPUT, (*path, "followers"), "NOT_TRUE", message)
                return FOLLOWERS
            case ReceivedDraft() | UnknownBroadcastDraft():
                return self._received(draft, (*path, "received"))
            case _:
                assert_never(draft)

    def _received(self, draft: ReceivedDraft | UnknownBroadcastDraft, path: FieldPath) -> Expression:
        if self.broadcasts is None:
            message = "Combos cannot be made of who received a broadcast; audiences and broadcasts can."
            self.fail(ErrorCode.BAD_USER_INPUT, path, "RECEIVED_IN_COMBO", message)
            return received(0)
        match draft:
            case ReceivedDraft(self.catalogue.channel_id, job_id) if job_id in self.broadcasts:
                return received(job_id)
        message = "There is no such broadcast in this channel, or it is no longer kept who received it."
        self.fail(ErrorCode.NOT_FOUND, path, "NOT_FOUND", message)
        return received(0)

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
    if expression.operator is Operator.FOLLOWERS:
        return FollowersDraft(wanted=True)
    if expression.operator is Operator.RECEIVED:
        return ReceivedDraft(channel_id, expression.job_id)
    operands = tuple(to_draft(channel_id, each) for each in expression.operands)
    if expression.operator is Operator.EXCEPT:
        return DifferenceDraft(*operands)
    return NaryDraft(expression.operator, operands)
