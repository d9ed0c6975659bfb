"""Find Chromium, and say how it is to be started: with nothing that asks the internet by itself."""

import os
import shutil
from typing import Final

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PLACES: Final = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
IS_MISSING: Final = "no Chromium: install it (apt-get install chromium), or say where it is by CHROMIUM=…"


def find_chromium() -> str | None:
    """Return the path of Chromium: that of the variable CHROMIUM, else where systems put it; None where none is."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return shutil.which(chosen)
    return next((found for place in PLACES if (found := shutil.which(place))), None)
