"""Read the CSV of spreadsheets and databases, in pieces of any size (docs/specification.md §4.2)."""

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.audiences.csv_writer import csv_rows
from service.domain.audiences.exports import COLUMNS
from service.domain.return_data.csv_reader import (
    BEFORE_HEADING_REASON,
    REPEATED_HEADING_REASON,
    SEVERAL_COLUMNS_REASON,
    TOO_LONG_REASON,
    NoOpenidColumnError,
    OpenidReader,
    OpenidRow,
    RejectedRow,
    RejectedRowWriter,
)
from service.domain.return_data.csv_records import MAX_RECORD_LENGTH
from service.domain.return_data.csv_text import CsvEncoding, NoCsvError

FILE = (
    '\ufeff\r\nname,OpenID,spent\r\nAda,oAda,10\r\n\r\n"Bob,\r\nthe ""first""",oBob,\r\nKim,\r\n"Zoe,oZoe,1\r\n'
    '"Joe""s"x,oJoe,"\r\n"Eve","oEve","3"\r\n'
).encode()
READ = [OpenidRow(*each) for each in ((3, "oAda"), (5, "oBob"), (7, ""), (8, "oZoe"), (9, "oJoe"), (10, "oEve"))]

openids = st.text("abcXYZ019_-", min_size=1, max_size=12)
texts = st.text(st.sampled_from("=+-@＝＋－＠'\"\t\r\n,; aö张\u200d"), max_size=6)


def read(*chunks: bytes, encoding: CsvEncoding = CsvEncoding.UTF_8, column: str | None = None) -> list[OpenidRow]:
    reader = OpenidReader(encoding, column)
    return [row for chunk in chunks for row in fed(reader, chunk)] + fed(reader, b"", final=True)


def fed(reader: OpenidReader, chunk: bytes, *, final: bool = False) -> list[OpenidRow]:
    return [row for rows in reader.feed(chunk, final=final) for row in rows]


def openids_in(content: bytes | str, **given: str) -> list[str]:
    return [row.openid for row in read(content.encode() if isinstance(content, str) else content, **given)]  # type: ignore[arg-type]


@given(st.integers(1, len(FILE)))
def test_it_does_not_matter_how_a_file_is_cut(size: int) -> None:
    assert read(*(FILE[place : place + size] for place in range(0, len(FILE), size))) == READ


@given(st.text(st.sampled_from('a",;\t\n\r =openid'), max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_any_text_is_read_alike_however_it_is_cut(text: str, cuts: list[int]) -> None:
    content = text.encode()
    places = [0, *sorted(min(each, len(content)) for each in cuts), len(content)]

    def outcome(*chunks: bytes) -> object:
        try:
            return read(*chunks)
        except (NoCsvError, NoOpenidColumnError) as error:
            return error.message

    assert outcome(*(content[first:last] for first, last in pairwise(places))) == outcome(content)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n\n", []),
        ("oAda", ["oAda"]),
        ("oAda\noBob\n", ["oAda", "oBob"]),
        ("oAda\roBob\roKim", ["oAda", "oBob", "oKim"]),
        ("oAda\roBob\noKim\r\n\r\r\n", ["oAda", "oBob", "oKim"]),
        ("openid\noAda", ["oAda"]),
        ("\n \n\topenid\noAda", ["oAda"]),
        ("name,open_id\nAnn,oAnn", ["oAnn"]),
        ("Name;Open ID\nAnn;oAnn", ["oAnn"]),
        ("sep=;\nname;OPENID\nAnn,A;oAnn", ["oAnn"]),
        ('\ufeff"sep=,"\r\nopenid\r\noAda', ["oAda"]),
        ("sep=\t\noAda\n", ["oAda"]),
        ("a;b;c,openid\n1;2;3,oAda", ["oAda"]),
        ("n\topenid\n1\toAda", ["oAda"]),
        ('"oAda"\n', ["oAda"]),
        (" oAda \r\n", ["oAda"]),
        ("oAda,,\n,,\n,oBob,", ["oAda", "oBob"]),
        ("openid,name\noAda,Ann\n,,\n\noBob,Bob", ["oAda", "oBob"]),
        ('openid\n"', ['"']),
        ('openid\n"oAda\noBob\n', ['"oAda', "oBob"]),
        ('openid,note\noAda,"two\nlines"\noBob,"', ["oAda", "oBob"]),
        ("openid\n'-oAda\n'=1+1\n''=2\n'oBob", ["-oAda", "=1+1", "'=2", "'oBob"]),
    ],
)
def test_headings_separators_line_ends_and_quotes(text: str, expected: list[str]) -> None:
    assert openids_in(text) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings(encoding: str) -> None:
    content = "昵称,openid\r\n张三,oAda\r\n".encode(encoding)
    given = CsvEncoding.GB18030 if encoding == "gb18030" else CsvEncoding.UTF_8
    assert read(content, encoding=given) == [OpenidRow(2, "oAda")]
    assert read(*(content[place : place + 1] for place in range(len(content))), encoding=given) == [
        OpenidRow(2, "oAda")
    ]


def test_utf_16_of_either_end_and_a_cut_last_character() -> None:
    assert openids_in(b"\xfe\xff" + "oAda\r\noBob".encode("utf-16-be")) == ["oAda", "oBob"]
    assert openids_in("oAda\noBob".encode("utf-16")[:-1]) == ["oAda", "oBo\ufffd"]


