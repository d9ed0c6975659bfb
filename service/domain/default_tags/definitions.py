"""The default tags of a channel: their names, and the tags that a mask of rules stands for.

The rules themselves are in SQL, in `sql/functions/default_tag_rules.sql` (`docs/specification.md` §4.1): who has which
default tag, from the facts of a user, and when that changes next.
"""

from collections.abc import Iterable
from typing import Final

from service.entities.blocks import Transition
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.storage import default_tags

DEFAULT_TAG_NAMES: Final = {
    DefaultTagRule.NEW_USER: ("Follow time", "New user"),
    DefaultTagRule.OLD_USER: ("Follow time", "Old user"),
    DefaultTagRule.OPENED: ("Opening", "Opened"),
    DefaultTagRule.NOT_OPENED: ("Opening", "Not opened"),
    DefaultTagRule.TOUCHABLE: ("Touchability", "Touchable"),
    DefaultTagRule.UNTOUCHABLE: ("Touchability", "Untouchable"),
    DefaultTagRule.ADVERTISING: ("Source", "Advertising"),
    DefaultTagRule.NON_ADVERTISING: ("Source", "Non-advertising"),
}


# What a mask of rules stands for, as tag ids.
TAG_IDS_BY_MASK: Final = tuple(
    tuple(rule.value for rule in DefaultTagRule if mask >> (rule.value - 1) & 1) for mask in range(256)
)


MINI_PROGRAM_RULES: Final = (
    DefaultTagRule.OPENED,
    DefaultTagRule.NOT_OPENED,
    DefaultTagRule.TOUCHABLE,
    DefaultTagRule.UNTOUCHABLE,
)


def channel_rules(channel: Channel) -> default_tags.ChannelRules:
    return default_tags.ChannelRules(channel.channel_id, channel.mini_program, channel.bound_at)


def default_tag_rules(channel: Channel) -> tuple[DefaultTagRule, ...]:
    """The default tags a channel of this kind has; nobody can follow a Mini Program."""
    return MINI_PROGRAM_RULES if channel.mini_program else tuple(DefaultTagRule)


def to_transitions(found: Iterable[default_tags.RulesDifference]) -> list[Transition]:
    return [
        Transition(
            each.block,
            each.offsets,
            TAG_IDS_BY_MASK[each.rules & ~each.old_rules],
            TAG_IDS_BY_MASK[each.old_rules & ~each.rules],
        )
        for each in found
    ]
