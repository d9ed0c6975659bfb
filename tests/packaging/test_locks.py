"""Check the locks against pyproject.toml: everything pinned and hashed, and no address of any index."""

import re
import tomllib
from collections.abc import Iterable
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.packaging.dockerfile import REPOSITORY

LOCKS: Final = ("production", "dev", "build", "bench", "fuzz", "browser", "audit", "console")
PINNED: Final = re.compile(r"([A-Za-z0-9._-]+)==(\S+)(?: ; (.+?))?((?: --hash=sha256:[0-9a-f]{64})+)")


def project() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def text_of(lock: str) -> str:
    return (REPOSITORY / f"requirements/{lock}.txt").read_text(encoding="utf-8")


def pins_of(lock: str) -> dict[str, Version]:
    """Read a lock strictly: a line that is no pin with its hashes fails."""
    pins: dict[str, Version] = {}
    for line in text_of(lock).replace(" \\\n   ", "").splitlines():
        found = PINNED.fullmatch(line)
        assert found is not None, f"requirements/{lock}.txt: {line[:80]}"
        pins[canonicalize_name(found[1])] = Version(found[2])
    return pins


def wanted_by(lock: str) -> Iterable[str]:
    declared = project()
    match lock:
        case "production":
            yield from declared["project"]["dependencies"]
        case "dev":
            yield from declared["project"]["dependencies"]
            yield from declared["project"]["optional-dependencies"]["embedded"]
            yield from declared["dependency-groups"]["dev"]
        case "bench" | "fuzz" | "browser" | "audit" | "console":
            yield from declared["dependency-groups"][lock]
        case "build":
            yield from declared["build-system"]["requires"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_pinned_as_the_project_asks(lock: str) -> None:
    pins = pins_of(lock)
    for text in wanted_by(lock):
        wanted = Requirement(text)
        pinned = pins.get(canonicalize_name(wanted.name))
        assert pinned is not None, f"{wanted.name} is not in requirements/{lock}.txt: run `make lock`"
        assert pinned in wanted.specifier, f"requirements/{lock}.txt pins {wanted.name} {pinned}: run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index(lock: str) -> None:
    text = text_of(lock)
    assert "://" not in text
    assert "index-url" not in text


@pytest.mark.parametrize("lock", ["production", "build"])
def test_what_is_tested_is_what_is_shipped(lock: str) -> None:
    tested = pins_of("dev")
    assert {name: version for name, version in pins_of(lock).items() if tested.get(name) != version} == {}


def test_production_has_no_embedded_servers() -> None:
    embedded = {
        canonicalize_name(Requirement(text).name) for text in project()["project"]["optional-dependencies"]["embedded"]
    }
    assert embedded
    assert embedded.isdisjoint(pins_of("production"))
