"""Read the lists of trusted documents, and refuse a wrong one by its name."""

import hashlib
import json
from pathlib import Path
from typing import Final

import pytest

from service.api.schema import make_schema
from service.api.transport.trusted_documents import TrustedDocuments, read_trusted_documents
from service.foundation.settings import QueryLimits, Settings, SettingsError

VIEWER: Final = "query Viewer { viewer { robotId } }"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "text of each id"),
        ("{}", "text of each id"),
        ('{"a": 7}', "text of each id"),
        ('{"": "{ __typename }"}', "text of each id"),
        ('{"format": "apollo-persisted-query-manifest", "operations": [{"id": "a"}]}', "text of each id"),
        ('{"a": "query Old { nowhere }"}', r"the document 'a' \(query Old\) is wrong: .*nowhere"),
        ('{"a": "query {"}', "the document 'a'.*Syntax Error"),
        ('{"a": ""}', "the document 'a'"),
        ('{"b": "{ x: __typename y: __typename }"}', "the document 'b'.*aliases"),
        (json.dumps({"c": "{ __typename } #" + "x" * 65_536}), "the document 'c'.*65,536 characters"),
        ('{"sha256:00": "{ __typename }"}', "is not the SHA-256 of its text"),
        (json.dumps({sha256("{ __typename }"): VIEWER, "a": "{ __typename }"}), "belongs to two texts"),
        ('{"shared": "{ __typename }"}', "belongs to another text"),
    ],
)
def test_an_invalid_file_is_refused_by_name(tmp_path: Path, content: str, message: str) -> None:
    first, wrong = tmp_path / "first.json", tmp_path / "wrong.json"
    first.write_text(json.dumps({"shared": VIEWER}), encoding="utf-8")
    wrong.write_text(content, encoding="utf-8")
    schema = make_schema(Settings(query_limits=QueryLimits(aliases=1)))
    paths = (str(first), str(wrong))
    with pytest.raises(SettingsError, match=message) as refused:
        read_trusted_documents("allowed", paths, schema.documents)
    assert str(wrong) in str(refused.value) or "two texts" in message
    assert len(read_trusted_documents("off", paths, schema.documents)) == 0


def test_a_missing_file_is_refused_by_name() -> None:
    schema = make_schema()
    with pytest.raises(SettingsError, match=r"nowhere\.json cannot be read"):
        read_trusted_documents("only", ["nowhere.json"], schema.documents)


def test_a_document_in_two_files_counts_once() -> None:
    trusted = TrustedDocuments("only", {"a": VIEWER, "b": VIEWER})
    assert len(trusted) == 1
    assert trusted.text_for(None, "a", None) == trusted.text_for(None, "b", None) == VIEWER


def test_a_mode_without_any_document_is_refused(tmp_path: Path) -> None:
    schema = make_schema()
    for mode in ("allowed", "only"):
        with pytest.raises(SettingsError, match="needs USER_TAGS_TRUSTED_DOCUMENTS"):
            read_trusted_documents(mode, (), schema.documents)
    console = tmp_path / "persisted-documents.json"
    console.write_text(json.dumps({sha256(VIEWER): VIEWER}), encoding="utf-8")
    assert len(read_trusted_documents("only", (), schema.documents, console)) == 1


def test_the_documents_of_an_old_console_are_refused_with_what_to_do(tmp_path: Path) -> None:
    console = tmp_path / "persisted-documents.json"
    console.write_text('{"a": "query Old { nowhere }"}', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"\(query Old\) is wrong: .* build it again"):
        read_trusted_documents("off", (), make_schema().documents, console)
