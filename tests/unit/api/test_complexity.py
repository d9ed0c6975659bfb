"""Count the size of a document before it is validated."""

import pytest
from graphql import parse

from service.api.guards.complexity import OperationTooLargeError, check_size
from service.foundation.settings import QueryLimits

SMALL = QueryLimits(depth=3, fields=6, aliases=2, directives=2, tokens=100, cost=100)
WIDE = "{ " + "viewer { id } " * 3 + "}"
BOMB = "".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}\n" for n in range(30)) + (
    "fragment f30 on Query { viewer { id } }\n{ ...f0 }"
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{ channels { tags { nodes { id } } } }", "levels"),
        ("{ ...a } fragment a on Query { channels { tags { nodes { id } } } }", "levels"),
        (WIDE + "", ""),
        ("{ " + "viewer { id } " * 4 + "}", "fields"),
        ("{ ...a ...a ...a } fragment a on Query { viewer { id } }", "fields"),
        ("{ a: viewer { id } b: viewer { b: id } }", "aliases"),
        ("query @a @b @c { viewer { id } }", "directives"),
        ("{ viewer @include(if: true) @include(if: true) @include(if: true) { id } }", "directives"),
        ("{ ... @a @b { viewer @c { id } } }", "directives"),
        ("query ($a: Int @a @b @c) { viewer { id } }", "directives"),
        ("{ ...a } fragment a on Query @a @b @c { viewer { id } }", "directives"),
        (BOMB, "fields"),
        ("{ viewer { id } } fragment unused on Query { viewer { id } viewer { id } viewer { id } }", "fields"),
        ("{ viewer { id } } fragment unused on Query { ...unused viewer { id } }", ""),
        (
            "{ viewer { id } } fragment b on Query { ...a } fragment a on Query { channels { tags { nodes { id } } } }",
            "levels",
        ),
        ("{ ...a } fragment a on Query { ...a viewer { id } }", ""),
        ("{ ...missing }", ""),
    ],
)
def test_sizes_are_counted_with_fragments_expanded(text: str, what: str) -> None:
    if what:
        with pytest.raises(OperationTooLargeError, match=f"too many {what}"):
            check_size(parse(text), SMALL)
    else:
        check_size(parse(text), SMALL)
