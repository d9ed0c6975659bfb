"""One working example of each mutation: what it needs is made first, then it is returned to be carried out."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, NamedTuple

from service.entities.jobs import JobState
from tests.api.audited.office import LABEL, OPENID, OTHER_OPENID, PLANTED, SECRETS, TEXT, Office
from tests.support import webhooks
from tests.support.robot import iso_time_ago


class Call(NamedTuple):
    """Hold a mutation to carry out, and in which role."""

    text: str
    variables: dict[str, Any]
    role: str = "admin"


Example = Callable[[Office], Awaitable[Call]]
EXAMPLES: Final[dict[str, Example]] = {}
DAY: Final = timedelta(days=1)
SYNC: Final = "mutation($input: SyncInput!) { syncToOfficialAccount(input: $input) { sync { id } } }"
IMPORT: Final = "mutation($id: ID!) { importFollowers(channelId: $id) { job { id } } }"
JOBS: Final = "query($id: ID!) { channel(id: $id) { jobs { nodes { id } } } }"
CANCEL: Final = "mutation($id: ID!) { cancelJob(id: $id) { job { id } } }"
HOOK: Final = f"{webhooks.URL}/{PLANTED}?token={PLANTED}"
BROADCAST: Final = "mutation($id: ID!) {{ {act}(id: $id) {{ broadcast {{ id }} }} }}"


def example(make: Example) -> Example:
    """Take an example, under the name of the mutation that the function has."""
    first, *rest = make.__name__.split("_")
    EXAMPLES[first + "".join(part.capitalize() for part in rest)] = make
    return make


@example
async def bind_channel(office: Office) -> Call:
    given = {"kind": "SERVICE_ACCOUNT", "appId": office.robot.app_id(2), "name": "Second", "verified": True, **SECRETS}
    return Call(
        "mutation($input: BindChannelInput!) { bindChannel(input: $input) { channel { id } } }", {"input": given}
    )


@example
async def update_channel(office: Office) -> Call:
    given = {"id": office.channel, "name": "Another name", **SECRETS}
    text = "mutation($input: UpdateChannelInput!) { updateChannel(input: $input) { channel { id } } }"
    return Call(text, {"input": given})


@example
async def unbind_channel(office: Office) -> Call:
    return Call("mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }", {"id": office.channel})


@example
async def reset_channel_addresses(office: Office) -> Call:
    text = "mutation($id: ID!) { resetChannelAddresses(channelId: $id) { channel { id } } }"
    return Call(text, {"id": office.channel})


@example
async def import_followers(office: Office) -> Call:
    [running] = (await office.robot.ask(JOBS, id=office.channel))["channel"]["jobs"]["nodes"]
    await office.do(CANCEL, id=running["id"])
    return Call(IMPORT, {"id": office.channel})


@example
async def cancel_job(office: Office) -> Call:
    [running] = (await office.robot.ask(JOBS, id=office.channel))["channel"]["jobs"]["nodes"]
    return Call(CANCEL, {"id": running["id"]})


@example
async def forget_user(office: Office) -> Call:
    text = "mutation($id: ID!, $openid: String!) { forgetUser(channelId: $id, openid: $openid) { forgotten } }"
    return Call(text, {"id": office.channel, "openid": OPENID})


@example
async def migrate_openids(office: Office) -> Call:
    text = "mutation($input: MigrateOpenidsInput!) { migrateOpenids(input: $input) { moved } }"
    pairs = [{"from": each, "to": f"{each}-new"} for each in (OPENID, OTHER_OPENID)]
    account = {"newAppId": office.robot.app_id(7), "newAppSecret": SECRETS["appSecret"]}
    return Call(text, {"input": {"channelId": office.channel, "pairs": pairs, **account}})


@example
async def obtain_return_endpoint(office: Office) -> Call:
    del office
    return Call("mutation { obtainReturnEndpoint { returnEndpoint { id } } }", {})


@example
async def reset_return_key(office: Office) -> Call:
    await office.do("mutation { obtainReturnEndpoint { returnEndpoint { id } } }")
    return Call("mutation { resetReturnKey { returnEndpoint { id } } }", {})


@example
async def undo_return_batch(office: Office) -> Call:
    text = "mutation($id: ID!) { undoReturnBatch(receiptId: $id) { receipt { id } } }"
    return Call(text, {"id": (await office.returned())["id"]}, "integrator")


@example
async def create_ad_tag(office: Office) -> Call:
    given = {"channelId": office.channel, "name": "Autumn", "adIds": ["7", "8"]}
    return Call("mutation($input: CreateAdTagInput!) { createAdTag(input: $input) { tag { id } } }", {"input": given})


@example
async def update_ad_tag(office: Office) -> Call:
    tag = await office.robot.create_ad_tag(office.channel, "Autumn", "7", "8")
    given = {"id": tag, "name": "Winter", "adIds": ["8", "9"]}
    return Call("mutation($input: UpdateAdTagInput!) { updateAdTag(input: $input) { tag { id } } }", {"input": given})


@example
async def confirm_ad_return_address(office: Office) -> Call:
    await office.robot.create_ad_tag(office.channel, "Autumn", "7")
    text = "mutation($id: ID!) { confirmAdReturnAddress(channelId: $id) { channel { id } } }"
    return Call(text, {"id": office.channel})


@example
async def create_combo_tag(office: Office) -> Call:
    given = {"channelId": office.channel, "name": "Fresh", "expression": {"tag": await office.tag()}}
    text = "mutation($input: CreateComboTagInput!) { createComboTag(input: $input) { tag { id } } }"
    return Call(text, {"input": given})


@example
async def update_combo_tag(office: Office) -> Call:
    given = {"id": await office.combo(), "name": "Stale", "expression": {"tag": await office.tag("Touchable")}}
    text = "mutation($input: UpdateComboTagInput!) { updateComboTag(input: $input) { tag { id } } }"
    return Call(text, {"input": given})


@example
async def rename_tag(office: Office) -> Call:
    tag = (await office.returned())["tag"]["id"]
    text = (
        'mutation($id: ID!, $name: String!) { renameTag(id: $id, name: $name, description: "PLANTED") { tag { id } } }'
    )
    return Call(text, {"id": tag, "name": f"{LABEL} again"})


@example
async def delete_tag(office: Office) -> Call:
    tag = (await office.returned())["tag"]["id"]
    return Call("mutation($id: ID!) { deleteTag(id: $id) { deletedId } }", {"id": tag})


@example
async def sync_to_official_account(office: Office) -> Call:
    tag = (await office.returned())["tag"]["id"]
    names = [{"tagId": tag, "name": f"{PLANTED} VIP"}]
    return Call(SYNC, {"input": {"channelId": office.channel, "tagIds": [tag], "remoteNames": names, "dryRun": True}})


@example
async def apply_sync(office: Office) -> Call:
    given = {"channelId": office.channel, "tagIds": [await office.combo()], "dryRun": True}
    sync = (await office.do(SYNC, input=given))["sync"]["id"]
    await office.work(sync)
    plan = (await office.robot.ask("query($id: ID!) { officialAccountSync(id: $id) { planHash } }", id=sync)).data
    text = "mutation($id: ID!, $hash: String!) { applySync(syncId: $id, planHash: $hash) { sync { id } } }"
    return Call(text, {"id": sync, "hash": plan["officialAccountSync"]["planHash"]})


@example
async def set_keep_in_sync(office: Office) -> Call:
    text = "mutation($ids: [ID!]!) { setKeepInSync(tagIds: $ids, keepInSync: true) { tags { id } } }"
    return Call(text, {"ids": [await office.linked()]})


@example
async def unlink_official_account_tag(office: Office) -> Call:
    text = "mutation($id: ID!) { unlinkOfficialAccountTag(tagId: $id, deleteRemote: true) { tags { id } } }"
    return Call(text, {"id": await office.linked()})


@example
async def import_remote_tags(office: Office) -> Call:
    remote = office.books.tags.create(f"{PLANTED} tag", office.wechat.clock())
    text = "mutation($id: ID!, $ids: [Int!]!) { importRemoteTags(channelId: $id, remoteTagIds: $ids) { job { id } } }"
    return Call(text, {"id": office.channel, "ids": [remote.id]})


@example
async def export_audience(office: Office) -> Call:
    given = {"channelId": office.channel, "expression": {"followers": True}}
    text = "mutation($input: ExportAudienceInput!) { exportAudience(input: $input) { job { id } } }"
    return Call(text, {"input": given})


@example
async def create_broadcast(office: Office) -> Call:
    given = {"channelId": office.channel, "audience": {"followers": True}, "message": TEXT, "idempotencyKey": PLANTED}
    overrides = {"ignoreCaps": True, "ignoreQuietHours": True}
    text = "mutation($input: CreateBroadcastInput!) { createBroadcast(input: $input) { broadcast { id } } }"
    return Call(text, {"input": given | overrides}, "creator")


@example
async def update_broadcast(office: Office) -> Call:
    given = {"id": await office.broadcast(), "name": "Spring", "message": TEXT, "startAt": iso_time_ago(-DAY)}
    text = "mutation($input: UpdateBroadcastInput!) { updateBroadcast(input: $input) { broadcast { id } } }"
    return Call(text, {"input": given})


@example
async def approve_broadcast(office: Office) -> Call:
    return Call(BROADCAST.format(act="approveBroadcast"), {"id": await office.broadcast()})


@example
async def pause_broadcast(office: Office) -> Call:
    return Call(BROADCAST.format(act="pauseBroadcast"), {"id": await office.broadcast()})


@example
async def resume_broadcast(office: Office) -> Call:
    return Call(BROADCAST.format(act="resumeBroadcast"), {"id": await office.broadcast(JobState.PAUSED)})


@example
async def retry_broadcast(office: Office) -> Call:
    return Call(BROADCAST.format(act="retryBroadcast"), {"id": await office.broadcast(JobState.DONE)})


@example
async def cancel_broadcast(office: Office) -> Call:
    return Call(BROADCAST.format(act="cancelBroadcast"), {"id": await office.broadcast()})


@example
async def set_broadcast_policy(office: Office) -> Call:
    given = {"channelId": office.channel, "quietHours": {"from": "22:00", "to": "08:00"}, "perPersonPerDay": 1}
    text = "mutation($input: BroadcastPolicyInput!) { setBroadcastPolicy(input: $input) { channel { id } } }"
    return Call(text, {"input": given})


@example
async def send_test_message(office: Office) -> Call:
    text = """mutation($id: ID!, $message: BroadcastMessageInput!, $openids: [String!]!) {
      sendTestMessage(channelId: $id, message: $message, openids: $openids) { results { sent } }
    }"""
    return Call(text, {"id": office.channel, "message": TEXT, "openids": [OPENID]})


@example
async def export_audit_log(office: Office) -> Call:
    del office
    return Call("mutation { exportAuditLog { url } }", {})


@example
async def merge_tag(office: Office) -> Call:
    ids = {"from": (await office.returned())["tag"]["id"], "into": (await office.returned(f"{LABEL} too"))["tag"]["id"]}
    preview = "query($from: ID!, $into: ID!) { mergeTagPreview(from: $from, into: $into) { hash } }"
    found = (await office.robot.ask(preview, **ids))["mergeTagPreview"]
    text = """mutation($from: ID!, $into: ID!, $hash: String!) {
      mergeTag(from: $from, into: $into, previewHash: $hash) { job { id } }
    }"""
    return Call(text, {**ids, "hash": found["hash"]})


@example
async def create_webhook_endpoint(office: Office) -> Call:
    del office
    return Call(webhooks.CREATE, {"input": {"url": HOOK, "events": ["TAG_CREATED"]}})


@example
async def update_webhook_endpoint(office: Office) -> Call:
    return Call(webhooks.UPDATE, {"input": {"id": await office.endpoint(), "url": HOOK, "enabled": False}})


@example
async def delete_webhook_endpoint(office: Office) -> Call:
    return Call(webhooks.DELETE, {"id": await office.endpoint()})


@example
async def rotate_webhook_secret(office: Office) -> Call:
    return Call(webhooks.ROTATE, {"id": await office.endpoint()})


@example
async def replay_webhook(office: Office) -> Call:
    since = {"since": iso_time_ago(timedelta(0))}
    return Call(webhooks.REPLAY, {"id": await office.endpoint(), "channelId": office.channel, **since})


@example
async def test_webhook(office: Office) -> Call:
    return Call(webhooks.TEST, {"id": await office.endpoint()})


@example
async def resend_webhook_delivery(office: Office) -> Call:
    delivery = await office.do(webhooks.TEST, id=await office.endpoint())
    return Call(webhooks.RESEND, {"id": delivery["id"]})
