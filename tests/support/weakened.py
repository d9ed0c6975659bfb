"""Statements without their remedy: what each test is run with a second time, to show what the remedy prevents."""

from service.storage.database.statements import STATEMENTS


def modified_statement(statement: str, *changes: tuple[str, str]) -> dict[str, str]:
    """Give a statement other words; fails when it does not hold the old ones (any more)."""
    text = STATEMENTS[statement]
    for old, new in changes:
        assert old in text, f"{statement} has no {old!r}"
        text = text.replace(old, new)
    return {statement: text}


NO_BLOCK_LOCK = modified_statement("lock_heads", ("for update", ""))
