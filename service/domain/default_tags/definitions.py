"""Name the default tags of a channel, and turn masks of rules into tags.

The rules themselves are in `sql/functions/default_tag_rules.sql` (docs/specification.md §4.1): which default tags a
user has by the facts, and when that changes next.
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

# The tag ids of each mask of rules, made once.
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
    """Return what the rules in SQL need to know of a channel."""
    return default_tags.ChannelRules(channel.channel_id, channel.mini_program, channel.bound_at)


def default_tag_rules(channel: Channel) -> tuple[DefaultTagRule, ...]:
    """Return the default tags of a channel: 4 for a Mini Program, which cannot be followed, else 8."""
    return MINI_PROGRAM_RULES if channel.mini_program else tuple(DefaultTagRule)


def to_transitions(found: Iterable[default_tags.RulesDifference]) -> list[Transition]:
    """Return the differences that the rules found, as changes of tags."""
    return [
        Transition(
            each.block,
            each.offsets,
            TAG_IDS_BY_MASK[each.rules & ~each.old_rules],
            TAG_IDS_BY_MASK[each.old_rules & ~each.rules],
        )
        for each in found
    ]
