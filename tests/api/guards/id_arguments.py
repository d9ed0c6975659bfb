"""List every argument of the schema that takes an id, with an operation that uses it."""

from collections.abc import Iterator
from typing import Final

from graphql import GraphQLInputObjectType, GraphQLInputType, GraphQLObjectType, GraphQLSchema, get_named_type

# Every place of the schema that takes an id, with an operation that uses it.
PLACES: Final = {
    "Query.node(id)": "query($id: ID!) { node(id: $id) { id } }",
    "Query.nodes(ids)": "query($id: ID!) { nodes(ids: [$id]) { id } }",
    "Query.channel(id)": "query($id: ID!) { channel(id: $id) { id } }",
    "Query.tag(id)": "query($id: ID!) { tag(id: $id) { id } }",
    "Query.user(channelId)": 'query($id: ID!) { user(channelId: $id, openid: "ada") { id } }',
    "Query.users(channelId)": 'query($id: ID!) { users(channelId: $id, openids: ["ada"]) { id } }',
    "Query.audience(channelId)": """
        query($id: ID!) { audience(channelId: $id, expression: {tag: "$tag"}) { id } }""",
    "Query.audience(expression.tag)": """
        query($id: ID!) { audience(channelId: "$channel", expression: {any: [{tag: $id}]}) { id } }""",
    "Query.audience(expression.received)": """
        query($id: ID!) { audience(channelId: "$channel", expression: {any: [{received: $id}]}) { id } }""",
    "Query.broadcastPreview(input.channelId)": """
        query($id: ID!) {
          broadcastPreview(input: {channelId: $id, audience: {tag: "$tag"}, kind: MASS_TEXT}) { matched }
        }""",
    "Query.broadcastPreview(input.audience.tag)": """
        query($id: ID!) {
          broadcastPreview(input: {channelId: "$channel", audience: {tag: $id}, kind: MASS_TEXT}) { matched }
        }""",
    "Query.broadcastPreview(input.audience.received)": """
        query($id: ID!) {
          broadcastPreview(input: {channelId: "$channel", audience: {received: $id}, kind: MASS_TEXT}) { matched }
        }""",
    "Mutation.createBroadcast(input.channelId)": """
        mutation($id: ID!) {
          createBroadcast(
            input: {
              channelId: $id, audience: {tag: "$tag"}, message: {massText: {text: "Hello"}}, idempotencyKey: "k"
            }
          ) { broadcast { id } }
        }""",
    "Mutation.createBroadcast(input.audience.tag)": """
        mutation($id: ID!) {
          createBroadcast(
            input: {
              channelId: "$channel", audience: {tag: $id}, message: {massText: {text: "Hello"}}, idempotencyKey: "k"
            }
          ) { broadcast { id } }
        }""",
    "Mutation.createBroadcast(input.audience.received)": """
        mutation($id: ID!) {
          createBroadcast(
            input: {
              channelId: "$channel", audience: {received: $id}, message: {massText: {text: "Hi"}}, idempotencyKey: "k"
            }
          ) { broadcast { id } }
        }""",
    "Mutation.updateBroadcast(input.id)": """
        mutation($id: ID!) { updateBroadcast(input: {id: $id, name: "Mine"}) { broadcast { id } } }""",
    "Mutation.updateBroadcast(input.audience.tag)": """
        mutation($id: ID!) {
          updateBroadcast(input: {id: "$broadcast", audience: {tag: $id}}) { broadcast { id } }
        }""",
    "Mutation.updateBroadcast(input.audience.received)": """
        mutation($id: ID!) {
          updateBroadcast(input: {id: "$broadcast", audience: {received: $id}}) { broadcast { id } }
        }""",
    "Query.tagOverlap(tagIds)": 'query($id: ID!) { tagOverlap(tagIds: [$id, "$combo"]) { both } }',
    "Query.massPostingTags(channelId)": "query($id: ID!) { massPostingTags(channelId: $id) { id } }",
    "Query.tagHints(channelId)": "query($id: ID!) { tagHints(channelId: $id) { text } }",
    "Query.job(id)": "query($id: ID!) { job(id: $id) { id } }",
    "Query.broadcast(id)": "query($id: ID!) { broadcast(id: $id) { id } }",
    "Mutation.approveBroadcast(id)": "mutation($id: ID!) { approveBroadcast(id: $id) { broadcast { id } } }",
    "Mutation.pauseBroadcast(id)": "mutation($id: ID!) { pauseBroadcast(id: $id) { broadcast { id } } }",
    "Mutation.resumeBroadcast(id)": "mutation($id: ID!) { resumeBroadcast(id: $id) { broadcast { id } } }",
    "Mutation.retryBroadcast(id)": "mutation($id: ID!) { retryBroadcast(id: $id) { broadcast { id } } }",
    "Mutation.cancelBroadcast(id)": "mutation($id: ID!) { cancelBroadcast(id: $id) { broadcast { id } } }",
    "Mutation.importFollowers(channelId)": """
        mutation($id: ID!) { importFollowers(channelId: $id) { alreadyRunning } }""",
    "Query.remoteTags(channelId)": "query($id: ID!) { remoteTags(channelId: $id) { name } }",
    "Query.officialAccountSync(id)": "query($id: ID!) { officialAccountSync(id: $id) { id } }",
    "Query.deleteTagPreview(id)": "query($id: ID!) { deleteTagPreview(id: $id) { tag { id } } }",
    "Query.comboTagEditPreview(id)": """
        query($id: ID!) { comboTagEditPreview(id: $id, expression: {tag: "$tag"}) { gains } }""",
    "Query.comboTagEditPreview(expression.tag)": """
        query($id: ID!) { comboTagEditPreview(id: "$combo", expression: {any: [{tag: $id}]}) { gains } }""",
    "Mutation.createComboTag(input.channelId)": """
        mutation($id: ID!) {
          createComboTag(input: {channelId: $id, name: "mine", expression: {tag: "$tag"}}) { tag { id } }
        }""",
    "Mutation.createComboTag(input.expression.tag)": """
        mutation($id: ID!) {
          createComboTag(input: {channelId: "$channel", name: "mine", expression: {tag: $id}}) { tag { id } }
        }""",
    "Mutation.updateComboTag(input.id)": """
        mutation($id: ID!) { updateComboTag(input: {id: $id, name: "mine"}) { tag { id } } }""",
    "Mutation.updateComboTag(input.expression.tag)": """
        mutation($id: ID!) { updateComboTag(input: {id: "$combo", expression: {tag: $id}}) { tag { id } } }""",
    "Mutation.renameTag(id)": 'mutation($id: ID!) { renameTag(id: $id, name: "mine") { tag { id } } }',
    "Mutation.deleteTag(id)": "mutation($id: ID!) { deleteTag(id: $id) { tag { id } } }",
    "Mutation.updateChannel(input.id)": """
        mutation($id: ID!) { updateChannel(input: {id: $id, name: "mine"}) { channel { id } } }""",
    "Mutation.setBroadcastPolicy(input.channelId)": """
        mutation($id: ID!) {
          setBroadcastPolicy(input: {channelId: $id, quietHours: {from: "21:00", to: "09:00"}}) { channel { id } }
        }""",
    "Mutation.unbindChannel(id)": "mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }",
    "Mutation.resetChannelAddresses(channelId)": """
        mutation($id: ID!) { resetChannelAddresses(channelId: $id) { channel { id } } }""",
    "Mutation.sendTestMessage(channelId)": """
        mutation($id: ID!) {
          sendTestMessage(channelId: $id, message: {massText: {text: "Hello"}}, openids: ["ada"]) { results { sent } }
        }""",
    "Mutation.setKeepInSync(tagIds)": """
        mutation($id: ID!) { setKeepInSync(tagIds: [$id], keepInSync: false) { tags { id } } }""",
    "Mutation.unlinkOfficialAccountTag(tagId)": """
        mutation($id: ID!) { unlinkOfficialAccountTag(tagId: $id) { tags { id } } }""",
    "Mutation.exportAudience(input.channelId)": """
        mutation($id: ID!) {
          exportAudience(input: {channelId: $id, expression: {tag: "$tag"}}) { job { id } }
        }""",
    "Mutation.exportAudience(input.expression.tag)": """
        mutation($id: ID!) {
          exportAudience(input: {channelId: "$channel", expression: {tag: $id}}) { job { id } }
        }""",
    "Mutation.exportAudience(input.expression.received)": """
        mutation($id: ID!) {
          exportAudience(input: {channelId: "$channel", expression: {received: $id}}) { job { id } }
        }""",
    "Mutation.syncToOfficialAccount(input.channelId)": """
        mutation($id: ID!) {
          syncToOfficialAccount(input: {channelId: $id, tagIds: ["$tag"], dryRun: true}) { sync { id } }
        }""",
    "Mutation.syncToOfficialAccount(input.tagIds)": """
        mutation($id: ID!) {
          syncToOfficialAccount(input: {channelId: "$channel", tagIds: [$id], dryRun: true}) { sync { id } }
        }""",
    "Mutation.syncToOfficialAccount(input.remoteNames.tagId)": """
        mutation($id: ID!) {
          syncToOfficialAccount(
            input: {channelId: "$channel", tagIds: [$id], remoteNames: [{tagId: $id, name: "Mine"}], dryRun: true}
          ) { sync { id } }
        }""",
    "Mutation.applySync(syncId)": """
        mutation($id: ID!) { applySync(syncId: $id, planHash: "none") { sync { id } } }""",
    "Mutation.cancelJob(id)": "mutation($id: ID!) { cancelJob(id: $id) { job { id } } }",
    "Mutation.recordEvents(input.channelId)": """
        mutation($id: ID!) {
          recordEvents(input: {channelId: $id, events: [{openid: "eve", kind: FOLLOW, at: "2026-01-01T00:00:00Z"}]}) {
            accepted
          }
        }""",
    "Mutation.importRemoteTags(channelId)": """
        mutation($id: ID!) { importRemoteTags(channelId: $id, remoteTagIds: [100]) { job { id } } }""",
    "Mutation.linkIdentities(input.channelId)": """
        mutation($id: ID!) {
          linkIdentities(input: {channelId: $id, pairs: [{openid: "eve", unionid: "u"}]}) { linked }
        }""",
    "Mutation.submitReturnData(input.channelId)": """
        mutation($id: ID!) {
          submitReturnData(input: {channelId: $id, category: "Level", label: "Gold", openids: ["eve"]}) {
            receipt { id }
          }
        }""",
    "Mutation.submitReturnData(input.openidsOf)": """
        mutation($id: ID!) {
          submitReturnData(
            input: {channelId: $id, category: "Level", label: "Gold", openids: ["eve"], openidsOf: $id}
          ) { receipt { added } }
        }""",
    "Mutation.undoReturnBatch(receiptId)": "mutation($id: ID!) { undoReturnBatch(receiptId: $id) { removed } }",
    "Mutation.createAdTag(input.channelId)": """
        mutation($id: ID!) { createAdTag(input: {channelId: $id, name: "Mine", adIds: ["1"]}) { tag { id } } }""",
    "Mutation.updateAdTag(input.id)": """
        mutation($id: ID!) { updateAdTag(input: {id: $id, name: "Mine"}) { tag { id } } }""",
    "Mutation.confirmAdReturnAddress(channelId)": """
        mutation($id: ID!) { confirmAdReturnAddress(channelId: $id) { channel { id } } }""",
    "Mutation.migrateOpenids(input.channelId)": """
        mutation($id: ID!) {
          migrateOpenids(input: {channelId: $id, pairs: [{from: "ada", to: "eve"}]}) { moved }
        }""",
    "Mutation.forgetUser(channelId)": """
        mutation($id: ID!) { forgetUser(channelId: $id, openid: "ada") { forgotten } }""",
    "Mutation.createWebhookEndpoint(input.channelIds)": """
        mutation($id: ID!) {
          createWebhookEndpoint(
            input: {url: "https://1.1.1.1/hooks", channelIds: [$id], events: [TAG_CREATED]}
          ) { endpoint { id } }
        }""",
    "Mutation.createWebhookEndpoint(input.tagIds)": """
        mutation($id: ID!) {
          createWebhookEndpoint(
            input: {url: "https://1.1.1.1/hooks", channelIds: ["$channel"], events: [TAG_CREATED], tagIds: [$id]}
          ) { endpoint { id } }
        }""",
    "Mutation.updateWebhookEndpoint(input.id)": """
        mutation($id: ID!) { updateWebhookEndpoint(input: {id: $id, description: "mine"}) { endpoint { id } } }""",
    "Mutation.updateWebhookEndpoint(input.channelIds)": """
        mutation($id: ID!) {
          updateWebhookEndpoint(input: {id: "$webhook", channelIds: [$id]}) { endpoint { id } }
        }""",
    "Mutation.updateWebhookEndpoint(input.tagIds)": """
        mutation($id: ID!) { updateWebhookEndpoint(input: {id: "$webhook", tagIds: [$id]}) { endpoint { id } } }""",
    "Mutation.deleteWebhookEndpoint(id)": "mutation($id: ID!) { deleteWebhookEndpoint(id: $id) { deletedId } }",
    "Mutation.rotateWebhookSecret(id)": "mutation($id: ID!) { rotateWebhookSecret(id: $id) { endpoint { id } } }",
    "Mutation.replayWebhook(id)": """
        mutation($id: ID!) {
          replayWebhook(id: $id, channelId: "$channel", since: "2026-01-01T00:00:00Z") { endpoint { id } }
        }""",
    "Mutation.replayWebhook(channelId)": """
        mutation($id: ID!) {
          replayWebhook(id: "$webhook", channelId: $id, since: "2026-01-01T00:00:00Z") { endpoint { id } }
        }""",
    "Mutation.testWebhook(id)": "mutation($id: ID!) { testWebhook(id: $id) { id } }",
    "Mutation.resendWebhookDelivery(id)": "mutation($id: ID!) { resendWebhookDelivery(id: $id) { id } }",
    "Query.mergeTagPreview(from)": """
        query($id: ID!) { mergeTagPreview(from: $id, into: "$other ad tag") { gains } }""",
    "Query.mergeTagPreview(into)": """
        query($id: ID!) { mergeTagPreview(from: "$other ad tag", into: $id) { gains } }""",
    "Mutation.mergeTag(from)": """
        mutation($id: ID!) { mergeTag(from: $id, into: "$other ad tag", previewHash: "none") { job { id } } }""",
    "Mutation.mergeTag(into)": """
        mutation($id: ID!) { mergeTag(from: "$other ad tag", into: $id, previewHash: "none") { job { id } } }""",
    "Subscription.userTags(channelId)": """
        subscription($id: ID!) { userTags(channelId: $id, openid: "ada") { cursor } }""",
    "Subscription.jobProgress(id)": "subscription($id: ID!) { jobProgress(id: $id) { id } }",
    "Subscription.tagEvents(channelId)": 'subscription($id: ID!) { tagEvents(channelId: $id, after: "") { cursor } }',
}
# What each place takes; all the others take a channel.
TAKES: Final = {
    "Query.node(id)": "user",
    "Query.nodes(ids)": "user",
    "Query.tag(id)": "tag",
    "Query.audience(expression.tag)": "tag",
    "Query.audience(expression.received)": "broadcast",
    "Query.broadcastPreview(input.audience.tag)": "tag",
    "Query.broadcastPreview(input.audience.received)": "broadcast",
    "Mutation.createBroadcast(input.audience.tag)": "tag",
    "Mutation.updateBroadcast(input.id)": "broadcast",
    "Mutation.updateBroadcast(input.audience.tag)": "tag",
    "Mutation.updateBroadcast(input.audience.received)": "broadcast",
    "Mutation.createBroadcast(input.audience.received)": "broadcast",
    "Mutation.exportAudience(input.expression.received)": "broadcast",
    "Query.tagOverlap(tagIds)": "tag",
    "Query.job(id)": "job",
    "Query.broadcast(id)": "broadcast",
    "Mutation.approveBroadcast(id)": "broadcast",
    "Mutation.pauseBroadcast(id)": "broadcast",
    "Mutation.resumeBroadcast(id)": "broadcast",
    "Mutation.cancelBroadcast(id)": "broadcast",
    "Mutation.retryBroadcast(id)": "broadcast",
    "Mutation.exportAudience(input.expression.tag)": "tag",
    "Mutation.cancelJob(id)": "job",
    "Query.officialAccountSync(id)": "sync",
    "Mutation.syncToOfficialAccount(input.tagIds)": "tag",
    "Mutation.syncToOfficialAccount(input.remoteNames.tagId)": "tag",
    "Mutation.applySync(syncId)": "sync",
    "Subscription.jobProgress(id)": "job",
    "Mutation.undoReturnBatch(receiptId)": "receipt",
    "Mutation.updateAdTag(input.id)": "ad tag",
    "Query.deleteTagPreview(id)": "combo",
    "Query.comboTagEditPreview(id)": "combo",
    "Query.comboTagEditPreview(expression.tag)": "tag",
    "Mutation.createComboTag(input.expression.tag)": "tag",
    "Mutation.updateComboTag(input.id)": "combo",
    "Mutation.updateComboTag(input.expression.tag)": "tag",
    "Mutation.renameTag(id)": "combo",
    "Mutation.deleteTag(id)": "combo",
    "Mutation.setKeepInSync(tagIds)": "tag",
    "Mutation.unlinkOfficialAccountTag(tagId)": "tag",
    "Mutation.createWebhookEndpoint(input.tagIds)": "tag",
    "Mutation.updateWebhookEndpoint(input.id)": "webhook",
    "Mutation.updateWebhookEndpoint(input.tagIds)": "tag",
    "Mutation.deleteWebhookEndpoint(id)": "webhook",
    "Mutation.rotateWebhookSecret(id)": "webhook",
    "Mutation.replayWebhook(id)": "webhook",
    "Mutation.testWebhook(id)": "webhook",
    "Mutation.resendWebhookDelivery(id)": "delivery",
    "Query.mergeTagPreview(from)": "ad tag",
    "Query.mergeTagPreview(into)": "ad tag",
    "Mutation.mergeTag(from)": "ad tag",
    "Mutation.mergeTag(into)": "ad tag",
}

