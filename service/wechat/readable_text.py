"""Decode bodies in which strangers may have put anything, so that a reader of XML or JSON does not stumble over it."""

import codecs
import re
from typing import Final

XML_DECLARATION: Final = re.compile(rb"<\?xml\s[^<>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,20})[\"']")
MAX_DECLARATION_BYTES: Final = 200
BYTES_AT_ONCE: Final = 256 * 1024
"""Bytes that are decoded without letting other threads run: some milliseconds, where all of them are wrong."""
# Where each byte below 0x80 is the character that it seems to be, or at least none that delimits fields.
READ_AS: Final = {
    b"utf-8": "utf-8",
    b"utf8": "utf-8",
    b"us-ascii": "utf-8",
    b"gb2312": "gb18030",
    b"gbk": "gb18030",
    b"gb18030": "gb18030",
}
BLANKS: Final = b" \t\r\n\0"
FORBIDDEN: Final = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
TO_QUESTION_MARKS: Final = bytes.maketrans(FORBIDDEN, b"?" * len(FORBIDDEN))


def readable_text(body: bytes) -> str:
    """Return the text of a body without a byte order mark, blanks around it and characters that XML forbids.

    What cannot be decoded, or is forbidden, becomes one or more replacement characters or question marks; nothing else
    changes, so that the characters which delimit fields stay what they are. Raises LookupError for a declared encoding
    in which they might not be.
    """
    body = body.strip(BLANKS).removeprefix(codecs.BOM_UTF8).strip(BLANKS)
    declared = XML_DECLARATION.match(body[:MAX_DECLARATION_BYTES])
    encoding = READ_AS[declared[1].lower()] if declared else "utf-8"
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    pieces = [
        decoder.decode(body[start : start + BYTES_AT_ONCE].translate(TO_QUESTION_MARKS))
        for start in range(0, len(body), BYTES_AT_ONCE)
    ]
    return "".join([*pieces, decoder.decode(b"", final=True)]).replace("\ufffe", "?").replace("\uffff", "?")
