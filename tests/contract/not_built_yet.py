"""What the contract promises and the schema does not have yet. Nothing may be added here."""

from typing import Final

MISSING_FROM_SCHEMA: Final[tuple[str, ...]] = ()