# Combos are not made of who received a broadcast, so no id is looked up there.
NEVER_LOOKED_UP: Final = {
    "Query.comboTagEditPreview(expression.received)": """
        query($id: ID!) { comboTagEditPreview(id: "$combo", expression: {any: [{received: $id}]}) { gains } }""",
    "Mutation.createComboTag(input.expression.received)": """
        mutation($id: ID!) {
          createComboTag(input: {channelId: "$channel", name: "mine", expression: {received: $id}}) { tag { id } }
        }""",
    "Mutation.updateComboTag(input.expression.received)": """
        mutation($id: ID!) { updateComboTag(input: {id: "$combo", expression: {received: $id}}) { tag { id } } }""",
}

# The audit log keeps ids as text, also of what is gone: an id is compared with it, and finds nothing or some entries.
COMPARED_AS_TEXT: Final = {
    "Query.auditLog(filter.targetId)": """
        query($id: ID!) { auditLog(filter: {targetId: $id}) { nodes { targetId } } }""",
    "Mutation.exportAuditLog(filter.targetId)": """
        mutation($id: ID!) { exportAuditLog(filter: {targetId: $id}) { urlExpiresAt } }""",
}


def id_places(schema: GraphQLSchema) -> Iterator[str]:
    """Yield the places of a schema that take an id, named like the keys of `PLACES`."""
    for root in ("Query", "Mutation", "Subscription"):
        parent = schema.type_map[root]
        assert isinstance(parent, GraphQLObjectType)
        for field_name, field in parent.fields.items():
            for name, argument in field.args.items():
                yield from (f"{root}.{field_name}({path})" for path in _id_paths(name, argument.type))


def _id_paths(path: str, given: GraphQLInputType, above: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the paths of ids in an input; of a type that contains itself, only the outermost."""
    named = get_named_type(given)
    if named.name == "ID":
        yield path
    elif isinstance(named, GraphQLInputObjectType) and named.name not in above:
        for name, field in named.fields.items():
            yield from _id_paths(f"{path}.{name}", field.type, (*above, named.name))