def test_bytes_that_are_no_text_become_an_entry_that_is_refused_later() -> None:
    assert read(b"oAda\n\xff\xfe\n\x00\noBob\n") == [
        OpenidRow(1, "oAda"),
        OpenidRow(2, "\ufffd\ufffd"),
        OpenidRow(3, "\x00"),
        OpenidRow(4, "oBob"),
    ]


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("name,mobile\nAnn,1\n", ["name", "mobile"]),
        ("oAda\noBob,more,cells\n", ["oBob", "more", "cells"]),
        ("Report\n\nname;mobile\n", ["name", "mobile"]),
        (",".join(f"c{n}" for n in range(99)), [f"c{n}" for n in range(50)]),
    ],
)
def test_several_columns_without_a_heading_are_refused(content: str, columns: list[str]) -> None:
    with pytest.raises(NoOpenidColumnError) as refused:
        openids_in(content)
    assert refused.value.columns == columns
    assert refused.value.fields[0].code == "NO_OPENID_COLUMN"


def test_a_column_may_be_named() -> None:
    assert openids_in("name,OpenID,UID\nAnn,wrong,oAnn\n", column=" uid") == ["oAnn"]
    assert openids_in("昵称;用户\n张三;oAda\n", column="用户") == ["oAda"]
    for text in ("name,openid\nAnn,oAnn\n", "oAda\n"):
        with pytest.raises(NoOpenidColumnError):
            openids_in(text, column="uid")
    assert openids_in("", column="uid") == []


def test_nobody_is_called_what_stands_before_the_heading_or_is_one() -> None:
    assert read(b"Report\n\nname,openid\nAnn,oAnn\nname,openid\nBob,oBob\n") == [
        OpenidRow(1, "Report", BEFORE_HEADING_REASON),
        OpenidRow(4, "oAnn"),
        OpenidRow(5, "openid", REPEATED_HEADING_REASON),
        OpenidRow(6, "oBob"),
    ]
    late = "".join(f"o{n}\n" for n in range(10)) + "Open ID\noAda;Ann\n"
    assert read(late.encode())[10:] == [
        OpenidRow(11, "Open ID", REPEATED_HEADING_REASON),
        OpenidRow(12, "oAda;Ann"),
    ]
    assert read(late.replace(";", ",").encode())[11:] == [OpenidRow(12, "oAda,Ann", SEVERAL_COLUMNS_REASON)]


@pytest.mark.parametrize("size", [1_000, 30_000, 500_000])
def test_an_endless_line_is_one_entry_that_is_refused(size: int) -> None:
    text = b"openid,name\noAda,Ann\n" + b"x" * 200_000 + b'"\n"oBob",B\n' + b"y" * MAX_RECORD_LENGTH + b"z"
    rows = read(*(text[place : place + size] for place in range(0, len(text), size)))

    assert [(row.line, row.openid[:5], row.problem) for row in rows] == [
        (2, "oAda", None),
        (3, "xxxxx", TOO_LONG_REASON),
        (4, "oBob", None),
        (5, "yyyyy", TOO_LONG_REASON),
    ]
    assert max(len(row.openid) for row in rows) == 200


def test_an_endless_first_line_is_no_csv() -> None:
    reader = OpenidReader()
    for _ in range(32):
        assert fed(reader, b"x" * 1_000) == []
    with pytest.raises(NoCsvError):
        fed(reader, b"x" * 1_000)


def test_a_quote_that_is_never_closed_spoils_its_line_and_keeps_no_more_than_a_record_in_memory() -> None:
    reader = OpenidReader()
    rows = fed(reader, b'openid,name\n"oAda,Ann\n')
    most = 0
    for number in range(0, 9_000, 100):
        rows += fed(reader, "".join(f"o{each},x\n" for each in range(number, number + 100)).encode())
        most = max(most, len(reader._records._text))
    rows += fed(reader, b"", final=True)

    assert [row.openid for row in rows] == ['"oAda', *(f"o{number}" for number in range(9_000))]
    assert most <= MAX_RECORD_LENGTH + 1_000


@pytest.mark.parametrize(
    "content",
    [
        b"\x1f\x8b\x08\x00oAda",
        b"PK\x03\x04\x14\x00",
        b"\xd0\xcf\x11\xe0\xa1\xb1",
        b"%PDF-1.7\n",
        b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nopenid\r\noAda\r\n--x--\r\n',
        b"\r\n------WebKitFormBoundaryA\ncontent-type: text/csv\n\noAda",
        "openid\noAda\n".encode("utf-16-le"),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        bytes(range(256)) * 40,
    ],
)
def test_what_is_no_csv_is_refused_before_a_row_is_read(content: bytes) -> None:
    for chunks in ([content], [content[place : place + 1] for place in range(len(content))]):
        with pytest.raises(NoCsvError):
            read(*chunks)


def test_a_list_may_begin_with_hyphens() -> None:
    assert openids_in("--abc\n-oAda\n") == ["--abc", "-oAda"]


@given(st.lists(openids, max_size=5))
def test_what_is_exported_reads_back_in(exported: list[str]) -> None:
    rows = [(openid, None, True, None, None, None, None, "=A/B; +C/D, x") for openid in exported]
    assert openids_in(csv_rows([COLUMNS, *rows])) == exported


@given(st.lists(texts, max_size=5))
def test_what_is_rejected_reads_back_in_and_is_no_formula(rejected: list[str]) -> None:
    file = io.StringIO(newline="")
    writer = RejectedRowWriter(file)
    for line, text in enumerate(rejected):
        writer.write(RejectedRow(line, text, "Malformed."))

    written = [row[0] for row in csv.reader(io.StringIO(file.getvalue(), newline=""))]
    assert not [cell for cell in written if cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))]
    again = openids_in(file.getvalue())
    # A cell is read without the blanks around it, and a line end in it as a line feed.
    assert again == [text.replace("\r\n", "\n").replace("\r", "\n").strip() for text in rejected]
