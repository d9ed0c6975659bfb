"""Build the console while the package is built, so that a wheel holds its pages, and an sdist too."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ConsoleHook(BuildHookInterface[Any]):
    """Build the pages before hatch collects files. A build without them fails, unless WITHOUT_CONSOLE is set."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what has to be installed for the build where the system has no Node.js."""
        builder = _builder(self.root)
        return [] if builder.is_left_out() else list(builder.wheel_requirements())

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages; an editable installation serves those of `make console`. Raises BuildError."""
        del build_data
        builder = _builder(self.root)
        if version != "editable" and not builder.is_left_out():
            builder.build()


def _builder(root: str) -> ModuleType:
    """Return `console/build.py`: hatch runs this file without the folder it lies in."""
    spec = importlib.util.spec_from_file_location("console_build", Path(root, "console", "build.py"))
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - it lies beside this file
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
