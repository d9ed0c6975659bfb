"""Lists that are written together fail apart."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from service.domain.return_data.submission import ReturnRecorder
from service.domain.return_data.writing import SubmissionResult
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.storage.database.pool import UnstorableValueError
from tests.support.tags import members_of, submission_of


async def test_a_list_that_cannot_be_stored_fails_alone(runtime: Runtime, channel: Channel) -> None:
    beyond_all_times = datetime.max.replace(tzinfo=timezone(-timedelta(hours=14)))
    lists = [submission_of([f"person-{n}"]) for n in range(5)]
    lists[2] = replace(lists[2], expires_at=beyond_all_times)
    recorder = ReturnRecorder(runtime)
    outcomes = await asyncio.gather(*(recorder.submit(channel, each) for each in lists), return_exceptions=True)

    assert isinstance(outcomes.pop(2), UnstorableValueError)
    receipts = [each.receipt for each in outcomes if isinstance(each, SubmissionResult)]
    assert [receipt.added for receipt in receipts] == [1] * 4
    assert await members_of(runtime, channel, receipts[0].tag_id) == {f"person-{n}" for n in (0, 1, 3, 4)}
