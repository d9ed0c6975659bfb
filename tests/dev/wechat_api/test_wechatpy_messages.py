"""Send messages through wechatpy, a client that nobody here wrote, and let it read the results."""

from datetime import timedelta

import pytest

from service.dev.demo.push_encoder import encode_body
from tests.dev.wechat_api.wechat import MINI_PROGRAM, open_wechat
from tests.dev.wechat_api.wechatpy_client import WeChatClientException, client_of, parse_message, run


async def test_many_people_are_sent_to_asked_about_and_told_of() -> None:
    async with open_wechat() as wechat:
        client = client_of(wechat)
        crowd = wechat.crowd(3)
        sent = await run(client, lambda client: client.message.send_mass_text(crowd, "茶", client_msg_id="b1-0"))
        with pytest.raises(WeChatClientException, match="45065"):
            await run(client, lambda client: client.message.send_mass_text(crowd, "茶", client_msg_id="b1-0"))
        wechat.clock.advance(timedelta(seconds=1))
        found = await run(client, lambda client: client.message.get_mass(sent["msg_id"]))
        [result] = wechat.account.results.take_due(wechat.clock())
        told = parse_message(encode_body(result.fields, "xml"))

    assert found == {"msg_id": sent["msg_id"], "msg_status": "SEND_SUCCESS"}
    assert (told.event, told.id, told.status) == ("masssendjobfinish", sent["msg_id"], "send success")
    assert (told.total_count, told.filter_count, told.sent_count, told.error_count) == (3, 3, 3, 0)
    assert wechat.texts(crowd[0]) == ["茶"]


async def test_a_tag_all_or_one_person_are_sent_to() -> None:
    async with open_wechat() as wechat:
        client = client_of(wechat)
        ada, bob = wechat.follow("oAda-DemoPerson-000000000001", "oBob-DemoPerson-000000000002")
        tag_id = await wechat.new_tag()
        wechat.account.tags.tag(tag_id, [ada])
        await run(client, lambda client: client.message.send_mass_text(tag_id, "Tag"))
        await run(client, lambda client: client.message.send_mass_text(None, "All", is_to_all=True))
        await run(client, lambda client: client.message.send_mass_text(bob, "Preview", preview=True))
        await run(client, lambda client: client.message.send_mass_text("bob", "Preview", preview=True))

    assert [wechat.texts(each) for each in (ada, bob, "bob")] == [["Tag", "All"], ["All", "Preview"], ["Preview"]]


async def test_articles_are_sent_once_and_taken_back() -> None:
    async with open_wechat() as wechat:
        client = client_of(wechat)
        crowd = wechat.crowd(2)
        media_id = (await wechat.call("draft/add", {"articles": [{"title": "茶", "content": "<p>茶</p>"}]}))["media_id"]
        sent = await run(client, lambda client: client.message.send_mass_article(crowd, media_id))
        with pytest.raises(WeChatClientException, match="40007"):
            await run(client, lambda client: client.message.send_mass_article(crowd, media_id, client_msg_id="b1-1"))
        wechat.clock.advance(timedelta(seconds=1))
        await run(client, lambda client: client.message.delete_mass(sent["msg_id"]))
        found = await run(client, lambda client: client.message.get_mass(sent["msg_id"]))

    assert found["msg_status"] == "DELETE"
    assert [each.content["articles"][0]["title"] for each in wechat.account.messages.of(crowd[0])] == ["茶"]


async def test_one_person_is_written_to_in_each_way() -> None:
    async with open_wechat() as wechat:
        client = client_of(wechat)
        wechat.follow("oAda")
        wechat.account.templates.add("T1", "thing1")
        wechat.account.templates.add("S1", "thing1", subscription=True)
        wechat.account.consents.accept("oAda", "S1")
        data = {"thing1": {"value": "茶"}}
        await run(client, lambda client: client.message.send_text("oAda", "茶"))
        sent = await run(client, lambda client: client.message.send_template("oAda", "T1", data))
        await run(client, lambda client: client.message.send_subscribe_message("oAda", "S1", data))
        with pytest.raises(WeChatClientException, match="43101"):
            await run(client, lambda client: client.message.send_subscribe_message("oAda", "S1", data))
        with pytest.raises(WeChatClientException, match="47003"):
            await run(client, lambda client: client.message.send_template("oAda", "T1", {"thing1": {"value": ""}}))
        template, _ = wechat.account.results.take_due(wechat.clock())
        told = parse_message(encode_body(template.fields, "xml"))

    assert [each.sent_by for each in wechat.account.messages.of("oAda")] == ["CUSTOM", "TEMPLATE", "SUBSCRIPTION"]
    assert (told.event, told.id, told.status) == ("templatesendjobfinish", sent["msgid"], "success")


async def test_a_mini_program_sends_what_somebody_accepted() -> None:
    async with open_wechat() as wechat:
        client = client_of(wechat, MINI_PROGRAM)
        account = wechat.books.accounts[MINI_PROGRAM.app_id]
        account.people.user("oAda")
        account.templates.add("S1", "thing1", subscription=True)
        account.consents.accept("oAda", "S1")
        data = {"thing1": {"value": "茶"}}
        sent = await run(client, lambda client: client.wxa.send_subscribe_message("oAda", "S1", data, "pages/tea"))

    assert [each.msg_id for each in account.messages.of("oAda")] == [sent["msgid"]]
