"""Tag or untag people in one call, and find out who of them it is that WeChat refuses.

Source: docs/specification.md, §6.2.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from service.storage.syncs import PersonToTag
from service.wechat.api.decisions import Decision, decide
from service.wechat.api.errors import WechatError

UNKNOWN_TAG: Final = 45159
TOO_MANY_TAGS: Final = 45059
# About one person, though it answers for all of a call: who it is, is found by halves.
ABOUT_A_PERSON: Final = frozenset({Decision.SKIP_PERSON, Decision.PERSON_UNREACHABLE, Decision.UNKNOWN})

Call: TypeAlias = Callable[[Sequence[str]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold who of some people is done, and who failed, `{ordinal: errcode}`."""

    done: tuple[PersonToTag, ...]
    failed: dict[int, int]

    def __add__(self, other: "Outcome") -> "Outcome":
        """Return both outcomes as one."""
        return Outcome(self.done + other.done, self.failed | other.failed)


async def change_tags(call: Call, people: Sequence[PersonToTag], *, unknown_tag_is_known: bool = False) -> Outcome:
    """Tag or untag people by one call, and by more only where WeChat refuses some of them.

    With `unknown_tag_is_known` 45159 is about a person, too. Raises UnansweredError, and WechatError where not a person
    is the reason: then nothing is known of any of them, and all is to be done again.
    """
    outcome = await _change(call, people, unknown_tag_is_known)
    code, *others = {*outcome.failed.values()} or {0}
    if len(people) > 1 and not outcome.done and not others and decide(code) is Decision.UNKNOWN:
        # A code in no document that everybody has is about the tag or the account.
        raise WechatError(code, "It was refused for everybody.", Decision.OUR_FAULT)
    return outcome


async def _change(call: Call, people: Sequence[PersonToTag], unknown_tag_is_known: bool) -> Outcome:
    try:
        await call([each.openid for each in people])
    except WechatError as error:
        if error.decision is Decision.PARTIAL:
            return await _without_failed(call, people, error, unknown_tag_is_known)
        if not _is_about_a_person(error, unknown_tag_is_known):
            raise
        if len(people) == 1:
            return Outcome((), {people[0].ordinal: error.errcode})
        half = len(people) // 2
        return await _change(call, people[:half], unknown_tag_is_known) + await _change(
            call, people[half:], unknown_tag_is_known
        )
    return Outcome(tuple(people), {})


async def _without_failed(
    call: Call, people: Sequence[PersonToTag], error: WechatError, unknown_tag_is_known: bool
) -> Outcome:
    """Return who is done although WeChat named some as failed, who are tried once more, by themselves."""
    named = set(error.failed_openids)
    failed = [each for each in people if each.openid in named]
    done = Outcome(tuple(each for each in people if each.openid not in named), {})
    if failed and done.done:
        return done + await _change(call, failed, unknown_tag_is_known)
    # Nobody was named whom the call was about, or all were.
    refused = failed or people
    return Outcome((), {each.ordinal: error.errcode for each in refused})


def _is_about_a_person(error: WechatError, unknown_tag_is_known: bool) -> bool:
    return (
        error.decision in ABOUT_A_PERSON
        or error.errcode == TOO_MANY_TAGS
        or (unknown_tag_is_known and error.errcode == UNKNOWN_TAG)
    )
