"""Read the CSV of spreadsheets and databases, in pieces of any size."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.return_data.csv_reader import (
    LineTooLongError,
    OpenidReader,
    OpenidRow,
    RejectedRow,
    RejectedRowWriter,
)

FILE = '\ufeffname,OpenID,spent\r\nAda,oAda,10\r\n\r\n"Bob, the first",oBob,\r\nKim,\r\n'.encode()
READ = [OpenidRow(2, "oAda"), OpenidRow(4, "oBob"), OpenidRow(5, "")]


def read(*chunks: bytes) -> list[OpenidRow]:
    reader = OpenidReader()
    return [row for chunk in chunks for row in reader.feed(chunk)] + reader.feed(b"", final=True)


@given(st.integers(1, len(FILE)))
def test_it_does_not_matter_how_a_file_is_cut(size: int) -> None:
    assert read(*(FILE[place : place + size] for place in range(0, len(FILE), size))) == READ


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n\n", []),
        ("oAda", ["oAda"]),
        ("oAda\noBob\n", ["oAda", "oBob"]),
        ("openid\noAda", ["oAda"]),
        ("oAda;x\noBob;y", ["oAda", "oBob"]),
        ("n\topenid\n1\toAda", ["oAda"]),
        ('"oAda"\n', ["oAda"]),
        (" oAda \r\n", ["oAda"]),
        ("oAda\noBob,more,cells", ["oAda", "oBob"]),
        ('openid\n"', [""]),
    ],
)
def test_headers_separators_and_quotes(text: str, expected: list[str]) -> None:
    assert [row.openid for row in read(text.encode())] == expected


def test_bytes_that_are_no_text_become_an_entry_that_is_refused_later() -> None:
    assert read(b"oAda\n\xff\xfe\n") == [OpenidRow(1, "oAda"), OpenidRow(2, "\ufffd\ufffd")]


def test_a_file_without_line_ends_is_refused_before_it_fills_the_memory() -> None:
    reader = OpenidReader()
    for _ in range(65):
        assert reader.feed(b"x" * 1_000) == []
    with pytest.raises(LineTooLongError):
        reader.feed(b"x" * 1_000)


def test_rejects_can_be_read_again_and_are_no_formulas() -> None:
    file = io.StringIO()
    writer = RejectedRowWriter(file)
    writer.write(RejectedRow(3, 'o,"Ada', "Malformed."))
    writer.write(RejectedRow(7, "=HYPERLINK()", "Malformed."))
    writer.write(RejectedRow(9, "x" * 1_000, "Malformed."))

    assert file.getvalue().startswith("openid,line,reason\n")
    again = [row.openid for row in read(file.getvalue().encode())]
    assert again == ['o,"Ada', "'=HYPERLINK()", "x" * 200]
