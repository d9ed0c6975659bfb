"""Build the console when something changed, only then, and say in one line what is missing.

npm is a small program of the test, which notes how it was called and writes or fails as it is told.
"""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.packaging.dockerfile import REPOSITORY

COPIED: Final = (
    "console/build.py", "console/package.json", "console/package-lock.json", "console/.npmrc", "console/index.html",
    "console/hatch_build.py", "requirements/console.txt", "schema.graphql", "pyproject.toml", "README.md", "LICENSE",
    "service/__init__.py", "sql/schema.sql", ".gitignore",
)  # fmt: skip
NPM: Final = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$1" in
  ci) mkdir -p node_modules; [ -z "$CI_FAILS" ] || { printf '%b' "$CI_FAILS"; exit 1; } ;;
  run) [ -z "$BUILD_FAILS" ] || { echo "$BUILD_FAILS"; exit 2; }
       mkdir -p ../service/web/pages; echo built > ../service/web/pages/index.html ;;
esac
"""
INSTALLED: Final = "ci --prefer-offline --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=30000"
BUILT: Final = "run build"
PAGE: Final = "service/web/pages/index.html"
OFFLINE: Final = "npm error code ENOTFOUND\\nnpm error network request failed\\n"


@dataclass(frozen=True, slots=True)
class Checkout:
    """Hold a checkout of its own, with programs that stand for node and npm."""

    root: Path
    programs: Path

    def build(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return self._run("console/build.py", *arguments, **environment)

    def build_package(self, kind: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Build a wheel, an editable one or an sdist, as pip and other programs do; it prints its name."""
        return self._run("-c", f"import hatchling.build as made; print(made.build_{kind}('dist'))", **environment)

    def _run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        given = {"PATH": f"{self.programs}:/bin", "CALLS": str(self.root / "calls"), "HOME": str(self.root)}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root, env=given | environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def files_of(self, built: "subprocess.CompletedProcess[str]") -> list[str]:
        """Return the names of the files in the package that was built."""
        package = self.root / "dist" / built.stdout.splitlines()[-1]
        if package.suffix == ".whl":
            return zipfile.ZipFile(package).namelist()
        with tarfile.open(package) as archive:
            return [name.partition("/")[2] for name in archive.getnames()]

    def new_calls(self) -> list[str]:
        """Return how npm was called since this was asked last."""
        calls = self.root / "calls"
        found = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
        calls.unlink(missing_ok=True)
        return found

    @property
    def page(self) -> Path:
        return self.root / PAGE


def write_program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root, programs = tmp_path / "checkout", tmp_path / "programs"
    for name in COPIED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, root / name)
    programs.mkdir()
    write_program(programs / "npm", NPM)
    write_program(programs / "node", "#!/bin/sh\necho v20.1.0\n")
    return Checkout(root, programs)


def test_what_is_built_is_not_built_again(checkout: Checkout) -> None:
    first = checkout.build()
    assert (first.returncode, checkout.new_calls()) == (0, [INSTALLED, BUILT]), first.stderr
    again = checkout.build()
    assert (again.returncode, again.stdout, again.stderr, checkout.new_calls()) == (0, "", "", [])


@pytest.mark.parametrize("name", ["schema.graphql", "console/index.html", "console/src/tags/new.graphql"])
def test_a_change_of_what_it_is_made_of_builds_it_again(checkout: Checkout, name: str) -> None:
    checkout.build()
    checkout.new_calls()
    (checkout.root / name).parent.mkdir(parents=True, exist_ok=True)
    with (checkout.root / name).open("a", encoding="utf-8") as file:
        file.write(" ")
    assert checkout.build().returncode == 0
    assert checkout.new_calls() == [BUILT]


