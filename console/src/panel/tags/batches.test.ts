import { expect, it } from "vitest";
import { BATCH, batches } from "./batches";

it("asks for all of them, each once, and never for more than fits into one request", () => {
  const ids = Array.from({ length: 2 * BATCH + 1 }, (_, number) => String(number));
  const parts = batches(ids);
  expect(parts.map(({ length }) => length)).toEqual([BATCH, BATCH, 1]);
  expect(parts.flat()).toEqual(ids);
  expect(batches([])).toEqual([]);
});
