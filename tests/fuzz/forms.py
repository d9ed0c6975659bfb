"""Rewrite operations with directives that leave parts out, and with named fragments."""

from random import Random
from typing import Any, Final

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NameNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

DIRECTIVE_PROBABILITY: Final = 0.15
NAMED_FRAGMENT_PROBABILITY: Final = 0.5


class _AddDirectives(Visitor):
    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random
        self._depth = 0

    def enter_field(self, *_: Any) -> None:
        self._depth += 1

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        self._depth -= 1
        if self._depth == 0 or self._random.random() >= DIRECTIVE_PROBABILITY:
            return None
        condition = ArgumentNode(
            name=NameNode(value="if"), value=BooleanValueNode(value=self._random.choice((True, False)))
        )
        name = NameNode(value=self._random.choice(("skip", "include")))
        return FieldNode(
            alias=node.alias,
            name=node.name,
            arguments=node.arguments,
            directives=(DirectiveNode(name=name, arguments=(condition,)),),
            selection_set=node.selection_set,
        )


class _NameFragments(Visitor):
    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random
        self.fragments: list[FragmentDefinitionNode] = []

    def leave_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> FragmentSpreadNode | None:
        if node.type_condition is None or self._random.random() >= NAMED_FRAGMENT_PROBABILITY:
            return None
        name = NameNode(value=f"Part{len(self.fragments)}")
        self.fragments.append(
            FragmentDefinitionNode(
                name=name, type_condition=node.type_condition, directives=(), selection_set=node.selection_set
            )
        )
        return FragmentSpreadNode(name=name, directives=())


def with_directives(query: str) -> str:
    """Put @skip and @include on some fields below the root of an operation, always the same for the same text."""
    return print_ast(visit(parse(query), _AddDirectives(Random(query))))


def with_named_fragments(document: DocumentNode, seed: str) -> DocumentNode:
    """Give some inline fragments of an operation names."""
    naming = _NameFragments(Random(seed))
    named: DocumentNode = visit(document, naming)
    return DocumentNode(definitions=(*named.definitions, *naming.fragments))
