import { expect, it } from "vitest";
import { Attempts } from "./attempt";

it("keeps its key when the same request is sent again, so that nothing is written twice", () => {
  const attempts = new Attempts();
  expect(attempts.keyOf("gold: oAda")).toBe(attempts.keyOf("gold: oAda"));
});

it("takes another key for another request, and for the next one after success", () => {
  const attempts = new Attempts();
  const first = attempts.keyOf("gold: oAda");
  const second = attempts.keyOf("gold: oBob");
  attempts.done();
  expect(new Set([first, second, attempts.keyOf("gold: oBob")]).size).toBe(3);
});
