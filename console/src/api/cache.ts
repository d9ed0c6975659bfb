import { schema } from "virtual:schema-types";
import type { Exchange } from "@urql/core";
import {
  type Cache,
  cacheExchange,
  type Entity,
  type UpdateResolver,
  type Variables,
} from "@urql/exchange-graphcache";

/** Makes the normalised cache: whatever has an id is kept once, and everything that shows it follows. */
export function cache(): Exchange {
  return cacheExchange({
    schema,
    // It would name every field: it is told the types of the schema, for fragments on interfaces, but not their fields.
    logger: () => {},
    updates: {
      Subscription: { tagEvents: followTagEvent, userTags: followPerson },
      Mutation: {
        createAdTag: (data, _, cache) => forgetListsOf(cache, payload(data, "createAdTag").tag),
        createComboTag: (data, _, cache) => forgetListsOf(cache, payload(data, "createComboTag").tag),
        submitReturnData: (data, _, cache) => {
          const { receipt } = payload(data, "submitReturnData");
          forgetListsOf(cache, receipt && (cache.resolve(receipt, "tag") as Entity));
        },
        createBroadcast: (data, _, cache) =>
          forgetBroadcasts(cache, payload(data, "createBroadcast").broadcast),
        deleteTag: (data, _, cache) => forgetListsOf(cache, payload(data, "deleteTag").tag),
        bindChannel: afterAnyChange,
        unbindChannel: afterAnyChange,
        updateChannel: afterAnyChange,
      },
    },
  });
}

/** Keeps lists of tags true: they are asked for again when a tag comes or goes, and everything is after a RESET. */
function followTagEvent(data: Variables, _args: Variables, cache: Cache): void {
  const { kind, tag } = payload(data, "tagEvents") as { kind: string; tag: Entity };
  if (kind === "RESET") forgetRoots(cache);
  else if (kind === "CREATED" || kind === "DELETED") forgetListsOf(cache, tag);
}

/** Lets whoever asked for one person see who it is now: somebody who was unknown, or who is forgotten. */
function followPerson(data: Variables, { channelId, openid }: Variables, cache: Cache): void {
  if (data.userTags)
    cache.link("Query", "user", { channelId, openid } as Variables, payload(data, "userTags").user ?? null);
}

/** Makes whoever shows a list of tags of this tag's channel ask for it again. */
function forgetListsOf(cache: Cache, about: Entity): void {
  const channel = about && (cache.resolve(about, "channel") as Entity);
  forgetFields(cache, channel ?? null, ["tags", "tagCategories"]);
  forgetFields(cache, "Query", ["massPostingTags"]);
}

/** Makes whoever lists the broadcasts of this one's channel ask again. */
function forgetBroadcasts(cache: Cache, broadcast: Entity): void {
  forgetFields(cache, broadcast && (cache.resolve(broadcast, "channel") as Entity), ["broadcasts"]);
}

const afterAnyChange: UpdateResolver = (_data, _args, cache) => forgetRoots(cache);

function forgetRoots(cache: Cache): void {
  const names = cache.inspectFields("Query").map((field) => field.fieldName);
  forgetFields(
    cache,
    "Query",
    names.filter((name) => name !== "viewer"),
  );
}

function forgetFields(cache: Cache, entity: Entity, names: readonly string[]): void {
  if (!entity) return;
  for (const field of cache.inspectFields(entity)) {
    if (names.includes(field.fieldName)) cache.invalidate(entity, field.fieldName, field.arguments);
  }
}

function payload(data: Variables, field: string): Record<string, Entity> {
  return (data[field] ?? {}) as Record<string, Entity>;
}
