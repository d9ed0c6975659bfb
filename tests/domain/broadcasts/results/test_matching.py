"""Write results to the messages they are about: late, early, repeated, or where no answer told of the message."""

from datetime import timedelta

import pytest

from service.domain.broadcasts.results.matching import MATCH_AGAIN_FOR, channels_to_match
from service.domain.broadcasts.results.pruning import prune_results
from service.domain.verification.broadcasts import verify_broadcasts
from service.entities.broadcasts import MessageKind
from service.entities.message_results import ConsentChange, MessageResult, ResultEvent
from tests.domain.broadcasts.results.sent import UNKNOWN, SentMessages, taken
from tests.support.clock import FrozenClock

MASS, TEMPLATE = MessageKind.MASS_TEXT, MessageKind.TEMPLATE
ID, OTHER_ID = str(2**63 - 1), str(2**53 + 1)


@pytest.mark.parametrize(
    ("status", "delivered"), [("send success", 2), ("sendsuccess", 2), ("send fail", 0), ("err(20001)", 0)]
)
async def test_the_result_of_a_mass_message_stands_with_its_chunk(
    sent: SentMessages, status: str, delivered: int
) -> None:
    job = await sent.claim(MASS, list((await sent.people(3)).values()))
    await sent.chunk_outcome(job, taken(ID))
    assert await sent.delivered(job) is None

    await sent.push(sent.mass_result(ID, 3, 2, status))

    assert await sent.chunk(job) == ("SENT", status, delivered)
    assert await sent.delivered(job) == delivered
    assert (await sent.book.counts(job))["sent"] == 3


async def test_results_of_messages_to_people_stand_with_each(sent: SentMessages) -> None:
    people = await sent.people(3)
    ada, bob, eve = people.values()
    job = await sent.claim(TEMPLATE, [ada, bob, eve])
    await sent.send_outcomes(job, {ada: taken("1"), bob: taken("2"), eve: taken("3")})
    by_id = dict(zip("123", people, strict=True))

    await sent.push_at_once(
        *(sent.result(msg_id, openid) for msg_id, openid in by_id.items() if msg_id != "2"),
        sent.result("2", by_id["2"], "failed:user block"),
    )

    assert [await sent.message(job, each) for each in (ada, bob, eve)] == [
        ("SENT", "success", True),
        ("SENT", "failed:user block", False),
        ("SENT", "success", True),
    ]
    assert await sent.delivered(job) == 2
    assert (await sent.book.counts(job))["sent"] == 3


async def test_a_result_that_is_told_again_counts_once(sent: SentMessages) -> None:
    [(openid, ordinal)] = (await sent.people(1)).items()
    job = await sent.claim(TEMPLATE, [ordinal])
    await sent.send_outcomes(job, {ordinal: taken(ID)})

    await sent.push_at_once(*[sent.result(ID, openid)] * 4)
    await sent.push(sent.result(ID, openid, "failed: system failed"))
    await sent.match_again()

    assert await sent.message(job, ordinal) == ("SENT", "success", True)
    assert await sent.delivered(job) == 1


async def test_a_result_that_comes_before_the_answer_is_written_after_it(sent: SentMessages) -> None:
    people = await sent.people(3)
    first, *rest = people.values()
    job, mass = await sent.claim(TEMPLATE, [first]), await sent.claim(MASS, rest)
    await sent.push(sent.result(ID, next(iter(people))), sent.mass_result(OTHER_ID, 2, 1))
    assert await sent.match_again() == 0
    assert await sent.message(job, first) == ("CLAIMED", None, None)
    assert await sent.chunk(mass) == ("CLAIMED", None, None)

    await sent.send_outcomes(job, {first: taken(ID)})
    await sent.chunk_outcome(mass, taken(OTHER_ID))

    assert await channels_to_match(sent.book.runtime) == [sent.book.channel.channel_id]
    assert await sent.match_again() == 2
    assert await sent.message(job, first) == ("SENT", "success", True)
    assert await sent.chunk(mass) == ("SENT", "send success", 1)
    assert (await sent.delivered(job), await sent.delivered(mass)) == (1, 1)
    assert await channels_to_match(sent.book.runtime) == []


async def test_results_of_somebody_elses_messages_are_given_up(sent: SentMessages) -> None:
    [openid] = await sent.people(1)
    await sent.push(sent.result("1", openid), sent.result("2", "oStranger"), sent.mass_result("3", 9, 9))
    assert await channels_to_match(sent.book.runtime) == [sent.book.channel.channel_id]

    sent.book.runtime.clock.advance(MATCH_AGAIN_FOR)  # type: ignore[attr-defined]

    assert await channels_to_match(sent.book.runtime) == []
    assert await sent.match_again() == 0


