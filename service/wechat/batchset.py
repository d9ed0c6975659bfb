"""Read the platform's return-data call: `{"encrypt": …}` with XML inside, and name its error codes.

Source: developers.weixin.qq.com `/doc/aispeech/platform/batchsetlabel.html` and
`/doc/aispeech/confapi/openinterface/errorcode.md`. Which code stands for what, where they are silent:
docs/specification.md §9.1.
"""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from xml.etree.ElementTree import Element, ParseError

import orjson
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from service.wechat.crypto import Envelope, EnvelopeError
from service.wechat.readable_text import readable_text

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
"""Bytes: 10,000 openids of 128 characters, each in CDATA, encrypted. The platform names no limit."""
MAX_JSON_MARKS: Final = 1_000
"""Base64 holds no comma and no bracket, so the documented body has two."""
MAX_XML_MARKS: Final = {"<": 40_000, "=": 2_000, "&": 20_000, "\n": 100_000, "\r": 100_000}
"""Limit how often the XML has what a parser stops at: 10,000 openids in CDATA have 30,000 tags and no attributes."""
LONG_TAG: Final = re.compile(r"<[^<>]{4096}")
"""No tag or text in CDATA that is so long says anything that would be taken."""
CHARACTERS_AT_ONCE: Final = 16 * 1024
"""Characters that are parsed without letting other threads run: some milliseconds."""
SCALAR_FIELDS: Final = ("appid", "category", "label", "desc")


class BatchsetCode(IntEnum):
    """Name the platform's error codes."""

    OK = 0
    OTHER = -1
    TOKEN_INVALID = 1001
    NOT_APPROVED = 1002
    FIELD_EMPTY = 1007
    APP_ID_ILLEGAL = 1011
    PARAMETERS_MISMATCH = 1013
    BADLY_ENCRYPTED = 1019


class BatchsetRejectedError(Exception):
    """The call is refused with a code of the platform; `message` is for the caller and tells nothing of the key."""

    def __init__(self, code: BatchsetCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class BatchsetCall:
    """Hold what a call asks: a tag (`category`, `label`) for these openids of the channel with `app_id`."""

    app_id: str
    category: str
    label: str
    description: str
    openids: Sequence[str]


def read_envelope(content_type: str, body: bytes) -> str:
    """Return the encrypted text in a JSON body. Raises BatchsetRejectedError (PARAMETERS_MISMATCH)."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise BatchsetRejectedError(BatchsetCode.PARAMETERS_MISMATCH, "Content-Type must be application/json")
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_JSON_MARKS:
        raise BatchsetRejectedError(BatchsetCode.PARAMETERS_MISMATCH, "the body holds more than the field encrypt")
    try:
        fields = orjson.loads(body.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError:
        raise BatchsetRejectedError(BatchsetCode.PARAMETERS_MISMATCH, "the body is not JSON") from None
    encrypted = fields.get("encrypt") if isinstance(fields, dict) else None
    if not isinstance(encrypted, str):
        raise BatchsetRejectedError(BatchsetCode.PARAMETERS_MISMATCH, "the field encrypt is missing")
    return encrypted


def decrypt_call(encrypted: str, *, encoding_aes_key: str, app_id: str) -> bytes:
    """Return the XML in an envelope of the robot's. Raises BatchsetRejectedError (BADLY_ENCRYPTED).

    The answer is the same whatever is wrong, so that it is no decryption oracle.
    """
    try:
        return Envelope(encoding_aes_key, app_id).decrypt(encrypted)
    except EnvelopeError:
        raise BatchsetRejectedError(BatchsetCode.BADLY_ENCRYPTED, "data encrypted incorrectly") from None


def parse_call(xml: bytes) -> BatchsetCall:
    """Return what the XML asks. Raises BatchsetRejectedError for anything but the documented form.

    Characters that XML forbids count as question marks: what is made of them is rejected for itself.
    """
    try:
        root = _parse_xml(readable_text(xml))
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise BatchsetRejectedError(BatchsetCode.OTHER, "the XML cannot be parsed") from None
    if root.tag != "xml":
        raise BatchsetRejectedError(BatchsetCode.OTHER, "the root of the XML must be xml")
    scalars = {name: (root.findtext(name) or "").strip() for name in SCALAR_FIELDS}
    empty = [name for name, text in scalars.items() if not text]
    if empty:
        raise BatchsetRejectedError(BatchsetCode.FIELD_EMPTY, f"{', '.join(empty)} must not be empty")
    openids = [(each.text or "").strip() for of_list in root.findall("list") for each in of_list.findall("openid")]
    return BatchsetCall(scalars["appid"], scalars["category"], scalars["label"], scalars["desc"], openids)


def _parse_xml(text: str) -> Element:
    """Return the root of hostile XML, in small steps, so that other threads run meanwhile."""
    if any(text.count(mark) > limit for mark, limit in MAX_XML_MARKS.items()) or LONG_TAG.search(text):
        raise BatchsetRejectedError(BatchsetCode.OTHER, "the XML is too large: it has at most 10,000 openids")
    parser = DefusedXMLParser(forbid_dtd=True)
    for start in range(0, len(text), CHARACTERS_AT_ONCE):
        parser.feed(text[start : start + CHARACTERS_AT_ONCE])
    root: Element = parser.close()
    return root
