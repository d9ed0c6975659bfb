import { expect, it } from "vitest";
import { byCategory, chosenTags, heldOrder, type ListChoice, readChoice, writeChoice } from "./listChoice";
import type { TagRow } from "./tagList";

const USUAL: ListChoice = { search: "", kind: null, state: null, sort: "name" };

const tag = (category: string, name: string, more: Partial<TagRow> = {}): TagRow =>
  ({
    id: `${category}/${name}`,
    category,
    name,
    kind: "RETURN",
    state: "ACTIVE",
    memberCount: 0,
    createdAt: "2026-01-01T00:00:00Z",
    updatedAt: "2026-01-01T00:00:00Z",
    ...more,
  }) as TagRow;

const idsOf = (tags: readonly TagRow[]) => tags.map(({ id }) => id);

it("is in the query string, and read from it again", () => {
  const choice: ListChoice = { search: "a b&c", kind: "COMBO", state: "LAPSED", sort: "people" };
  const query = writeChoice(new URLSearchParams("other=1"), choice);
  expect(query.get("other")).toBe("1");
  expect(readChoice(new URLSearchParams(query.toString()))).toEqual(choice);
});

it("leaves out of the query string what is as usual, and passes over what it does not know", () => {
  const query = new URLSearchParams("search=x&kind=COMBO&sort=people");
  expect(writeChoice(query, USUAL).toString()).toBe("");
  expect(readChoice(new URLSearchParams("kind=MAGIC&state=ACTIVE&sort="))).toEqual({
    ...USUAL,
    state: "ACTIVE",
  });
});

it("finds a text in category or name, in either case and width", () => {
  const tags = [tag("Orders", "Ordered"), tag("Follow time", "ＶＩＰ"), tag("Follow time", "Old user")];
  expect(idsOf(chosenTags(tags, { ...USUAL, search: " vip " }, "en"))).toEqual(["Follow time/ＶＩＰ"]);
  expect(idsOf(chosenTags(tags, { ...USUAL, search: "ORDER" }, "en"))).toEqual(["Orders/Ordered"]);
  expect(chosenTags(tags, { ...USUAL, search: "nobody" }, "en")).toEqual([]);
});

it("takes only the kind and the state that are chosen", () => {
  const tags = [
    tag("A", "1", { kind: "COMBO", state: "LAPSED" }),
    tag("A", "2", { kind: "COMBO" }),
    tag("A", "3", { state: "LAPSED" }),
  ];
  expect(idsOf(chosenTags(tags, { ...USUAL, kind: "COMBO", state: "LAPSED" }, "en"))).toEqual(["A/1"]);
});

it("orders by category and name, numbers by their size, or by what is chosen", () => {
  const tags = [
    tag("B", "tag 10", { memberCount: 3, createdAt: "2026-01-03T00:00:00Z" }),
    tag("B", "tag 9", { memberCount: 9, updatedAt: "2026-02-01T00:00:00Z" }),
    tag("A", "z", { memberCount: 3 }),
  ];
  const inOrder = (sort: ListChoice["sort"]) => idsOf(chosenTags(tags, { ...USUAL, sort }, "en"));
  expect(inOrder("name")).toEqual(["A/z", "B/tag 9", "B/tag 10"]);
  expect(inOrder("people")).toEqual(["B/tag 9", "A/z", "B/tag 10"]);
  expect(inOrder("newest")).toEqual(["B/tag 10", "A/z", "B/tag 9"]);
  expect(inOrder("edited")).toEqual(["B/tag 9", "A/z", "B/tag 10"]);
});

it("does not move rows under a hand, but shows what is new in them and what comes", () => {
  const [a, b] = [tag("A", "a", { memberCount: 1 }), tag("A", "b", { memberCount: 2 })];
  expect(heldOrder(["A/a", "A/b"], [b, a])).toEqual([a, b]);
  const c = tag("A", "c");
  expect(heldOrder(["A/a", "A/b"], [b, a, c])).toEqual([b, a, c]);
  expect(heldOrder(["A/a", "A/b"], [b, c])).toEqual([b, c]);
});

it("puts tags of one category together", () => {
  const parts = byCategory([tag("A", "1"), tag("A", "2"), tag("B", "1")]);
  expect(parts.map(({ category, tags }) => [category, tags.length])).toEqual([
    ["A", 2],
    ["B", 1],
  ]);
});
