"""`python -m tests.packaging.audit` asks for known vulnerabilities of everything that is locked.

Advisories come from PyPI by pip-audit and from npm by `npm audit`. Where none of them answers, which says nothing about
the packages, that is printed and the exit code is 0; it is 1 for a vulnerability.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
REQUIREMENTS: Final = ("production", "build", "dev", "console", "browser", "bench", "fuzz", "audit")
NPM_LOCKS: Final = ("console", "examples/live", "tests/contract/schema_tools")
# Seconds.
TIMEOUT: Final = 300
REQUEST_TIMEOUT: Final = "10"


def main() -> int:
    """Print what is vulnerable, and which locks could not be audited; return the exit code."""
    vulnerable = False
    for lock in REQUIREMENTS:
        vulnerable |= _report(f"requirements/{lock}.txt", _pip_findings(lock))
    for directory in NPM_LOCKS:
        vulnerable |= _report(f"{directory}/package-lock.json", _npm_findings(directory))
    return int(vulnerable)


def _report(lock: str, findings: list[str] | None) -> bool:
    """Print what was found in a lock, None where nobody answered; return whether something was."""
    if findings is None:
        print(f"{lock}: not audited, since no source of advisories answers")
    else:
        print("\n".join([f"{lock}: {len(findings)} known vulnerabilities", *(f"  {each}" for each in findings)]))
    return bool(findings)


def _pip_findings(lock: str) -> list[str] | None:
    file = str(ROOT / "requirements" / f"{lock}.txt")
    options = ("--disable-pip", "--require-hashes", "--format=json", "--progress-spinner=off")
    found = _json_of(sys.executable, "-m", "pip_audit", *options, f"--timeout={REQUEST_TIMEOUT}", "-r", file)
    return None if found is None else pip_findings(found)


def pip_findings(found: dict[str, Any]) -> list[str] | None:
    """Return a line for each vulnerability in pip-audit's JSON; None where it found nothing out."""
    audited = [each for each in found.get("dependencies", ()) if "skip_reason" not in each]
    if not audited:
        return None
    return [f"{each['name']} {each['version']}: {vuln['id']}" for each in audited for vuln in each["vulns"]]


def _npm_findings(directory: str) -> list[str] | None:
    if shutil.which("npm") is None:
        return None
    found = _json_of("npm", "audit", "--package-lock-only", "--json", cwd=ROOT / directory)
    return None if found is None else npm_findings(found)


def npm_findings(found: dict[str, Any]) -> list[str] | None:
    """Return a line for each vulnerability in the JSON of `npm audit`; None where its source did not answer."""
    if "vulnerabilities" not in found:
        return None
    return list(_npm_lines(found["vulnerabilities"]))


def _npm_lines(vulnerabilities: dict[str, Any]) -> Iterator[str]:
    for name, each in vulnerabilities.items():
        yield f"{name} {each['range']}: {each['severity']}"


def _json_of(*command: str, cwd: Path = ROOT) -> dict[str, Any] | None:
    """Return the object that a command prints; None where it prints none, as without a network."""
    try:
        done = subprocess.run(
            command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        found = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return found if isinstance(found, dict) else None


if __name__ == "__main__":
    sys.exit(main())
