"""Say in plain Python what becomes of people when openids are migrated, whatever happens before and after.

The rule: docs/specification.md §2, "Account migration".
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from service.entities.users import UserEvent

Pair = tuple[str, str]


@dataclass
class Person:
    """Hold one person: what they are called and were called, what they did, and which batches hold them."""

    openid: str
    former: set[str] = field(default_factory=set)
    events: list[UserEvent] = field(default_factory=list)
    batches: set[int] = field(default_factory=set)
    unionid: str | None = None

    def unite(self, other: "Person") -> None:
        """Take over what another one was, but not what they are called."""
        self.former |= other.former
        self.events += other.events
        self.batches |= other.batches
        self.unionid = self.unionid or other.unionid


@dataclass
class Outcome:
    """Count what became of the pairs of a list; `rejected` has the code of each that was rejected."""

    moved: int = 0
    unchanged: int = 0
    united: int = 0
    unknown: int = 0
    rejected: dict[int, str] = field(default_factory=dict)


@dataclass
class Model:
    """Hold everybody, the oldest first, and all openids under which somebody was forgotten."""

    people: list[Person] = field(default_factory=list)
    forgotten: set[str] = field(default_factory=set)

    def present(self, openid: str) -> Person | None:
        """Return who is called so now."""
        return next((each for each in self.people if each.openid == openid), None)

    def former(self, openid: str) -> Person | None:
        """Return who was called so before."""
        return next((each for each in self.people if openid in each.former), None)

    def find(self, openid: str) -> Person | None:
        """Return whom an openid names."""
        return self.present(openid) or self.former(openid)

    def find_or_create(self, openids: Iterable[str]) -> list[Person]:
        """Return whom openids name, people who are new in the order of the list."""
        found = []
        for openid in openids:
            person = self.find(openid)
            if person is None:
                person = Person(openid)
                self.people.append(person)
            found.append(person)
        return found

    def forget(self, openid: str) -> None:
        """Forget whom an openid names, under all their openids."""
        person = self.find(openid)
        if person is not None:
            self.people.remove(person)
            self.forgotten |= {person.openid, *person.former}

    def link(self, openid: str, unionid: str) -> None:
        """Link an openid, unless that contradicts what is known."""
        holder = next((each for each in self.people if each.unionid == unionid), None)
        person = self.find(openid)
        if holder is None and (person is None or person.unionid is None):
            (person,) = self.find_or_create([openid])
            person.unionid = unionid

    def migrate(self, pairs: Sequence[Pair]) -> Outcome:
        """Migrate a list of pairs, each by what was known before the list."""
        outcome = Outcome()
        good: dict[int, Pair] = {}
        for place, pair in enumerate(pairs):
            if contradicted(pair, pairs):
                outcome.rejected[place] = "BAD_VALUE"
            elif pair in good.values():
                outcome.unchanged += 1
            else:
                good[place] = pair
        for place, pair in good.items():
            self._migrate(place, pair, outcome)
        return outcome

    def _migrate(self, place: int, pair: Pair, outcome: Outcome) -> None:
        old, new = pair
        person, other = self.present(old), self.present(new)
        if person is None:
            self._migrate_unknown(place, pair, outcome)
        elif self.former(new) not in (None, person) or new in self.forgotten:
            outcome.rejected[place] = "BAD_VALUE"
        elif other is None:
            outcome.moved += 1
            person.openid = new
            person.former = person.former - {new} | {old}
        elif person.unionid and other.unionid and person.unionid != other.unionid:
            outcome.rejected[place] = "UNIONID_CONFLICT"
        else:
            outcome.united += 1
            older, newer = sorted(
                (person, other),
                key=lambda each: next(rank for rank, someone in enumerate(self.people) if someone is each),
            )
            older.unite(newer)
            older.openid = new
            older.former.add(old)
            self.people = [each for each in self.people if each is not newer]

    def _migrate_unknown(self, place: int, pair: Pair, outcome: Outcome) -> None:
        old, new = pair
        owner = self.former(old)
        if owner is None:
            outcome.unknown += 1
            heir = self.present(new)
            if heir is not None and old not in self.forgotten:
                heir.former.add(old)
        elif new == owner.openid or new in owner.former:
            outcome.unchanged += 1
        else:
            outcome.rejected[place] = "BAD_VALUE"


def contradicted(pair: Pair, pairs: Sequence[Pair]) -> bool:
    """Tell whether a list contradicts one of its pairs: an openid has one place in it."""
    distinct = {each for each in pairs if each[0] != each[1]}
    before, after = Counter(old for old, _ in distinct), Counter(new for _, new in distinct)
    old, new = pair
    return old == new or before[old] > 1 or after[new] > 1 or old in after or new in before
