"""Say in plain Python who has which return tag, whatever is merged into what and when (docs/specification.md §4.7)."""

from dataclasses import dataclass, field
from typing import Final

KEYS: Final = ("Iron", "Bronze", "Silver", "Gold")


@dataclass
class Model:
    """Hold who is in each batch in force, by which key it came, and which key's tag has each key."""

    batches: dict[str, tuple[str, set[str]]] = field(default_factory=dict)
    owner: dict[str, str] = field(default_factory=lambda: {key: key for key in KEYS})

    def members(self, tag: str) -> set[str]:
        """Return who is in a batch that came by a key of a tag."""
        return set().union(*(people for key, people in self.batches.values() if self.owner[key] == tag))

    def end_batches(self, key: str) -> None:
        self.batches = {receipt: each for receipt, each in self.batches.items() if each[0] != key}

    def take_out(self, people: set[str], keys: set[str]) -> None:
        for key, held in self.batches.values():
            if key in keys:
                held.difference_update(people)

    def unite(self, newer: str, older: str) -> None:
        for _, held in self.batches.values():
            if newer in held:
                held.discard(newer)
                held.add(older)

    def merge(self, tag: str, into: str) -> None:
        self.owner = {key: into if owner == tag else owner for key, owner in self.owner.items()}
