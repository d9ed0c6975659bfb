"""Read the instructions of the Dockerfile, and perform its build in a directory that stands for the root."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
ROOTED: Final = re.compile(r"(?<![\w.])/(?=opt\b|source\b)")


@dataclass(frozen=True)
class Instruction:
    """Hold one instruction: `RUN pip install …` is the keyword RUN and the text after it."""

    keyword: str
    text: str

    def words(self) -> list[str]:
        """Read the exec form, the only one that gets signals: `["a", "b"]`."""
        words: list[str] = json.loads(self.text)
        return words


Stage = tuple[Instruction, ...]


def read_stages(text: str) -> list[Stage]:
    """Split a Dockerfile into its stages, each beginning with its FROM; what comes before the first is dropped."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    stages: list[list[Instruction]] = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        keyword, _, rest = line.strip().partition(" ")
        if keyword == "FROM":
            stages.append([])
        if keyword and stages:
            stages[-1].append(Instruction(keyword, rest.strip()))
    return [tuple(stage) for stage in stages]


def texts_of(stage: Stage, keyword: str) -> list[str]:
    return [each.text for each in stage if each.keyword == keyword]


def single_instruction(stage: Stage, keyword: str) -> Instruction:
    (found,) = (each for each in stage if each.keyword == keyword)
    return found


def health_check(stage: Stage) -> Instruction:
    """Read what `HEALTHCHECK --option=… CMD […]` runs."""
    return Instruction("CMD", single_instruction(stage, "HEALTHCHECK").text.partition(" CMD ")[2])


def perform_stage(stage: Stage, root: Path) -> None:
    """Perform a stage below `root`; raises CalledProcessError, or ValueError on an instruction it does not know."""
    (root / "bin").mkdir()
    (root / "bin" / "python").symlink_to(Path(sys.base_exec_prefix) / "bin" / f"python3.{sys.version_info.minor}")
    environment = os.environ | {"PATH": f"{root}/bin:{os.environ['PATH']}", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    workdir = root
    for step in stage:
        match step.keyword:
            case "FROM":
                pass
            case "WORKDIR":
                workdir = Path(_moved(step.text, root))
                workdir.mkdir(parents=True)
            case "COPY":
                *sources, target = step.text.split()
                for source in sources:
                    _copy(REPOSITORY / source, workdir, target)
            case "RUN":
                command = ["sh", "-ec", _moved(step.text, root)]
                subprocess.run(command, cwd=workdir, env=environment, stdin=subprocess.DEVNULL, check=True)
            case _:
                raise ValueError(f"{step.keyword} is not known here")


def _moved(text: str, root: Path) -> str:
    """Put the absolute paths of the build below `root`."""
    return ROOTED.sub(f"{root}/", text)


def _copy(source: Path, workdir: Path, target: str) -> None:
    """Copy as COPY does: what is in a directory, or a file into a target that ends with a slash."""
    if source.is_dir():
        shutil.copytree(source, workdir / target, ignore=_not_sent, dirs_exist_ok=True)
    else:
        destination = workdir / target / source.name if target.endswith("/") else workdir / target
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, destination)


def _not_sent(folder: str, names: list[str]) -> set[str]:
    """Return what .dockerignore keeps from the build, of the names in a folder; it excludes whole folders only."""
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    excluded = {line.rstrip("/") for line in lines if line.endswith("/") and not line.startswith("!")}
    here = Path(folder).relative_to(REPOSITORY)
    return {name for name in names if {f"**/{name}", (here / name).as_posix()} & excluded}
