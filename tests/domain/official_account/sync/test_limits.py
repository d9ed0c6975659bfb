"""Find who has no room for another remote tag, and which removals are too many."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.official_account.sync.limits import MAX_TAGS_PER_USER, without_room
from service.entities.errors import ErrorCode, LimitExceededError, RequestError
from service.entities.jobs import JobState
from tests.domain.official_account.sync.world import World

PEOPLE = 6
BITS = st.integers(0, 2**PEOPLE - 1)
TAGS = range(25)


@settings(deadline=None)
@given(
    members=st.fixed_dictionaries(dict.fromkeys(TAGS, BITS)),
    added=st.fixed_dictionaries(dict.fromkeys(TAGS, BITS)),
    removed=st.fixed_dictionaries(dict.fromkeys(TAGS, BITS)),
)
def test_who_has_no_room_is_found_as_by_counting(
    members: dict[int, int], added: dict[int, int], removed: dict[int, int]
) -> None:
    added = {tag: bits & ~members[tag] for tag, bits in added.items()}
    removed = {tag: bits & members[tag] for tag, bits in removed.items()}
    expected = dict.fromkeys(TAGS, 0)
    for person in range(PEOPLE):
        bit = 1 << person
        count = sum(bool(members[tag] & ~removed[tag] & bit) for tag in TAGS)
        for tag in TAGS:
            if added[tag] & bit:
                expected[tag] |= bit if count >= MAX_TAGS_PER_USER else 0
                count += count < MAX_TAGS_PER_USER

    found = without_room(members, added, removed, list(TAGS))

    assert found == {tag: bits for tag, bits in expected.items() if bits}


@pytest.mark.parametrize(("members", "removed", "refused"), [(50, 50, False), (60, 12, False), (60, 13, True)])
async def test_more_removals_than_the_guard_allows_are_not_sent(
    world: World, members: int, removed: int, refused: bool
) -> None:
    people = [f"o{number:03}" for number in range(members)]
    await world.follow(*people)
    gold = await world.tag("Gold", people)
    await world.sync(gold)
    await world.tag("Gold", people[removed:])
    before = world.sent()

    job = await world.sync(gold)

    if not refused:
        assert job.state is JobState.DONE
        return
    assert (job.state, job.error_code) == (JobState.FAILED, ErrorCode.LIMIT_EXCEEDED)
    assert "Gold would be taken from 13 of 60 people." in str(job.error)
    assert world.sent() == before
    assert not (await world.link(gold)).in_sync
    plan = await world.sync(gold, dry_run=True)
    assert plan.payload["warnings"] == ["Gold would be taken from 13 of 60 people."]
    with pytest.raises(LimitExceededError):
        await world.apply(plan)
    assert world.sent() == before
    assert (await world.apply(plan, allow_removals=True)).state is JobState.DONE
    assert world.remote("Gold") == set(people[removed:])


async def test_removals_because_time_passed_do_not_count(world: World) -> None:
    people = [f"o{number:03}" for number in range(60)]
    await world.follow(*people)
    new_user = 1
    await world.sync(new_user, names={new_user: "New"})
    world.wechat.clock.advance(timedelta(hours=49))
    await run_default_tags(world.runtime, world.channel)

    job = await world.sync(new_user)

    assert (await world.result(job)).removed == 60
    assert job.state is JobState.DONE
    assert world.remote("New") == set()


@pytest.mark.parametrize("name", ["a\0b", "a\ud800", "a\u202eb", "a\nb", "\ud800" * 40, " ", "\u200b", "一" * 11])
async def test_a_remote_name_that_no_tag_may_have_is_refused(world: World, name: str) -> None:
    gold = await world.tag("Gold", ["oAda"])

    with pytest.raises(RequestError) as refused:
        await world.start(gold, names={gold: name})

    assert refused.value.code is ErrorCode.BAD_USER_INPUT
    assert [each.path for each in refused.value.fields] == [("remote_names", 0, "name")]
