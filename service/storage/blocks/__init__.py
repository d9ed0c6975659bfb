"""Blocks: heads, members and the change log."""
