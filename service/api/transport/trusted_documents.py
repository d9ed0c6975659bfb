"""Trusted documents: operations that a frontend's build has listed, which a client names by an id.

Sources: the appendix on persisted documents of GraphQL over HTTP (`documentId`, `sha256:` and 64 hexadecimal digits),
and what Apollo Client and urql send and expect (`extensions.persistedQuery`, the three messages). Files: JSON with the
text of each id, as graphql-codegen's client preset and Relay's compiler write it, or a manifest of Apollo's.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from graphql import GraphQLError, GraphQLSchema

from service.api.engine.document_cache import Documents
from service.entities.enums import RejectionCode
from service.entities.errors import BadInputError, ErrorCode, FieldFailure, RefusedError
from service.foundation.settings import SettingsError, TrustMode

SHA256: Final = "sha256:"
APOLLO_MANIFEST: Final = "apollo-persisted-query-manifest"


class TrustedDocuments:
    """Which text is run: `off` knows no ids, `allowed` takes ids and any text, `only` refuses other texts."""

    def __init__(self, mode: TrustMode, texts: Mapping[str, str]) -> None:
        """`texts` by id; each is also known by its SHA-256. Raises SettingsError when one id means two texts."""
        self._mode = mode
        self._trusted = frozenset(texts.values())
        self._by_id: dict[str, str] = {}
        for given, text in texts.items():
            digest = sha256_of(text)
            for each in (given, digest, SHA256 + digest):
                if self._by_id.setdefault(each, text) != text:
                    raise SettingsError(f"The id {each!r} of a trusted document belongs to two texts.")

    def __len__(self) -> int:
        return len(self._trusted)

    def text_for(self, text: str | None, document_id: object, extensions: Mapping[str, Any] | None) -> str | None:
        """The text to run; None when the request has neither text nor id. A text counts more than an id beside it.

        Raises RefusedError with PERSISTED_QUERY_… for what is not trusted, BadInputError for what is no id.
        """
        if text:
            if self._mode == "only" and text not in self._trusted:
                raise RefusedError(ErrorCode.PERSISTED_QUERY_ONLY, "PersistedQueryOnly")
            return text
        found = _id_in(document_id, extensions or {})
        if found is None:
            return text
        if self._mode == "off":
            raise RefusedError(ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
        if found not in self._by_id:
            raise RefusedError(ErrorCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
        return self._by_id[found]


def read_trusted_documents(
    mode: TrustMode, paths: Iterable[str], schema: GraphQLSchema, documents: Documents
) -> TrustedDocuments:
    """Those of all files, each found to be good for this schema; raises SettingsError, which names the wrong one.

    Where the mode is `off` no file is read.
    """
    texts: dict[str, str] = {}
    for path in paths if mode != "off" else ():
        for given, text in _texts_in(path):
            if given.startswith(SHA256) and given != SHA256 + sha256_of(text):
                raise SettingsError(f"{path}: the id {given!r} is not the SHA-256 of its text.")
            if texts.setdefault(given, text) != text:
                raise SettingsError(f"{path}: the id {given!r} belongs to another text already.")
            _check(path, given, text, schema, documents)
    return TrustedDocuments(mode, texts)


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _id_in(document_id: object, extensions: Mapping[str, Any]) -> str | None:
    """`documentId` beside the variables or in the extensions, or Apollo's `persistedQuery`."""
    persisted = extensions.get("persistedQuery")
    hashed = persisted.get("sha256Hash", "") if isinstance(persisted, dict) else persisted
    for place, found in (
        ("documentId", document_id),
        ("extensions.documentId", extensions.get("documentId")),
        ("extensions.persistedQuery", hashed),
    ):
        if isinstance(found, str) and found:
            return found
        if found is not None:
            raise BadInputError(FieldFailure(place, RejectionCode.BAD_VALUE, f"{place} holds no document identifier."))
    return None


def _texts_in(path: str) -> list[tuple[str, str]]:
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
    good = [(given, text) for given, text in pairs if isinstance(given, str) and given and isinstance(text, str)]
    if len(good) < len(pairs) or not good:
        raise SettingsError(f"USER_TAGS_TRUSTED_DOCUMENTS: {path} must be a JSON object with the text of each id.")
    return good


def _check(path: str, given: str, text: str, schema: GraphQLSchema, documents: Documents) -> None:
    try:
        faults = documents.faults(schema, text)
    except GraphQLError as error:
        faults = (error,)
    if faults:
        beginning = text.partition("{")[0].strip()[:60]
        raise SettingsError(f"{path}: the document {given!r} ({beginning}) is wrong: {faults[0].message}")
