"""Check the page of settings against those of the code, with their defaults."""

import re
from collections.abc import Iterator, Mapping

import pytest

from service.entities.errors import ErrorCode
from service.foundation.settings import ClientLimits, QueryLimits, read_settings
from tests.packaging.documents import SETTINGS, quoted

LIMITS = {quoted(row[0])[0]: row[1:] for row in SETTINGS.rows("Limits")}
VARIABLES = {quoted(row[0])[0]: row[1] for row in SETTINGS.rows("Settings")} | {
    f"USER_TAGS_{name}": row[0] for name, row in LIMITS.items()
}
# What a client may see instead of an error code: a status of HTTP, or why a WebSocket was closed.
STATUSES = {"408", "413", "429", "431", "1009", "1011", "1013", "4408"}


class Asked(Mapping[str, str]):
    """Stand in for an empty environment, and remember what it was asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_the_table_of_settings_is_complete() -> None:
    asked = Asked()
    read_settings(asked)
    assert set(VARIABLES) == asked.names


@pytest.mark.parametrize(
    ("name", "default"), [(name, *quoted(cell)) for name, cell in VARIABLES.items() if "`" in cell]
)
def test_a_default_in_the_table_is_the_default(name: str, default: str) -> None:
    assert read_settings({name: default}) == read_settings({})


def test_a_setting_without_a_default_in_the_table_has_none() -> None:
    settings = read_settings({})
    assert all(value in (None, ()) for value in (
        settings.database_url, settings.redis_url, settings.jwt_secret, settings.jwt_public_key, settings.jwt_jwks_url,
        settings.jwt_algorithms, settings.jwt_issuer, settings.jwt_audience, settings.secrets_keys,
        settings.clock_offset_file, settings.trusted_documents, settings.metrics_token,
        settings.trusted_proxies, settings.allowed_origins, settings.embed_origins, settings.demo_url,
    ))  # fmt: skip


def test_every_limit_is_in_the_table_of_limits_with_what_it_does() -> None:
    named = {each.upper() for each in ClientLimits.__slots__} | {
        f"QUERY_{each.upper()}" for each in QueryLimits.__slots__
    }
    assert set(LIMITS) == named
    for _, limited, beyond in LIMITS.values():
        assert limited
        assert set(quoted(beyond)) <= set(ErrorCode)
        assert set(re.findall(r"\d+", beyond)) <= STATUSES
