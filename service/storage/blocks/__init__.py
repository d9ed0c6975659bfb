"""Store blocks: heads, members and the change log."""
