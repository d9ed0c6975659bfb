import type {
  CreateWebhookEndpointInput,
  UpdateWebhookEndpointInput,
  WebhookEventType,
  WebhookFactsFragment,
  WebhookTagFragment,
} from "../../api/generated/graphql";

/** The kinds of events, in the order and the groups in which they are offered. */
export const EVENT_GROUPS = {
  people: ["USER_TAGS_CHANGED", "USER_FORGOTTEN", "USER_MIGRATED"],
  tags: ["TAG_CREATED", "TAG_UPDATED", "TAG_STATE_CHANGED", "TAG_DELETED"],
  rest: ["CHANNEL_STATE_CHANGED", "BROADCAST_FINISHED", "SYNC_FINISHED", "IMPORT_FINISHED"],
} as const satisfies Record<string, readonly WebhookEventType[]>;

export const ALL_EVENTS: readonly WebhookEventType[] = Object.values(EVENT_GROUPS).flat();

/** What a system needs that keeps who has which tag (docs/webhooks.md, "What comes"). */
const USUAL_EVENTS: readonly WebhookEventType[] = [
  ...EVENT_GROUPS.people,
  "TAG_STATE_CHANGED",
  "TAG_DELETED",
  "CHANNEL_STATE_CHANGED",
];

/** An endpoint as it is being entered. What is chosen of channels and tags is kept while all of them are to be told. */
export interface EndpointDraft {
  readonly url: string;
  readonly description: string;
  readonly everyChannel: boolean;
  readonly channelIds: readonly string[];
  readonly events: readonly WebhookEventType[];
  readonly everyTag: boolean;
  readonly tags: readonly WebhookTagFragment[];
}

/** Returns an endpoint to begin with; a token for some channels cannot make one for all. */
export function emptyDraft(narrowed: boolean): EndpointDraft {
  return {
    url: "",
    description: "",
    everyChannel: !narrowed,
    channelIds: [],
    events: USUAL_EVENTS,
    everyTag: true,
    tags: [],
  };
}

/** Returns an endpoint as it is, to be edited. */
export function draftOf({ url, description, channels, events, tags }: WebhookFactsFragment): EndpointDraft {
  return {
    url,
    description: description ?? "",
    everyChannel: channels === null,
    channelIds: channels?.map(({ id }) => id) ?? [],
    events,
    everyTag: tags === null,
    tags: tags ?? [],
  };
}

/** Returns the whole endpoint as the service takes it. */
export function inputOf(draft: EndpointDraft): CreateWebhookEndpointInput {
  return {
    url: draft.url.trim(),
    description: draft.description.trim() || null,
    channelIds: draft.everyChannel ? null : draft.channelIds,
    events: ALL_EVENTS.filter((each) => draft.events.includes(each)),
    tagIds: draft.everyTag ? null : draft.tags.map(({ id }) => id),
  };
}

/** Returns only what was changed of an endpoint; nothing for one that is as it was. */
export function changesOf(
  draft: EndpointDraft,
  before: EndpointDraft,
): Omit<UpdateWebhookEndpointInput, "id"> {
  const known = inputOf(before);
  const changed = Object.entries(inputOf(draft)).filter(
    ([name, value]) => written(value) !== written(known[name as keyof typeof known]),
  );
  return Object.fromEntries(changed);
}

/** Lists are the same in whatever order. */
function written(value: unknown): string {
  return JSON.stringify(Array.isArray(value) ? value.toSorted() : value);
}

/** Returns a list with a value in it, or without it. */
export function withOrWithout<Value>(
  list: readonly Value[],
  value: Value,
  chosen: boolean,
): readonly Value[] {
  return chosen ? [...list.filter((each) => each !== value), value] : list.filter((each) => each !== value);
}
