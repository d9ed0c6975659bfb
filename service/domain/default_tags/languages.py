"""Name the default tags in the language of who asks. They are stored in English, and have no other names anywhere."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from service.domain.default_tags.definitions import DEFAULT_TAG_NAMES
from service.domain.input_rules import normalise_name
from service.entities.tags import Catalogue, DefaultTagRule, Tag, TagKind


class Language(StrEnum):
    """Name the languages that default tags have names in, as BCP 47 does."""

    ENGLISH = "en"
    CHINESE = "zh"


CHINESE_NAMES: Final = MappingProxyType(
    {
        DefaultTagRule.NEW_USER: ("关注时间", "新用户"),
        DefaultTagRule.OLD_USER: ("关注时间", "老用户"),
        DefaultTagRule.OPENED: ("开口情况", "已开口"),
        DefaultTagRule.NOT_OPENED: ("开口情况", "未开口"),
        DefaultTagRule.TOUCHABLE: ("可触达情况", "可触达"),
        DefaultTagRule.UNTOUCHABLE: ("可触达情况", "不可触达"),
        DefaultTagRule.ADVERTISING: ("来源渠道", "广告"),
        DefaultTagRule.NON_ADVERTISING: ("来源渠道", "非广告"),
    }
)
ENGLISH_CATEGORIES: Final = MappingProxyType(
    {chinese: DEFAULT_TAG_NAMES[rule][0] for rule, (chinese, _) in CHINESE_NAMES.items()}
)
CHINESE_CATEGORIES: Final = MappingProxyType({english: chinese for chinese, english in ENGLISH_CATEGORIES.items()})
TRANSLATIONS: Final = MappingProxyType({Language.CHINESE: CHINESE_NAMES})


def in_language(catalogue: Catalogue, language: Language) -> Catalogue:
    """Return a catalogue with its default tags named in a language: in English the catalogue itself.

    In another language it is one object for as long as the catalogue is kept.
    """
    if language is Language.ENGLISH:
        return catalogue
    translated: Catalogue | None = catalogue.derived.get(language)
    if translated is None:
        names = TRANSLATIONS[language]
        tags = {tag_id: _renamed(tag, names) for tag_id, tag in catalogue.tags.items()}
        translated = catalogue.derived[language] = replace(catalogue, tags=tags)
    return translated


def category_in(catalogue: Catalogue, category: str) -> str:
    """Return a category as the tags of a catalogue in some language have it, given in that language or another one."""
    known = {tag.category for tag in catalogue.living()}
    tidied = normalise_name(category)
    if category in known or tidied in known:
        return category
    return CHINESE_CATEGORIES.get(tidied) or ENGLISH_CATEGORIES.get(tidied) or category


def names_of(tag: Tag) -> list[tuple[str, str]]:
    """Return each (category, name) of a tag as it is stored: a default tag has one for each language."""
    own = tag.category, tag.name
    return [own] if tag.kind is not TagKind.DEFAULT else [own, *(names[tag.rule] for names in TRANSLATIONS.values())]


def _renamed(tag: Tag, names: Mapping[DefaultTagRule, tuple[str, str]]) -> Tag:
    if tag.kind is not TagKind.DEFAULT:
        return tag
    category, name = names[tag.rule]
    return replace(tag, category=category, name=name)
