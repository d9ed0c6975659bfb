"""The plain part of YAML that compose.yaml keeps to: nested mappings, lists of scalars, anchors and merges.

Anything else is refused, so that what is read here is what any YAML reader reads.
"""

import json
import re
from typing import Any, Final, TypeAlias

Line: TypeAlias = tuple[int, str]

ENTRY: Final = re.compile(r"([\w-]+|<<):(?: (.+))?")
ANCHOR: Final = re.compile(r"&(\w+)")
PLAIN: Final = re.compile(r"(?!.*(?:: |#))[\w./$][^\"'\[\]]*")


def read(text: str) -> dict[str, Any]:
    """Read a document; raises ValueError with the first line that is not plain enough."""
    lines = [
        (len(line) - len(line.lstrip()), line.strip())
        for line in text.splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    return _mapping(lines, {})


def _mapping(lines: list[Line], anchors: dict[str, Any]) -> dict[str, Any]:
    indent = lines[0][0]
    found: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    while lines and lines[0][0] == indent:
        _, line = lines.pop(0)
        entry = ENTRY.fullmatch(line)
        if entry is None or entry[1] in found:
            raise ValueError(line)
        name, rest = entry[1], entry[2]
        anchor = ANCHOR.fullmatch(rest or "")
        if name == "<<" and rest and rest.startswith("*"):
            merged = anchors[rest[1:]]
        elif rest is None or anchor:
            found[name] = _nested(lines, indent, anchors)
            if anchor:
                anchors[anchor[1]] = found[name]
        else:
            found[name] = _value(rest)
    if lines and lines[0][0] > indent:
        raise ValueError(lines[0][1])
    return merged | found


def _nested(lines: list[Line], indent: int, anchors: dict[str, Any]) -> Any:
    if not lines or lines[0][0] <= indent:
        return None
    if not lines[0][1].startswith("- "):
        return _mapping(lines, anchors)
    deeper = lines[0][0]
    items = []
    while lines and lines[0][0] == deeper:
        items.append(_value(lines.pop(0)[1].removeprefix("- ")))
    return items


def _value(text: str) -> Any:
    """JSON is YAML; whatever else is left is a text without anything that could mean more."""
    try:
        return json.loads(text)
    except ValueError:
        if PLAIN.fullmatch(text) is None:
            raise ValueError(text) from None
        return text
