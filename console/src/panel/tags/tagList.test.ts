import { expect, it } from "vitest";
import type { TagChange } from "./feed";
import { changed, type TagRow, type Tags, withPage } from "./tagList";

const tag = (id: string, memberCount = 0): TagRow => ({ id, memberCount, name: id }) as TagRow;
const event = (kind: TagChange["kind"], of: TagRow | null, deletedAt: string | null = null): TagChange =>
  ({ kind, cursor: "c", tag: of && { ...of, deletedAt } }) as TagChange;
const tags = (...rows: TagRow[]): Tags => withPage(new Map(), rows);

it("takes what events say of a tag, the last of them for good", () => {
  const after = changed(tags(tag("a", 1)), [
    event("COUNT_CHANGED", tag("a", 2)),
    event("COUNT_CHANGED", tag("a", 5)),
    event("CREATED", tag("b", 7)),
  ]);
  expect([...after.values()].map(({ id, memberCount }) => [id, memberCount])).toEqual([
    ["a", 5],
    ["b", 7],
  ]);
});

it("leaves out what was deleted, whatever the event is called", () => {
  const gone = "2026-03-01T12:00:00Z";
  const before = tags(tag("a"), tag("b"), tag("c"));
  const after = changed(before, [event("DELETED", tag("a"), gone), event("COUNT_CHANGED", tag("b"), gone)]);
  expect([...after.keys()]).toEqual(["c"]);
  expect([...before.keys()]).toEqual(["a", "b", "c"]);
});

it("keeps rows of tags that nothing happened to, so that they are not rendered again", () => {
  const before = tags(tag("a"), tag("b"));
  const after = changed(before, [event("COUNT_CHANGED", tag("b", 1)), event("RESET", null)]);
  expect(after.get("a")).toBe(before.get("a"));
  expect(after.get("b")).not.toBe(before.get("b"));
  expect(changed(before, [])).toBe(before);
});

it("has each tag once, though pages overlap when a tag is renamed between them", () => {
  const pages = withPage(tags(tag("a"), tag("b", 1)), [tag("b", 2), tag("c")]);
  expect([...pages.values()].map(({ id, memberCount }) => `${id}${memberCount}`)).toEqual(["a0", "b2", "c0"]);
});
