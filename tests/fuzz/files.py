"""Make lists of openids as CSV in the forms in which people have them, and know what is in them."""

import codecs
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.fuzz.damage import TEXTS

ENCODINGS: Final = ("utf-8", "utf-8-sig", "utf-16", "gb18030")
LINE_ENDS: Final = ("\n", "\r\n", "\r")
SEPARATORS: Final = (",", ";", "\t")
HEADINGS: Final = ("openid", "OpenID", "open_id", "Open ID")


@dataclass(frozen=True, slots=True)
class CsvFile:
    """Hold the bytes of a file, the parameters it needs, and the openids that are in it."""

    content: bytes
    parameters: dict[str, str]
    openids: frozenset[str]


def csv_file(random: Random) -> CsvFile:
    """Return a file of some openids, with or without a heading, other columns, `sep=` and blank lines."""
    encoding, end, separator = random.choice(ENCODINGS), random.choice(LINE_ENDS), random.choice(SEPARATORS)
    openids = [f"-{number}" if number % 7 == 0 else f"person-{number}" for number in random.sample(range(60), 20)]
    lines = [f"sep={separator}"] if random.random() < 0.2 else []
    columns = random.choice((1, 1, 2, 3))
    if columns > 1 or random.random() < 0.5:
        lines += ["", separator.join([*("name", "city")[: columns - 1], random.choice(HEADINGS)])]
    for openid in openids:
        quoted = f'"{openid}"' if random.random() < 0.2 else openid
        lines.append(separator.join([*("Ann", "北京")[: columns - 1], quoted]))
        if random.random() < 0.1:
            lines.append("")
    text = end.join(lines) + random.choice(("", end))
    mark = codecs.BOM_UTF16_LE if encoding == "utf-16" else b""
    content = mark + text.encode("utf-16-le") if mark else text.encode(encoding)
    return CsvFile(content, {"encoding": "gb18030"} if encoding == "gb18030" else {}, frozenset(openids))


def odd_file(random: Random) -> bytes:
    """Return a file that is no list of openids, or one with odd cells."""
    cells = [
        random.choice((*TEXTS, "=1+1", "＝1", "'", '"', '"open', "openid", "a,b", "x" * 70_000)) for _ in range(20)
    ]
    return random.choice((b"", b"\xef\xbb\xbf", b"PK\x03\x04", b"\x1f\x8b\x08", b"--frontier\r\n")) + "\n".join(
        cells
    ).encode("utf-8", "surrogatepass")
