"""Read the fields of a push, whatever people typed into those that nobody reads (docs/specification.md §9.2).

WeChat copies what people type as it comes: characters that XML forbids and `]]>` stand inside CDATA, raw line breaks
and halves of emoji in JSON. So a body that no parser takes is read from its front up to the fault: WeChat writes who,
when and what before anything that a stranger typed. For the same reason the first of several fields of a name counts,
and fields inside other fields never do.
"""

import json
import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException, ElementTree

from service.wechat.readable_text import readable_text

MAX_PARSED_TAGS: Final = 4_096
"""Where there are more tags, only the front is read: a push has some dozens, and a parser takes long for thousands."""
MAX_FIELDS_OF_FRONT: Final = 100
MAX_ENTRIES: Final = 100

XML_START: Final = re.compile(r"(?:<\?xml\s[^<>]*\?>)?\s*<xml>")
XML_FIELD: Final = re.compile(
    r"\s*<(\w+)>(?:\s*<!\[CDATA\[(?P<marked>.*?)\]\]>\s*|(?P<plain>[^<]*))</\1>", re.ASCII | re.DOTALL
)
JSON_FIELD: Final = re.compile(
    r'\s*"([^"\\]*)"\s*:\s*(?:"(?P<text>(?:[^"\\]|\\.)*+)"|(?P<number>[-+.\dEe]+))\s*(?:,|(?=\}))', re.ASCII | re.DOTALL
)
ENCRYPTED: Final = re.compile(
    r"<Encrypt>(?:\s*<!\[CDATA\[)?([\w+/=\s]+)(?:\]\]>\s*)?</Encrypt>"
    r'|"Encrypt"\s*:\s*"([\w+/=\\]+)"',
    re.ASCII,
)


class UnreadableError(Exception):
    """The body is no push: not XML with the root `xml`, not an object in JSON, hostile, or cut off."""

    def __init__(self, reason: str, *, is_json: bool) -> None:
        super().__init__(reason)
        self.is_json = is_json


def read_fields(body: bytes) -> dict[str, str]:
    """Return the fields of an XML or JSON body that hold text or a number, without blanks around names and values.

    Raises UnreadableError.
    """
    text = _decode(body)
    first: dict[str, str] = {}
    for name, value in _read_json(text) if text.startswith("{") else _read_xml(text):
        first.setdefault(name.strip(), value.strip())
    return first


def read_entries(body: bytes, name: str) -> list[dict[str, str]]:
    """Return the fields of each entry of a list that stands in a body, or in one of its fields; none if there is none.

    XML repeats the element of this `name`; JSON has an array, or one object alone. Nobody can type anything into such a
    body, so one that no parser takes has no entries.
    """
    text = _decode(body)
    if text.count("<") > MAX_PARSED_TAGS:
        return []
    try:
        found = _json_entries(text, name) if text.startswith("{") else _xml_entries(text, name)
    except (DefusedXmlException, ParseError, ValueError, RecursionError):
        return []
    return [
        {str(key).strip(): str(value).strip() for key, value in entry if isinstance(value, str | float)}
        for entry in found[:MAX_ENTRIES]
    ]


def encrypted_texts(body: bytes) -> Iterator[str]:
    """Yield what may be the field `Encrypt` of a body. Only a signature tells which is. Raises UnreadableError.

    In compatible mode people's own text stands beside it, which may hide it from a reader of fields, or imitate it.
    """
    if found := read_fields(body).get("Encrypt"):
        yield found
    for match in ENCRYPTED.finditer(_decode(body)):
        if found := (match[1] or match[2].replace("\\/", "/")).strip():
            yield found


def _decode(body: bytes) -> str:
    try:
        return readable_text(body)
    except LookupError:
        raise UnreadableError("the encoding is not taken", is_json=False) from None


def _read_xml(text: str) -> list[tuple[str, str]]:
    if text.count("<") > MAX_PARSED_TAGS:
        return _read_front_of_xml(text)
    try:
        root: Element = ElementTree.fromstring(text, forbid_dtd=True)
    except DefusedXmlException as error:
        raise UnreadableError(type(error).__name__, is_json=False) from None
    except ParseError as error:
        if fields := _read_front_of_xml(text):
            return fields
        raise UnreadableError(str(error), is_json=False) from None
    if root.tag != "xml" or (root.text or "").strip():
        raise UnreadableError("it does not begin with <xml> and a field", is_json=False)
    return [(child.tag, child.text or "") for child in root if not len(child)]


def _read_front_of_xml(text: str) -> list[tuple[str, str]]:
    start = XML_START.match(text)
    if start is None or not text.endswith("</xml>"):
        raise UnreadableError("it is not a whole <xml> without a document type", is_json=False)
    return _fields_from(XML_FIELD, text, start.end())


def _read_json(text: str) -> list[tuple[str, str]]:
    try:
        found = json.loads(text, strict=False, parse_int=str, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        fields = _fields_from(JSON_FIELD, text, len("{")) if text.endswith("}") else []
        if not fields:
            raise UnreadableError(str(error), is_json=True) from None
        return fields
    return [(name, str(value)) for name, value in found if isinstance(value, str | float)]


def _xml_entries(text: str, name: str) -> list[list[tuple[str, str]]]:
    root: Element = ElementTree.fromstring(text, forbid_dtd=True)
    return [[(child.tag, child.text or "") for child in entry] for entry in root.iter(name)]


def _json_entries(text: str, name: str) -> list[list[tuple[str, object]]]:
    found = json.loads(text, strict=False, parse_int=str)
    inside = [each[name] for each in (found, *found.values()) if isinstance(each, dict) and name in each]
    listed = [entry for each in inside for entry in (each if isinstance(each, list) else [each])]
    return [list(entry.items()) for entry in listed if isinstance(entry, dict)]


def _fields_from(pattern: re.Pattern[str], text: str, start: int) -> list[tuple[str, str]]:
    """Return the fields that follow each other without a gap, `(name, value)`."""
    fields: list[tuple[str, str]] = []
    while len(fields) < MAX_FIELDS_OF_FRONT and (field := pattern.match(text, start)):
        fields.append((field[1], field[3] if field[2] is None else field[2]))
        start = field.end()
    return fields
