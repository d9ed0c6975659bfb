"""Name what is taken over, and refuse what cannot be, before anything is made."""

import pytest

from service.domain.combos.editing import NewCombo, create_combo
from service.domain.combos.expressions import to_draft
from service.domain.official_account.remote_import import CATEGORY
from service.entities.errors import BadInputError, ErrorCode, LimitExceededError, RequestError
from service.entities.expressions import all_of, tag
from tests.dev.wechat_api.wechat import Wechat
from tests.domain.official_account.remote_import.importer import Importer
from tests.support.runtime import admin
from tests.support.tags import submission_of, submit


async def test_names_are_tidied_and_kept_apart(importer: Importer) -> None:
    plain, spaced = importer.tag("VIP"), importer.tag(" VIP\u200b")
    bad = importer.tag("a\u202eb")

    await importer.run(plain, spaced, bad)

    assert set(await importer.tags()) == {"VIP", f"VIP ({spaced})", f"Tag {bad}"}


async def test_a_name_that_another_tag_of_the_account_had_gets_the_id(importer: Importer) -> None:
    first = importer.tag("VIP", ["oAda"])
    await importer.run(first)
    importer.wechat.account.tags.tags[first].name = "Gold"
    second = importer.tag("VIP", ["oBob"])

    await importer.run(second)

    assert await importer.members("VIP") == {"oAda"}
    assert await importer.members(f"VIP ({second})") == {"oBob"}


async def test_what_integrators_hand_back_under_the_key_and_the_tag_are_one(importer: Importer) -> None:
    await submit(importer.runtime, importer.channel, submission_of(["oAda"], category=CATEGORY, label="VIP"))
    vip = importer.tag("VIP", ["oBob"])

    await importer.run(vip)

    assert await importer.members("VIP") == {"oAda", "oBob"}


async def test_names_that_are_taken_are_all_named_and_nothing_is_made(importer: Importer) -> None:
    one, two, free = importer.tag("One"), importer.tag("Two"), importer.tag("Free")
    channel_id = importer.channel.channel_id
    for name in ("One", "Two"):
        combo = NewCombo(CATEGORY, name, None, to_draft(channel_id, all_of(tag(1), tag(3))))
        await create_combo(importer.runtime, admin(), channel_id, combo)
    before = await importer.tags()

    with pytest.raises(RequestError) as raised:
        await importer.start(one, free, two)

    assert raised.value.code is ErrorCode.NAME_TAKEN
    assert [(error.path, error.code) for error in raised.value.fields] == [
        (("remote_tag_ids", 0), "NAME_TAKEN"),
        (("remote_tag_ids", 2), "NAME_TAKEN"),
    ]
    assert await importer.tags() == before
    assert await importer.runtime.pool.fetchval("select count(*) from remote_tag") == 0
    assert await importer.runtime.pool.fetchval("select count(*) from job") == 0


async def test_ids_that_the_account_does_not_have_are_named(importer: Importer) -> None:
    vip = importer.tag("VIP")

    with pytest.raises(RequestError) as raised:
        await importer.start(777, vip, -1)

    assert raised.value.code is ErrorCode.NOT_FOUND
    assert [error.path for error in raised.value.fields] == [("remote_tag_ids", 0), ("remote_tag_ids", 2)]
    assert await importer.tags() == {}


async def test_bad_ids_are_refused_before_anything_is_asked(importer: Importer, wechat: Wechat) -> None:
    with pytest.raises(BadInputError):
        await importer.start()
    with pytest.raises(LimitExceededError):
        await importer.start(*range(100, 201))
    with pytest.raises(RequestError) as raised:
        await importer.start(100, 2, 0)
    assert [(error.path, error.code) for error in raised.value.fields] == [
        (("remote_tag_ids", 1), "SYSTEM_TAG"),
        (("remote_tag_ids", 2), "SYSTEM_TAG"),
    ]
    assert not wechat.books.calls.outcomes


async def test_a_channel_without_room_for_the_tags_gets_none(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.domain.tags.catalogue.MAX_TAGS_PER_CHANNEL", 10)
    three = [importer.tag(f"T{number}") for number in range(3)]

    with pytest.raises(LimitExceededError):
        await importer.start(*three)

    assert await importer.tags() == {}
