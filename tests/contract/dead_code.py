"""`python -m tests.contract.dead_code` lists what nothing uses, by `[tool.vulture]` in pyproject.toml.

What schema.graphql names is used by clients. The second reading leaves the tests out and lists what only they use.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, build_schema
from strawberry.utils.str_converters import to_snake_case
from vulture import Vulture

ROOT: Final = Path(__file__).parents[2]


def main() -> int:
    """Print each unused name with its place; answer 1 if there is one."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["vulture"]
    paths = [str(ROOT / path) for path in options["paths"]]
    without_tests = [path for path in paths if not path.endswith("tests")]
    allowed = [*options["ignore_names"], *_public_names()]
    unused = _unused(paths, allowed, options) + _unused(without_tests, allowed, options)
    for line in dict.fromkeys(unused):
        print(line)
    return 1 if unused else 0


def _unused(paths: list[str], allowed: list[str], options: dict[str, Any]) -> list[str]:
    vulture = Vulture(ignore_names=allowed, ignore_decorators=options["ignore_decorators"])
    vulture.scavenge(paths, [str(ROOT / path) for path in options["exclude"]])
    return [item.get_report() for item in vulture.get_unused_code(min_confidence=options["min_confidence"])]


def _public_names() -> set[str]:
    """Return every name in schema.graphql as Python spells it."""
    names: set[str] = set()
    for kind in build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8")).type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInputObjectType):
            names |= {kind.name, *map(to_snake_case, kind.fields)}
        elif isinstance(kind, GraphQLEnumType):
            names |= set(kind.values)
    return names


if __name__ == "__main__":
    sys.exit(main())
