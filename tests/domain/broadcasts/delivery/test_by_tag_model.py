"""However WeChat answers and whichever worker stops, a temporary tag lets a message reach the right people once."""

import asyncio
import random
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.behaviour import BadOpenid
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.domain.broadcasts.sending.tag_deletion import delete_finished_tags
from service.domain.broadcasts.slices import run_broadcast_slice
from service.domain.jobs.running import JobLeaseLostError
from service.entities.expressions import FOLLOWERS, to_json
from service.entities.jobs import Job, JobState
from tests.domain.broadcasts.delivery.office import Office

PEOPLE = [f"oPerson{number}" for number in range(9)]
PATHS = (
    *("tags/get", "tags/create", "tags/members/batchtagging", "tags/members/batchuntagging", "user/tag/get"),
    "message/mass/sendall",
)
KINDS = (
    Fault(kind=FaultKind.RESET, accepted=True),
    Fault(kind=FaultKind.RESET, accepted=False),
    Fault(kind=FaultKind.TRUNCATED, accepted=True),
    Fault(kind=FaultKind.ERROR, code=-1),
    Fault(kind=FaultKind.ERROR, code=40001),
)
MAX_TURNS = 300


class Story:
    """Sends one broadcast through a temporary tag while things happen at random."""

    def __init__(self, office: Office, seed: int) -> None:
        self.office = office
        self.draw = random.Random(seed)
        self.unfollowed: set[str] = set()

    async def happen(self) -> None:
        """Let one thing happen, or nothing."""
        books, draw = self.office.books, self.draw
        made = [each for each in books.tags.tags.values() if each.name.startswith("bc-")]
        match draw.choice(("fault", "fault", "stranger", "loss", "unfollow", "unnoticed", "deleted", "nothing")):
            case "fault":
                fault = draw.choice(KINDS)
                copy = Fault(kind=fault.kind, accepted=fault.accepted, code=fault.code)
                self.office.wechat.books.faults.add(f"/cgi-bin/{draw.choice(PATHS)}", copy)
            case "stranger" if made:
                books.tags.tag(made[0].id, ["oStranger"])
            case "loss" if made:
                books.tags.untag(made[0].id, [draw.choice(PEOPLE)])
            case "unfollow" if len(self.unfollowed) < 3:
                await self.office.unfollow(self._leaver())
            case "unnoticed" if len(self.unfollowed) < 3:
                books.unfollow(self._leaver())
            case "deleted" if made and draw.random() < 0.3:
                books.tags.delete(made[0].id)
            case _:
                pass

    def _leaver(self) -> str:
        leaver = self.draw.choice([each for each in PEOPLE if each not in self.unfollowed])
        self.unfollowed.add(leaver)
        return leaver

    async def work(self, job: Job) -> Job:
        """Let a worker take a slice, which may be stopped in the middle; another one takes the job up then."""
        working = asyncio.create_task(run_broadcast_slice(self.office.runtime, job))
        stopped = self.draw.random() < 0.3
        await asyncio.wait({working}, timeout=self.draw.uniform(0, 0.05) if stopped else None)
        if working.done():
            return working.result()
        working.cancel()
        with pytest.raises((asyncio.CancelledError, JobLeaseLostError)):
            await working
        return await self.office.book.take_up(job)


@pytest.mark.parametrize("seed", range(6))
async def test_everybody_who_was_planned_to_the_last_got_it_once(subscription_office: Office, seed: int) -> None:
    office, story = subscription_office, Story(subscription_office, seed)
    await office.follow(*PEOPLE)
    office.books.follow("oStranger", office.wechat.clock())
    office.wechat.books.behaviour.bad_openid = story.draw.choice([*BadOpenid])
    office.wechat.books.behaviour.new_tag_unlisted_for = timedelta(seconds=story.draw.choice((0, 20)))
    job = await office.start(PEOPLE, audience=to_json(FOLLOWERS), temporary_tag=True)

    for turn in range(MAX_TURNS):
        if turn < 12:
            await story.happen()
        job = await story.work(job)
        if job.state in {JobState.DONE, JobState.PAUSED}:
            break
        if job.state is not JobState.RUNNING:
            office.wechat.clock.advance(timedelta(minutes=11))
            job = await office.book.take_up(job)
    await office.runtime.shielded.drain(10)

    assert job.state is JobState.DONE, job.error
    receipts, taken = office.books.messages.receipts(), await office.taken(job)
    assert (await office.book.counts(job)) == {
        "planned": 0,
        "sent": len(taken),
        "failed": 0,
        "uncertain": 0,
        "held": len(PEOPLE) - len(taken),
    }
    assert set(receipts.values()) <= {1}
    assert set(receipts) <= taken
    # Whoever left at the last instant was sent to, for all one knows.
    assert taken - set(receipts) <= story.unfollowed
    assert set(PEOPLE) - story.unfollowed <= set(receipts)
    office.wechat.clock.advance(timedelta(days=4))
    office.wechat.books.faults.clear()
    await delete_finished_tags(office.runtime, office.channel)
    assert [each.name for each in office.books.tags.tags.values() if each.name.startswith("bc-")] == []
