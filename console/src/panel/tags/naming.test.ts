import { expect, it } from "vitest";
import { namesOfTag, namesToSave, sameNames } from "./naming";

it("treats no description and an empty one alike", () => {
  const names = namesOfTag({ name: "Ordered", description: null });
  expect(names).toEqual({ name: "Ordered", description: "" });
  expect(namesToSave(names)).toEqual({ name: "Ordered", description: null });
});

it("sees no change in what the service would trim", () => {
  const was = { name: "Ordered", description: "Who ordered" };
  expect(sameNames(was, { name: " Ordered ", description: "Who ordered\n" })).toBe(true);
  expect(sameNames(was, { name: "Ordered", description: "" })).toBe(false);
});
