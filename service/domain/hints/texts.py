"""Write hints down as people read them."""

from typing import Final, assert_never

from service.entities.hints import TagHint, TagHintKind
from service.entities.tags import Catalogue

MAX_NAMED: Final = 3


def hint_text(catalogue: Catalogue, hint: TagHint) -> str:
    """Return a hint as a sentence, its tags named as in the catalogue."""
    tag = _name(catalogue, hint.tag_id)
    other = "" if hint.other_id is None else _name(catalogue, hint.other_id)
    match hint.kind:
        case TagHintKind.EQUAL:
            return f"{tag} and {other} have the same members: {_people(hint.members)}."
        case TagHintKind.SUBSET if hint.by_definition:
            return f"Everybody with {tag} has {other}: what they are made of makes it so."
        case TagHintKind.SUBSET:
            return f"Everybody with {tag} ({_people(hint.members)}) has {other} ({_people(hint.others)}) as well."
        case TagHintKind.DISJOINT:
            return f"Nobody has both {tag} and {other}, which {_combos(catalogue, hint.combos)} for together."
        case TagHintKind.EMPTY:
            return f"Nobody has {tag}."
        case TagHintKind.UNUSED:
            return f"No combo, broadcast to come, webhook or tag of the Official Account uses {tag}."
        case _:
            assert_never(hint.kind)


def _combos(catalogue: Catalogue, combos: tuple[int, ...]) -> str:
    names = [_name(catalogue, each) for each in combos[:MAX_NAMED]]
    if len(combos) > MAX_NAMED:
        names.append(f"{len(combos) - MAX_NAMED:,} more")
    if len(names) == 1:
        return f"{names[0]} asks"
    return f"{', '.join(names[:-1])} and {names[-1]} ask"


def _name(catalogue: Catalogue, tag_id: int) -> str:
    """Return what a tag is called, with its category where another tag that is shown has the same name."""
    tag = catalogue.tags[tag_id]
    alone = sum(each.name == tag.name for each in catalogue.tags.values() if each.shown) == 1
    return f"“{tag.name}”" if alone else f"“{tag.category} / {tag.name}”"


def _people(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"
