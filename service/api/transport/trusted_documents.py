"""Look up trusted documents: operations that a frontend's build has listed, which a client names by an id.

Sources: the appendix on persisted documents of GraphQL over HTTP (`documentId`, `sha256:` and 64 hexadecimal digits),
and what Apollo Client and urql send and expect (`extensions.persistedQuery`, the three messages). Files: JSON with the
text of each id, as graphql-codegen's client preset and Relay's compiler write it, or a manifest of Apollo's.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from service.api.engine.document_cache import DocumentCache
from service.api.errors import field_path_text
from service.entities.errors import (
    BadInputError,
    ErrorCode,
    FieldError,
    LimitExceededError,
    RejectionCode,
    RequestError,
)
from service.foundation.settings import SettingsError, TrustMode

SHA256: Final = "sha256:"
APOLLO_MANIFEST: Final = "apollo-persisted-query-manifest"


class TrustedDocuments:
    """Decide which text is run: `off` and `allowed` run any text, `only` refuses those that are not trusted.

    Ids are known in every mode; in `off` they are those of the console alone.
    """

    def __init__(self, mode: TrustMode, texts: Mapping[str, str]) -> None:
        """Take the texts by id; each is also known by its SHA-256. Raises SettingsError if an id has two texts."""
        self._mode = mode
        self._trusted = frozenset(texts.values())
        self._by_id: dict[str, str] = {}
        for document_id, text in texts.items():
            digest = sha256_of(text)
            for each in (document_id, digest, SHA256 + digest):
                if self._by_id.setdefault(each, text) != text:
                    raise SettingsError(f"The id {each!r} of a trusted document belongs to two texts.")

    def __len__(self) -> int:
        """Return how many different texts are trusted."""
        return len(self._trusted)

    def text_for(self, text: str | None, document_id: object, extensions: Mapping[str, Any] | None) -> str | None:
        """Return the text to run; None or "", as given, if the request has neither text nor id.

        A text is run rather than an id beside it. Raises RequestError with PERSISTED_QUERY_… for a document that is not
        trusted, BadInputError for a malformed id.
        """
        if text:
            if self._mode == "only" and text not in self._trusted:
                raise RequestError(ErrorCode.PERSISTED_QUERY_ONLY, "PersistedQueryOnly")
            return text
        found = _requested_id(document_id, extensions or {})
        if found is None:
            return text
        if found in self._by_id:
            return self._by_id[found]
        if self._mode == "off":
            raise RequestError(ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
        raise RequestError(ErrorCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")


def read_trusted_documents(
    mode: TrustMode, paths: Sequence[str], documents: DocumentCache, console: Path | None = None
) -> TrustedDocuments:
    """Return the documents of all files; if the mode is `off`, of the console's file alone, which is always trusted.

    Raises SettingsError, naming the file and the id, for a document that is not valid for the schema, and where another
    mode has no file.
    """
    if mode != "off" and not paths and console is None:
        raise SettingsError("USER_TAGS_TRUSTED_DOCUMENTS_MODE needs USER_TAGS_TRUSTED_DOCUMENTS, the files to trust.")
    texts: dict[str, str] = {}
    if console is not None:
        try:
            _add_texts(texts, str(console), documents)
        except SettingsError as error:
            raise SettingsError(f"{error} The console was built from another schema: build it again.") from error
    for path in paths if mode != "off" else ():
        _add_texts(texts, path, documents)
    return TrustedDocuments(mode, texts)


def sha256_of(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _requested_id(document_id: object, extensions: Mapping[str, Any]) -> str | None:
    """Return `documentId` beside the variables or in the extensions, or the hash in Apollo's `persistedQuery`."""
    persisted = extensions.get("persistedQuery")
    hashed = persisted.get("sha256Hash", "") if isinstance(persisted, dict) else persisted
    for path, found in (
        (("document_id",), document_id),
        (("extensions", "document_id"), extensions.get("documentId")),
        (("extensions", "persisted_query"), hashed),
    ):
        if isinstance(found, str) and found:
            return found
        if found is not None:
            message = f"{field_path_text(path)} holds no document identifier."
            raise BadInputError(FieldError(path, RejectionCode.BAD_VALUE, message))
    return None


def _add_texts(texts: dict[str, str], path: str, documents: DocumentCache) -> None:
    """Add the documents of a file to those that were read before."""
    for document_id, text in _read_texts(path):
        if document_id.startswith(SHA256) and document_id != SHA256 + sha256_of(text):
            raise SettingsError(f"{path}: the id {document_id!r} is not the SHA-256 of its text.")
        if texts.setdefault(document_id, text) != text:
            raise SettingsError(f"{path}: the id {document_id!r} belongs to another text already.")
        _check_document(path, document_id, text, documents)


def _read_texts(path: str) -> list[tuple[str, str]]:
    try:
        read = orjson.loads(Path(path).read_bytes())
    except OSError as error:
        raise SettingsError(f"USER_TAGS_TRUSTED_DOCUMENTS: {path} cannot be read: {error.strerror}.") from error
    except orjson.JSONDecodeError as error:
        raise SettingsError(f"USER_TAGS_TRUSTED_DOCUMENTS: {path} is not JSON: {error}.") from error
    match read:
        case {"format": str(form), "operations": [*operations]} if form == APOLLO_MANIFEST:
            pairs = [
                (each.get("id"), each.get("body")) if isinstance(each, dict) else (None, None) for each in operations
            ]
        case {**entries}:
            pairs = list(entries.items())
        case _:
            pairs = [(None, None)]
    good = [
        (document_id, text)
        for document_id, text in pairs
        if isinstance(document_id, str) and document_id and isinstance(text, str)
    ]
    if len(good) < len(pairs) or not good:
        raise SettingsError(f"USER_TAGS_TRUSTED_DOCUMENTS: {path} must be a JSON object with the text of each id.")
    return good


def _check_document(path: str, document_id: str, text: str, documents: DocumentCache) -> None:
    try:
        documents.check_length(text)
        messages = [error.message for error in documents.validation_errors(text)]
    except LimitExceededError as error:
        messages = [error.message]
    if messages:
        beginning = text.partition("{")[0].strip()[:60]
        named = f"{document_id!r} ({beginning})" if beginning else repr(document_id)
        raise SettingsError(f"{path}: the document {named} is wrong: {messages[0]}")
