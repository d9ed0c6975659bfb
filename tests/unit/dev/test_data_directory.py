"""Keep the secrets of a data directory, and explain why one cannot be used."""

import stat
from pathlib import Path

import pytest

from service.dev.stack.servers import (
    EmbeddedError,
    EmbeddedUnavailableError,
    embedded_secrets,
    start_embedded,
)


def test_a_place_that_cannot_be_a_directory_is_explained(accessible_dir: Path) -> None:
    (accessible_dir / "file").touch()
    with pytest.raises(EmbeddedError, match=r"cannot be used: Not a directory.*--data-dir"):
        start_embedded(accessible_dir / "file" / "data")


def test_secrets_are_made_once_and_kept_private(accessible_dir: Path) -> None:
    jwt_secret, secrets_key = embedded_secrets(accessible_dir / "data")
    assert len(jwt_secret) == len(secrets_key) == 64
    assert jwt_secret != secrets_key
    assert embedded_secrets(accessible_dir / "data") == (jwt_secret, secrets_key)
    assert stat.S_IMODE((accessible_dir / "data" / "secrets.json").stat().st_mode) == 0o600
    assert not list((accessible_dir / "data").glob("*.new"))


def test_without_the_wheels_it_says_what_to_do(accessible_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(EmbeddedUnavailableError, match=r"user-tags\[embedded\].*DATABASE_URL and REDIS_URL"):
        start_embedded(accessible_dir)
