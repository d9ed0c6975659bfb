import { expect, it } from "vitest";
import { readPairs } from "./openidPairs";

it("reads two cells a line, however they are separated", () => {
  expect(readPairs("oOld,oNew\r\n\n oOld2\toNew2 \n")).toEqual({
    pairs: [
      { from: "oOld", to: "oNew" },
      { from: "oOld2", to: "oNew2" },
    ],
    malformed: [],
  });
});

it("names the lines that are no pair", () => {
  const { pairs, malformed } = readPairs("oOld\noOld oNew oMore\nold openid,new openid\n");
  expect(pairs).toEqual([]);
  expect(malformed.map(({ line }) => line)).toEqual([1, 2, 3]);
});
