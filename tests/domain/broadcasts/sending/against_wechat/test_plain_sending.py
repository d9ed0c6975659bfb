"""Send every kind to everybody once."""

import pytest

from service.entities.broadcasts import MessageKind
from service.entities.jobs import JobState
from tests.domain.broadcasts.sending.against_wechat.post import Post

KINDS = (
    MessageKind.MASS_TEXT,
    MessageKind.TEMPLATE,
    MessageKind.CUSTOMER_SERVICE_TEXT,
    MessageKind.SERVICE_SUBSCRIPTION,
)


@pytest.mark.parametrize("kind", KINDS)
async def test_everybody_gets_it_once(post: Post, kind: MessageKind) -> None:
    people = await post.people(40)

    job = await post.send(kind, people)

    assert job.state is JobState.DONE, job.error
    assert post.received() == dict.fromkeys(people, 1)
    assert await post.book.counts(job) == {"planned": 0, "sent": 40, "failed": 0, "uncertain": 0, "held": 0}
