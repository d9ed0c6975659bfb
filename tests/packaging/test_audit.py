"""Tell a package with a known vulnerability from one about which nobody could be asked."""

from tests.packaging.audit import NPM_LOCKS, REQUIREMENTS, ROOT, npm_findings, pip_findings


def test_every_npm_lock_is_audited() -> None:
    locks = {path.parent for path in ROOT.rglob("package-lock.json") if "node_modules" not in path.parts}
    assert locks == {ROOT / each for each in NPM_LOCKS}


def test_every_lock_of_python_packages_is_audited() -> None:
    assert {path.stem for path in (ROOT / "requirements").glob("*.txt")} == set(REQUIREMENTS)


def test_what_pip_audit_skipped_is_not_clean() -> None:
    skipped = {"name": "arq", "skip_reason": "Dependency not found on PyPI"}
    clean = {"name": "anyio", "version": "1.0", "vulns": []}
    bad = {"name": "jinja2", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": []}]}
    assert pip_findings({"dependencies": [skipped]}) is None
    assert pip_findings({"dependencies": [skipped, clean]}) == []
    assert pip_findings({"dependencies": [clean, bad]}) == ["jinja2 2.0: PYSEC-1"]


def test_an_error_of_npm_is_not_clean() -> None:
    assert npm_findings({"message": "405 Method Not Allowed", "error": {}}) is None
    assert npm_findings({"vulnerabilities": {}, "auditReportVersion": 2}) == []
    found = {"vulnerabilities": {"ws": {"range": "<8.17.1", "severity": "high"}}}
    assert npm_findings(found) == ["ws <8.17.1: high"]