async def test_ids_are_of_one_kind_of_message(sent: SentMessages) -> None:
    people = await sent.people(3)
    first, *rest = people.values()
    job, mass = await sent.claim(TEMPLATE, [first]), await sent.claim(MASS, rest)
    await sent.send_outcomes(job, {first: taken(ID)})
    await sent.chunk_outcome(mass, taken(ID))

    await sent.push(sent.result(ID, next(iter(people)), "failed:user block"), sent.mass_result(ID, 2, 2))

    assert await sent.message(job, first) == ("SENT", "failed:user block", False)
    assert await sent.chunk(mass) == ("SENT", "send success", 2)


async def test_the_result_of_a_subscription_message_stands_with_it(sent: SentMessages) -> None:
    [(openid, ordinal)] = (await sent.people(1)).items()
    now = sent.now
    await sent.push(ConsentChange(openid, "template-2", True, now))
    job = await sent.claim(MessageKind.SERVICE_SUBSCRIPTION, [ordinal])
    await sent.send_outcomes(job, {ordinal: taken(ID)})

    await sent.push(MessageResult(ResultEvent.SUBSCRIPTION, ID, openid, "user refuse", False, now))

    assert await sent.message(job, ordinal) == ("SENT", "user refuse", False)
    assert await sent.delivered(job) == 0


class TestEvidence:
    """Take a result for that of a message without an answer only where it can be about no other."""

    async def test_a_result_settles_the_one_message_it_can_be_about(self, sent: SentMessages) -> None:
        people = await sent.people(2)
        (openid, ordinal), (_, other) = people.items()
        job = await sent.claim(TEMPLATE, [ordinal, other])
        await sent.send_outcomes(job, {ordinal: UNKNOWN, other: UNKNOWN})

        await sent.push(sent.result(ID, openid, "failed:user block"))

        assert await sent.message(job, ordinal) == ("SENT", "failed:user block", False)
        assert await sent.message(job, other) == ("UNKNOWN", None, None)
        counts = await sent.book.counts(job)
        assert (counts["sent"], counts["uncertain"]) == (1, 1)

    async def test_it_settles_none_of_two(self, sent: SentMessages) -> None:
        [(openid, ordinal)] = (await sent.people(1)).items()
        jobs = [await sent.claim(TEMPLATE, [ordinal]) for _ in range(2)]
        for job in jobs:
            await sent.send_outcomes(job, {ordinal: UNKNOWN})

        await sent.push(sent.result(ID, openid))

        assert [await sent.message(job, ordinal) for job in jobs] == [("UNKNOWN", None, None)] * 2

    async def test_it_waits_for_the_answer_of_another_call(self, sent: SentMessages) -> None:
        [(openid, ordinal)] = (await sent.people(1)).items()
        first = await sent.claim(TEMPLATE, [ordinal])
        await sent.send_outcomes(first, {ordinal: UNKNOWN})
        second = await sent.claim(TEMPLATE, [ordinal])
        await sent.push(sent.result(ID, openid))
        assert await sent.message(first, ordinal) == ("UNKNOWN", None, None)

        await sent.send_outcomes(second, {ordinal: taken(ID)})
        await sent.match_again()

        assert await sent.message(first, ordinal) == ("UNKNOWN", None, None)
        assert await sent.message(second, ordinal) == ("SENT", "success", True)

    @pytest.mark.parametrize("after", [timedelta(hours=2), timedelta(minutes=-6)])
    async def test_it_must_come_in_time(self, sent: SentMessages, after: timedelta) -> None:
        [(openid, ordinal)] = (await sent.people(1)).items()
        job = await sent.claim(TEMPLATE, [ordinal])
        await sent.send_outcomes(job, {ordinal: UNKNOWN})

        await sent.push(sent.result(ID, openid, at=sent.now + after))

        assert await sent.message(job, ordinal) == ("UNKNOWN", None, None)

    async def test_one_result_settles_one_message(self, sent: SentMessages) -> None:
        [(openid, ordinal)] = (await sent.people(1)).items()
        job = await sent.claim(TEMPLATE, [ordinal])
        await sent.send_outcomes(job, {ordinal: UNKNOWN})

        await sent.push_at_once(sent.result("1", openid), sent.result("2", openid))

        assert await sent.message(job, ordinal) == ("SENT", "success", True)
        assert await sent.delivered(job) == 1
        assert (await sent.book.counts(job))["sent"] == 1

    async def test_a_mass_message_without_an_answer_is_found_by_how_many_it_was_for(self, sent: SentMessages) -> None:
        job = await sent.claim(MASS, list((await sent.people(3)).values()))
        await sent.chunk_outcome(job, UNKNOWN)
        await sent.push(sent.mass_result(OTHER_ID, 4, 4))
        assert await sent.chunk(job) == ("UNKNOWN", None, None)

        await sent.push(sent.mass_result(ID, 3, 2))

        assert await sent.chunk(job) == ("SENT", "send success", 2)
        counts = await sent.book.counts(job)
        assert (counts["sent"], counts["uncertain"]) == (3, 0)

    async def test_it_settles_what_a_process_left_that_died(self, sent: SentMessages, clock: FrozenClock) -> None:
        (openid, ordinal), *others = (await sent.people(3)).items()
        job, mass = await sent.claim(TEMPLATE, [ordinal]), await sent.claim(MASS, [each for _, each in others])
        await sent.push(sent.result(ID, openid), sent.mass_result(OTHER_ID, 2, 2))
        # As long as the answers may come they are waited for.
        assert (await sent.message(job, ordinal))[0] == (await sent.chunk(mass))[0] == "CLAIMED"

        clock.advance(timedelta(minutes=2))
        assert await sent.match_again() == 2

        assert await sent.message(job, ordinal) == ("SENT", "success", True)
        assert await sent.chunk(mass) == ("SENT", "send success", 2)
        assert (await sent.book.counts(job))["uncertain"] == (await sent.book.counts(mass))["uncertain"] == 0

    async def test_but_not_among_several_of_that_size(self, sent: SentMessages) -> None:
        people = list((await sent.people(6)).values())
        jobs = [await sent.claim(MASS, people[:3]), await sent.claim(MASS, people[3:])]
        await sent.chunk_outcome(jobs[0], UNKNOWN)

        await sent.push(sent.mass_result(ID, 3, 3))

        assert await sent.chunk(jobs[0]) == ("UNKNOWN", None, None)

    async def test_an_answer_that_comes_after_the_result_changes_nothing(self, sent: SentMessages) -> None:
        [(openid, ordinal)] = (await sent.people(1)).items()
        job = await sent.claim(TEMPLATE, [ordinal])
        await sent.send_outcomes(job, {ordinal: UNKNOWN})
        await sent.push(sent.result(ID, openid))

        await sent.send_outcomes(job, {ordinal: taken(ID)})
        await sent.match_again()

        assert (await sent.book.counts(job))["sent"] == 1
        assert await sent.delivered(job) == 1


