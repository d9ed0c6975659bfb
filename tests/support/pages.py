"""Write what the build of the console would write, small, for tests that need no browser."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SCRIPT: Final = "export const said = 'tea';\n" * 100
SCRIPT_NAME: Final = "index-CaYBDlpw.js"


def write_pages(folder: Path, documents: Mapping[str, str] | None = None) -> Path:
    """Write three pages, a script with its compressed form, a style without, and documents by id; return the folder."""
    (folder / "assets").mkdir(parents=True)
    for page, title in (("index", "User Tags"), ("conversation", "Conversation"), ("ide", "GraphiQL")):
        meta = '<meta name="user-tags" content="{}" />'
        html = f"<!doctype html><html><head>{meta}<title>{title}</title></head></html>"
        (folder / f"{page}.html").write_text(html, encoding="utf-8")
    (folder / "assets" / SCRIPT_NAME).write_text(SCRIPT, encoding="utf-8")
    (folder / "assets" / f"{SCRIPT_NAME}.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (folder / "assets" / "index-Dx1.css").write_text("body { color: red }", encoding="utf-8")
    if documents is not None:
        (folder / "persisted-documents.json").write_text(json.dumps(documents), encoding="utf-8")
    return folder
