"""Decode the bytes of a CSV file as they arrive, and refuse what is none (docs/specification.md §4.2)."""

import codecs
import io
import re
from enum import StrEnum
from typing import Final

from service.entities.errors import BadInputError, FieldError

# Bytes that are looked at before anything of a file is read.
SAMPLE_SIZE: Final = 4_096
UTF16_BOMS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
FOREIGN_FORMATS: Final = (
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"PK\x03\x04", "an .xlsx workbook or a zip archive: save the sheet as CSV, or unpack it"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an .xls workbook: save the sheet as CSV"),
    (b"%PDF", "a PDF"),
)
# Browsers and `curl -F` send a file like this; a line of a list may begin with two hyphens as well.
MULTIPART: Final = re.compile(rb"\s*--[^\r\n]{1,72}\r?\ncontent-[a-z-]+:", re.IGNORECASE)
NO_TEXT: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
MIN_NO_TEXT: Final = 4
MAX_NO_TEXT_SHARE: Final = 0.05


class CsvEncoding(StrEnum):
    """Name an encoding that a file may be said to have; a byte order mark of UTF-8 or UTF-16 decides before it."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"


# By the names that Python knows them by. A file in UTF-16 shows by its byte order mark that it is.
ENCODINGS: Final = {
    "utf-8": CsvEncoding.UTF_8,
    "utf-16": CsvEncoding.UTF_8,
    "gb18030": CsvEncoding.GB18030,
    "gbk": CsvEncoding.GB18030,
    "gb2312": CsvEncoding.GB18030,
}


class NoCsvError(BadInputError):
    """Report that a file is no CSV, and what it seems to be; nothing of it was written."""

    def __init__(self, what: str) -> None:
        super().__init__(FieldError(("body",), "NO_CSV", f"This is no CSV but {what}."))


class CsvDecoder:
    """Turn the pieces of a file into text whose lines end with line feeds; bytes that are no text become U+FFFD."""

    def __init__(self, encoding: CsvEncoding) -> None:
        self._encoding = encoding
        self._sample = b""
        self._decoder: io.IncrementalNewlineDecoder | None = None

    def decode(self, chunk: bytes, *, final: bool) -> str:
        """Return the text that this piece completes. Raises NoCsvError on what the first pieces show."""
        if self._decoder is None:
            self._sample += chunk
            if len(self._sample) < SAMPLE_SIZE and not final:
                return ""
            chunk, self._sample = self._sample, b""
            self._decoder = _decoder_for(chunk[:SAMPLE_SIZE], self._encoding)
        return self._decoder.decode(chunk, final)


def _decoder_for(sample: bytes, encoding: CsvEncoding) -> io.IncrementalNewlineDecoder:
    """Return a decoder for a file that begins like this. Raises NoCsvError."""
    for signature, what in FOREIGN_FORMATS:
        if sample.startswith(signature):
            raise NoCsvError(what)
    if MULTIPART.match(sample):
        raise NoCsvError("a multipart form: send the file itself as the body")
    name = encoding.value
    if sample.startswith(UTF16_BOMS):
        name = "utf-16"
    elif encoding is CsvEncoding.UTF_8 or sample.startswith(codecs.BOM_UTF8):
        name = "utf-8-sig"
    text = codecs.getincrementaldecoder(name)("replace").decode(sample)
    if len(NO_TEXT.findall(text)) >= max(MIN_NO_TEXT, len(text) * MAX_NO_TEXT_SHARE):
        raise NoCsvError("binary data, or UTF-16 without a byte order mark")
    return io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(name)("replace"), translate=True)


def encoding_named(name: str) -> CsvEncoding | None:
    """Return the encoding with this name, in any spelling; None for one that is not read."""
    try:
        return ENCODINGS.get(codecs.lookup(name).name)
    except (LookupError, ValueError):
        return None
