import { beforeEach, expect, it } from "vitest";
import { newDraft } from "./draft";
import { draftName, forgetDraft, keepDraft, keptDraft } from "./draftStore";

const NAME = draftName("c1", null);
beforeEach(() => sessionStorage.clear());

it("brings a draft back with its key, until it is forgotten", () => {
  const draft = { ...newDraft(), text: "Half a sen" };
  keepDraft(NAME, draft);
  expect(keptDraft(NAME)).toEqual(draft);
  expect(keptDraft(draftName("c2", null))).toBeNull();
  forgetDraft(NAME);
  expect(keptDraft(NAME)).toBeNull();
});

it.each(["{", "null", "[]", '{"text":"no key"}'])("begins anew where %s was kept", (kept) => {
  sessionStorage.setItem(NAME, kept);
  expect(keptDraft(NAME)).toBeNull();
});

it("completes a draft that an older page kept", () => {
  sessionStorage.setItem(NAME, JSON.stringify({ key: "k", text: "Tea" }));
  expect(keptDraft(NAME)).toEqual({ ...newDraft(), key: "k", text: "Tea" });
});