async def test_what_was_delivered_is_verified(sent: SentMessages) -> None:
    runtime, people = sent.book.runtime, await sent.people(5)
    first, second, *rest = people.values()
    job, mass = await sent.claim(TEMPLATE, [first, second]), await sent.claim(MASS, rest)
    await sent.send_outcomes(job, {first: taken("1"), second: taken("2")})
    await sent.chunk_outcome(mass, taken("3"))
    openids = list(people)
    await sent.push(sent.result("1", openids[0]), sent.result("2", openids[1], "failed"), sent.mass_result("3", 3, 2))
    assert await verify_broadcasts(runtime, job.channel_id, repair=False) == 0
    await runtime.pool.execute("update broadcast set delivered = delivered + 1")

    assert await verify_broadcasts(runtime, job.channel_id, repair=True) == 2

    assert (await sent.delivered(job), await sent.delivered(mass)) == (1, 2)


async def test_results_are_kept_for_three_days(sent: SentMessages) -> None:
    runtime, channel_id = sent.book.runtime, sent.book.channel.channel_id
    await sent.push(sent.mass_result("1", 3, 3))
    runtime.clock.advance(timedelta(days=3))  # type: ignore[attr-defined]
    await sent.push(sent.mass_result("2", 3, 3))
    await prune_results(runtime, channel_id)
    assert await runtime.pool.fetchval("select count(*) from push_result") == 2

    runtime.clock.advance(timedelta(seconds=1))  # type: ignore[attr-defined]
    await prune_results(runtime, channel_id)

    assert await runtime.pool.fetchval("select array_agg(msg_id) from push_result") == ["2"]


async def test_no_openid_is_kept_with_a_result(sent: SentMessages) -> None:
    [openid] = await sent.people(1)
    await sent.push(sent.result(ID, openid), sent.result(OTHER_ID, "oStranger"))

    kept = await sent.book.runtime.pool.fetch("select result::text from push_result")

    assert len(kept) == 2
    assert not [row for row in kept if openid in row["result"] or "oStranger" in row["result"]]
