"""Call for an account whose app secret, or which itself, was changed by somebody while a process was at it."""

from dataclasses import replace

import pytest

from service.domain.account_migration.account import NewAccount, change_account
from service.domain.channels.binding import ChannelUpdate, Credentials, update_channel
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.refusals import CallLaterError
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.foundation.settings import Settings
from service.wechat.api.errors import WechatError
from service.wechat.api.tag_calls import list_tags
from tests.dev.wechat_api.wechat import ACCOUNT, OTHER, Wechat
from tests.support.races import start_racing_process
from tests.support.runtime import admin

TAGS = "/cgi-bin/tags/get"
NEW_SECRET = "5eed5eed5eed5eed5eed5eed5eed5eed"
MIGRATED_TO = NewAccount(OTHER.app_id, NEW_SECRET)


def change_secret_at_wechat(wechat: Wechat, app_id: str = ACCOUNT.app_id) -> None:
    account = wechat.books.accounts[app_id]
    wechat.platform.register(replace(account.account, secret=NEW_SECRET))


async def give_new_secret(runtime: Runtime, channel: Channel) -> Channel:
    update = ChannelUpdate(None, None, Credentials(app_secret=NEW_SECRET))
    return await update_channel(runtime, admin(), channel.channel_id, update)


async def test_a_process_that_knew_the_app_secret_before_calls_with_the_present_one(
    runtime: Runtime, channel: Channel, wechat: Wechat
) -> None:
    await call_wechat(runtime, channel, list_tags())
    change_secret_at_wechat(wechat)
    await give_new_secret(runtime, channel)

    assert await call_wechat(runtime, channel, list_tags())


async def test_a_refusal_of_the_app_secret_before_stops_nobody_who_has_the_present_one(
    database_url: str, runtime: Runtime, settings: Settings, channel: Channel, wechat: Wechat
) -> None:
    change_secret_at_wechat(wechat)
    async with start_racing_process(
        database_url, "late", clock=wechat.clock, settings=settings, weakened={}, transactions=True
    ) as late:
        refused = late.pause_before("lock_wechat_account")
        calling = late.start(call_wechat(late.runtime, channel, list_tags()))
        await refused.wait_reached()
        changed = await give_new_secret(runtime, channel)
        refused.release()

        with pytest.raises(WechatError, match="40125"):
            await calling
    assert await call_wechat(runtime, changed, list_tags())


@pytest.mark.parametrize("called_before", [True, False])
@pytest.mark.parametrize("called_since", [True, False])
async def test_nobody_calls_one_account_for_the_other_once_a_channel_was_migrated(
    runtime: Runtime, channel: Channel, wechat: Wechat, *, called_before: bool, called_since: bool
) -> None:
    change_secret_at_wechat(wechat, OTHER.app_id)
    if called_before:
        await call_wechat(runtime, channel, list_tags())
    changed = await change_account(runtime, admin(), channel.channel_id, MIGRATED_TO)
    if called_since:
        await call_wechat(runtime, changed, list_tags())
    made = wechat.books.calls.count(ACCOUNT.app_id, TAGS)

    with pytest.raises(CallLaterError, match="another account"):
        await call_wechat(runtime, channel, list_tags())

    await call_wechat(runtime, changed, list_tags())
    assert wechat.books.calls.count(ACCOUNT.app_id, TAGS) == made
    assert wechat.books.calls.count(OTHER.app_id, TAGS) == 1 + called_since


def test_credentials_that_are_given_are_not_shown_where_they_are_logged() -> None:
    given = Credentials(app_secret=NEW_SECRET, callback_token=NEW_SECRET, encoding_aes_key=NEW_SECRET)
    assert NEW_SECRET not in repr((ChannelUpdate(None, None, given), MIGRATED_TO))
