"""Find, name and rename tags however names are typed, those from before names were tidied too."""

import pytest

from service.domain.tags.filters import TagFilter, filter_tags
from service.domain.tags.naming import edited_name, name_taken_errors
from service.entities.revision import Revision
from service.entities.tags import Catalogue, Tag, TagKind, TagState
from tests.support.clock import START

CAFE, VIP, TWIN, HIDDEN = "Café", "VIP", "VIP\u200b", "Green\u00adTea"


def tag(tag_id: int, category: str, name: str) -> Tag:
    return Tag(7, tag_id, TagKind.COMBO, category, name, None, TagState.ACTIVE, 1, START, START, None)


TAGS = [
    tag(11, "Level", VIP),
    tag(12, "Level", TWIN),
    tag(13, "Le\u200bvel", HIDDEN),
    tag(14, "Place", CAFE),
    tag(15, "Sea\u200bson", "May"),
]
CATALOGUE = Catalogue(7, True, Revision(1, START), START, {each.tag_id: each for each in TAGS})


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("vip", [11, 12]),
        (TWIN, [11, 12]),
        ("\ufeffv\u2060ip ", [11, 12]),
        ("tea", [13]),
        (HIDDEN, [13]),
        ("level", [11, 12, 13]),
        ("cafe\u0301", [14]),
        (" \u200b", [11, 12, 13, 14, 15]),
        ("\u202evip", []),
        pytest.param("x" * 4_000_000, [], id="long"),
    ],
)
def test_a_search_is_tidied_as_names_are(search: str, found: list[int]) -> None:
    assert [each.tag_id for each in filter_tags(TAGS, TagFilter(search=search))] == found


@pytest.mark.parametrize(
    ("category", "found"),
    [
        ("Level", [11, 12]),
        (" Lev\u2060el", [11, 12]),
        ("Le\u200bvel", [13]),
        ("Place\ufeff", [14]),
        ("Season", [15]),
        ("level", []),
        ("", []),
        pytest.param("\u0301" * 40_000, [], id="long"),
    ],
)
def test_a_category_is_found_as_it_is_stored_or_tidied(category: str, found: list[int]) -> None:
    assert [each.tag_id for each in filter_tags(TAGS, TagFilter(category=category))] == found


@pytest.mark.parametrize(("category", "name"), [("Level", VIP), ("Level", "GreenTea"), ("Place", CAFE)])
def test_a_name_is_taken_by_what_looks_like_it(category: str, name: str) -> None:
    assert name_taken_errors(CATALOGUE, category, name, "name")
    assert not name_taken_errors(CATALOGUE, category, f"{name}s", "name")


def test_twins_from_before_keep_their_names() -> None:
    for each in TAGS:
        assert not name_taken_errors(CATALOGUE, each.category, each.name, "name", tag_id=each.tag_id)
    assert name_taken_errors(CATALOGUE, "Level", VIP, "name", tag_id=13)


@pytest.mark.parametrize(
    ("given", "name"),
    [(None, TWIN), (TWIN, TWIN), (f" {TWIN} ", TWIN), ("VI\u2060P", VIP), ("Go\u200bld", "Gold"), ("\u200b", "")],
)
def test_an_edit_tidies_a_name_but_leaves_the_present_one(given: str | None, name: str) -> None:
    assert edited_name(given, TWIN) == name
