import { expect, it } from "vitest";
import type { ComboToEditFragment } from "../../api/generated/graphql";
import { changesOf, draftOf } from "./draft";

const COMBO = { category: "Combo", name: "Warm", description: null } as ComboToEditFragment;

it("changes nothing where nothing was changed", () => {
  expect(changesOf(COMBO, draftOf(COMBO), null)).toBeNull();
  expect(changesOf(COMBO, { ...draftOf(COMBO), name: " Warm ", description: "  " }, null)).toBeNull();
});

it("sends only what was changed, and clears a description", () => {
  const described = { ...COMBO, description: "old" };
  expect(changesOf(described, { ...draftOf(described), description: "" }, null)).toEqual({
    description: null,
  });
  expect(changesOf(COMBO, { ...draftOf(COMBO), name: "Cold" }, { tag: "A" })).toEqual({
    name: "Cold",
    expression: { tag: "A" },
  });
});
