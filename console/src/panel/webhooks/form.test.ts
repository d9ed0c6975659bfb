import { expect, it } from "vitest";
import type { WebhookFactsFragment } from "../../api/generated/graphql";
import { ALL_EVENTS, changesOf, draftOf, emptyDraft, inputOf, withOrWithout } from "./form";

const endpoint: WebhookFactsFragment = {
  __typename: "WebhookEndpoint",
  id: "e1",
  url: "https://hooks.example.com/",
  description: null,
  events: ["TAG_DELETED", "USER_TAGS_CHANGED"],
  state: "ACTIVE",
  reason: null,
  lag: 0,
  lastSuccessAt: null,
  channels: [
    { __typename: "Channel", id: "c1", name: "Tea" },
    { __typename: "Channel", id: "c2", name: "Shop" },
  ],
  tags: null,
};

it("asks for all channels unless the token is for some", () => {
  expect(inputOf(emptyDraft(false)).channelIds).toBeNull();
  expect(inputOf(emptyDraft(true)).channelIds).toEqual([]);
});

it("sends blanks around an address and an empty description as nothing", () => {
  const input = inputOf({ ...emptyDraft(false), url: " https://a.example/ ", description: "  " });
  expect(input.url).toBe("https://a.example/");
  expect(input.description).toBeNull();
});

it("offers each kind of event once", () => {
  expect(new Set(ALL_EVENTS).size).toBe(ALL_EVENTS.length);
});

it("finds nothing changed where only the order is another", () => {
  const before = draftOf(endpoint);
  expect(changesOf({ ...before, channelIds: ["c2", "c1"] }, before)).toEqual({});
});

it("sends what was changed, and null for what is all of it from now on", () => {
  const before = draftOf(endpoint);
  const changed = changesOf({ ...before, everyChannel: true, events: ["TAG_DELETED"] }, before);
  expect(changed).toEqual({ channelIds: null, events: ["TAG_DELETED"] });
});

it("puts a value into a list once, and takes it out", () => {
  expect(withOrWithout(["a", "b"], "a", true)).toEqual(["b", "a"]);
  expect(withOrWithout(["a", "b"], "a", false)).toEqual(["b"]);
});
