"""Make an entity tag of what an answer depends on."""

from service.api.transport.etags import compute_etag
from tests.support.runtime import admin

GRAPHQL = "application/graphql-response+json"


def test_an_entity_tag_depends_on_bytes_media_type_and_principal() -> None:
    tags = {
        compute_etag(body, kind, reader)
        for body in (b"{}", b"[]")
        for kind in ("application/json", GRAPHQL)
        for reader in (admin(), admin("other"))
    }
    assert len(tags) == 8
    assert compute_etag(b"{}", "a", admin()) == compute_etag(b"{}", "a", admin())