@pytest.mark.parametrize("name", ["package-lock.json", ".npmrc"])
def test_a_change_of_the_lock_installs_again(checkout: Checkout, name: str) -> None:
    checkout.build()
    checkout.new_calls()
    with (checkout.root / "console" / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    checkout.build()
    assert checkout.new_calls() == [INSTALLED, BUILT]


def test_what_was_generated_is_no_reason_to_build(checkout: Checkout) -> None:
    checkout.build()
    checkout.new_calls()
    for folder in ("node_modules/vite", "src/api/generated", ".vite"):
        (checkout.root / "console" / folder).mkdir(parents=True)
        (checkout.root / "console" / folder / "made.ts").write_text("export {};", encoding="utf-8")
    checkout.build()
    assert checkout.new_calls() == []


def test_pages_that_were_deleted_are_built_again(checkout: Checkout) -> None:
    checkout.build()
    shutil.rmtree(checkout.page.parent)
    checkout.new_calls()
    checkout.build()
    assert checkout.new_calls() == [BUILT]


def test_without_a_registry_the_service_starts_without_the_console(checkout: Checkout) -> None:
    checkout.page.parent.mkdir(parents=True)
    checkout.page.write_text("of an older schema", encoding="utf-8")
    left_out = checkout.build("--optional", CI_FAILS=OFFLINE)
    assert left_out.returncode == 0
    assert left_out.stdout.splitlines()[1:] == [
        "It starts without the console: npm cannot reach its registry (ENOTFOUND)."
    ]
    assert left_out.stderr == ""
    assert not checkout.page.exists()
    # Nothing is taken for done: the next attempt tries again.
    assert checkout.build("--optional").returncode == 0
    assert checkout.page.exists()


def test_a_build_that_needs_it_fails_without_a_registry(checkout: Checkout) -> None:
    failed = checkout.build(CI_FAILS=OFFLINE)
    assert failed.returncode == 1
    assert failed.stderr == "console/build.py: npm cannot reach its registry (ENOTFOUND).\n"


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ({"CI_FAILS": "npm error code EINTEGRITY\\nnpm error wrong hash"}, "wrong hash"),
        ({"BUILD_FAILS": "main.tsx(1,1): error TS2304"}, "main.tsx(1,1): error TS2304"),
    ],
)
def test_a_mistake_is_not_passed_over(checkout: Checkout, failure: dict[str, str], said: str) -> None:
    failed = checkout.build("--optional", **failure)
    assert failed.returncode == 1
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr
    assert checkout.build("--optional").returncode == 0


@pytest.mark.parametrize("version", ["v18.20.4", "nonsense"])
def test_an_old_node_is_replaced_by_that_of_the_wheel(checkout: Checkout, version: str) -> None:
    write_program(checkout.programs / "node", f"#!/bin/sh\necho {version}\n")
    left_out = checkout.build("--optional", PIP_NO_INDEX="1")
    assert left_out.returncode == 0
    assert left_out.stdout.splitlines()[0] == "Installing Node.js for the console …"
    assert "there is no Node.js 20 or newer, and pip cannot install it" in left_out.stdout.splitlines()[1]
    assert checkout.new_calls() == []


def test_the_console_can_be_left_out(checkout: Checkout) -> None:
    checkout.build()
    checkout.new_calls()
    left_out = checkout.build(WITHOUT_CONSOLE="1")
    assert (left_out.returncode, checkout.new_calls(), checkout.page.exists()) == (0, [], False)


def test_scripts_are_run_in_order_until_one_fails(checkout: Checkout) -> None:
    assert checkout.build("--scripts", "lint", "types").returncode == 0
    assert checkout.new_calls() == [INSTALLED, "run lint", "run types"]
    failed = checkout.build("--scripts", "lint", "types", BUILD_FAILS="7 problems")
    assert (failed.returncode, checkout.new_calls()) == (1, ["run lint"])
    assert "7 problems" in failed.stdout
    assert "`npm run lint` failed" in failed.stderr


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_a_package_holds_the_pages(checkout: Checkout, kind: str) -> None:
    built = checkout.build_package(kind)
    assert checkout.new_calls() == [INSTALLED, BUILT], built.stderr
    assert PAGE in checkout.files_of(built)


def test_a_wheel_from_an_sdist_needs_no_node(checkout: Checkout, tmp_path: Path) -> None:
    made = checkout.build_package("sdist").stdout.splitlines()[-1]
    with tarfile.open(checkout.root / "dist" / made) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = Checkout(tmp_path / made.removesuffix(".tar.gz"), tmp_path / "no programs")
    assert PAGE in unpacked.files_of(unpacked.build_package("wheel"))


def test_a_package_is_not_built_without_its_pages(checkout: Checkout) -> None:
    failed = checkout.build_package("wheel", CI_FAILS=OFFLINE)
    assert failed.returncode != 0
    assert "npm cannot reach its registry (ENOTFOUND)" in failed.stderr


def test_a_package_is_built_without_its_pages_where_that_is_asked(checkout: Checkout) -> None:
    checkout.build()
    files = checkout.files_of(checkout.build_package("wheel", WITHOUT_CONSOLE="1"))
    assert "service/__init__.py" in files
    assert not [name for name in files if name.startswith("service/web/pages")]


def test_an_editable_installation_builds_nothing(checkout: Checkout) -> None:
    assert checkout.build_package("editable").returncode == 0
    assert checkout.new_calls() == []


def test_every_script_that_make_runs_is_one_of_the_console() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    scripts = makefile.split("--scripts ", 1)[1].splitlines()[0].split()
    package = (REPOSITORY / "console" / "package.json").read_text(encoding="utf-8")
    assert [name for name in scripts if f'"{name}":' not in package] == []


def test_the_lock_of_npm_names_no_registry() -> None:
    assert "resolved" not in (REPOSITORY / "console" / "package-lock.json").read_text(encoding="utf-8")
