"""Change the rules as a release to come may: a follow keeps somebody touchable three times as long."""

from dataclasses import replace

from service.foundation.settings import Windows
from service.storage.database.migrations import FunctionFile, read_functions

NAME = "default_tag_rules"
OLD = "f.followed_at + w.follow,"
NEW = "f.followed_at + 3 * w.follow,"
# Under the old rules these windows would give what the new rules give under the default ones.
EQUIVALENT_WINDOWS = Windows(follow=3 * Windows().follow)


def present_version() -> int:
    """Return the version of the rules in this release."""
    [version] = [file.rules_version for file in read_functions() if file.name == NAME]
    return version


def next_rules(*, raised_by: int = 1) -> list[FunctionFile]:
    """Return the files of functions as that release has them."""
    return [_changed(file, raised_by) if file.name == NAME else file for file in read_functions()]


def _changed(file: FunctionFile, raised_by: int) -> FunctionFile:
    assert file.text.count(OLD) == 1
    return replace(file, rules_version=file.rules_version + raised_by, text=file.text.replace(OLD, NEW))
