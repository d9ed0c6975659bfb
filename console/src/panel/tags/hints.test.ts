import { expect, it } from "vitest";
import type { TagInViewFragment } from "../../api/generated/graphql";
import { hintOf } from "./hints";
import type { TagRow } from "./tagList";

const tag = (kind: TagRow["kind"], state: TagRow["state"], memberCount = 1) =>
  ({ kind, state, memberCount }) as TagRow;

const combo = (more: object) =>
  ({ __typename: "ComboTag", lapsedBy: [], progress: null, ...more }) as unknown as TagInViewFragment;

it("says nothing of a tag that is in effect and that people have", () => {
  expect(hintOf(tag("COMBO", "ACTIVE"), undefined, true)).toBeNull();
});

it("says that nobody has a tag, of tags in effect only", () => {
  expect(hintOf(tag("DEFAULT", "ACTIVE", 0), undefined, true)).toEqual({ kind: "EMPTY" });
  expect(hintOf(tag("COMBO", "PENDING", 0), undefined, true)?.kind).toBe("COMPUTING");
});

it("tells an ad tag that waits for the address from one that is about to take effect", () => {
  expect(hintOf(tag("AD", "PENDING"), undefined, false)).toEqual({ kind: "AD_UNCONFIRMED" });
  expect(hintOf(tag("AD", "PENDING"), undefined, true)).toEqual({ kind: "AD_PENDING" });
});

it("names what a combo lapsed by, and how far one is, once that was read", () => {
  const by = [{ id: "1", category: "Orders", name: "Ordered" }];
  expect(hintOf(tag("COMBO", "LAPSED"), combo({ lapsedBy: by }), true)).toEqual({ kind: "LAPSED", by });
  expect(hintOf(tag("COMBO", "LAPSED"), undefined, true)).toEqual({ kind: "LAPSED", by: [] });
  expect(hintOf(tag("COMBO", "PENDING"), combo({ progress: 0.4 }), true)).toEqual({
    kind: "COMPUTING",
    progress: 0.4,
  });
  expect(hintOf(tag("COMBO", "PENDING"), undefined, true)).toEqual({ kind: "COMPUTING", progress: null });
});
