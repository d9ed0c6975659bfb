"""Read the documents of the repository: code blocks by language, tables by heading, links and anchors."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.packaging.dockerfile import REPOSITORY

NOT_OURS: Final = {"LICENSE"}


CODE_BLOCK: Final = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
HEADING: Final = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
LINK: Final = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
SPAN: Final = re.compile(r"`([^`\n]+)`")
FILE: Final = r"`[\w./-]+\.(?:py|sql)`"
NAME: Final = r"`[A-Za-z]\w*(?:\.[a-z]\w*)?`"
# Files and what is in them, as the documents write it: "`a.py`, `b.sql`: `f`, `g`", "`a.py` (`f`)" and "`f` in `a.py`".
CODE_IN_FILES: Final = (
    re.compile(rf"(?P<files>{FILE}(?:(?:,| and) {FILE})*)(?:: | \()(?P<names>{NAME}(?:(?:,| and) {NAME})*)"),
    re.compile(rf"(?P<names>{NAME}(?:(?:,| and) {NAME})*) in (?P<files>{FILE})"),
)


@dataclass(frozen=True, slots=True)
class Document:
    """Read a Markdown file, by its path in the repository."""

    path: str

    @property
    def text(self) -> str:
        """Return the whole text."""
        return (REPOSITORY / self.path).read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """Return the text without its code blocks."""
        return CODE_BLOCK.sub("", self.text)

    def blocks(self, language: str) -> list[str]:
        """Return the code blocks of a language, without the indentation of a list they stand in."""
        return [
            re.sub(f"^{indent}", "", text, flags=re.MULTILINE)
            for indent, found, text in CODE_BLOCK.findall(self.text)
            if found == language
        ]

    def block(self, language: str, holding: str) -> str:
        """Return the only block of a language that holds a text."""
        (found,) = (text for text in self.blocks(language) if holding in text)
        return found

    def rows(self, heading: str) -> Iterator[list[str]]:
        """Yield the cells of each row of the first table under a heading, without its head."""
        section = self.text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
        lines = [line for line in section.splitlines() if line.startswith("|")]
        for line in lines[2:]:
            yield [cell.strip() for cell in line.strip("|").split("|")]

    def spans(self) -> list[str]:
        """Return what stands between backticks in the prose."""
        return SPAN.findall(self.prose)

    def code_in_files(self) -> Iterator[tuple[list[str], list[str]]]:
        """Yield the paths of files, and the functions, classes and methods that are said to be in them.

        A bare file name is in the folder of the last path before it, or in that of the document.
        """
        prose = " ".join(self.prose.split())
        for pattern in CODE_IN_FILES:
            for found in pattern.finditer(prose):
                paths = [path for path in quoted(prose[: found.start("files")]) if "/" in path]
                files = []
                for file in quoted(found["files"]):
                    folders = [Path()] if "/" in file else [Path(each).parent for each in (self.path, *paths[-1:])]
                    existing = [folder / file for folder in folders if (REPOSITORY / folder / file).exists()]
                    files.append((existing or [Path(file)])[-1].as_posix())
                    paths.append(files[-1])
                yield files, quoted(found["names"])

    def links(self) -> list[str]:
        """Return the targets of the links and pictures in the prose."""
        return LINK.findall(self.prose)

    def anchors(self) -> set[str]:
        """Return the anchors that GitHub makes of the headings."""
        found: Counter[str] = Counter()
        anchors = set()
        for heading in HEADING.findall(self.prose):
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
            anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            anchors.add(f"{anchor}-{found[anchor]}" if found[anchor] else anchor)
            found[anchor] += 1
        return anchors

    def resolve(self, target: str) -> tuple[Path, str]:
        """Return the file that a relative link leads to, and the anchor in it."""
        path, _, anchor = target.partition("#")
        here = REPOSITORY / self.path
        return ((here.parent / path).resolve() if path else here), anchor


def quoted(text: str) -> list[str]:
    """Return what stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


README: Final = Document("README.md")
SECURITY: Final = Document("SECURITY.md")
CONTRIBUTING: Final = Document("CONTRIBUTING.md")
CHANGELOG: Final = Document("CHANGELOG.md")
INDEX: Final = Document("docs/index.md")
CONSOLE: Final = Document("docs/console.md")
FRONTEND: Final = Document("docs/frontend.md")
BROADCASTS: Final = Document("docs/broadcasts.md")
INTEGRATOR: Final = Document("docs/integrator.md")
WEBHOOKS: Final = Document("docs/webhooks.md")
OPERATOR: Final = Document("docs/operator.md")
SETTINGS: Final = Document("docs/settings.md")
# Written for those who use and run the service: what they show to paste is run.
FOR_USERS: Final = (README, SECURITY, INDEX, CONSOLE, FRONTEND, BROADCASTS, INTEGRATOR, OPERATOR, SETTINGS)
PAGES: Final = tuple(
    Document(path.relative_to(REPOSITORY).as_posix()) for path in sorted((REPOSITORY / "docs").rglob("*.md"))
)
ENGINE: Final = Document("service/api/engine/README.md")
DOCUMENTS: Final = (README, SECURITY, CONTRIBUTING, CHANGELOG, ENGINE, *PAGES)
# Written for those who change the code: what they name in lower case with underscores is code.
FOR_DEVELOPERS: Final = (ENGINE, *(each for each in PAGES if each.path.startswith("docs/architecture/")))


def committed() -> list[str]:
    """Return the paths that git tracks or is about to, without what is not ours."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return [path for path in listed.split("\0") if path and path not in NOT_OURS]
