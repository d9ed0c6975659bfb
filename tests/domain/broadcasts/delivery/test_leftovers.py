"""A worker clears away what broadcasts made at WeChat, channel by channel, and goes on where WeChat refuses."""

from dataclasses import replace

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.entities.expressions import tag, to_json
from service.worker.tasks.broadcast_leftovers import clear_broadcast_leftovers
from tests.domain.broadcasts.delivery.office import Office

SENDALL, DELETE_DRAFT = "/cgi-bin/message/mass/sendall", "/cgi-bin/draft/delete"
PEOPLE = ["oAda", "oBob"]


async def left(office: Office) -> tuple[int, int]:
    """Count the drafts of an account besides its own, and its temporary tags."""
    tags = [each for each in office.books.tags.tags.values() if each.name.startswith("bc-")]
    return len(office.books.drafts.drafts) - 1, len(tags)


async def cancel_one(office: Office) -> None:
    """Begin to send an article to a temporary tag, which WeChat refuses, and give it up."""
    await office.follow(*PEOPLE)
    draft = office.books.drafts.add([{"title": "Tea", "content": "Tea"}], office.wechat.clock())
    message = {"kind": "MASS_ARTICLE", "media_id": draft, "ignore_reprint": False}
    office.wechat.books.faults.add(SENDALL, Fault(kind=FaultKind.ERROR, code=45062))
    await office.send(await office.start(PEOPLE, message=message, audience=to_json(tag(9)), temporary_tag=True))
    await office.runtime.pool.execute("update job set state = 'CANCELLED'")


async def test_both_are_deleted_when_a_broadcast_is_over(subscription_office: Office) -> None:
    office = subscription_office
    await cancel_one(office)
    assert await left(office) == (1, 1)

    await clear_broadcast_leftovers({"runtime": office.runtime})
    assert await left(office) == (0, 0)
    await clear_broadcast_leftovers({"runtime": office.runtime})
    assert await left(office) == (0, 0)


async def test_what_wechat_refuses_is_tried_again(subscription_office: Office) -> None:
    office = subscription_office
    await cancel_one(office)
    office.wechat.books.faults.add(DELETE_DRAFT, Fault(kind=FaultKind.ERROR, code=40001, times=None))

    await clear_broadcast_leftovers({"runtime": office.runtime})
    assert await left(office) == (1, 0)
    office.wechat.books.faults.clear()
    await clear_broadcast_leftovers({"runtime": office.runtime})
    assert await left(office) == (0, 0)


async def test_where_acting_is_off_nothing_is_called(subscription_office: Office) -> None:
    office = subscription_office
    await cancel_one(office)
    off = replace(office.runtime, settings=replace(office.runtime.settings, acting=False))

    await clear_broadcast_leftovers({"runtime": off})
    assert await left(office) == (1, 1)
