import { expect, it } from "vitest";
import { readOpenids } from "./openidList";

it("takes lines, commas and blanks, and keeps what is wrong for the receipt", () => {
  expect(readOpenids("oAda\r\noBob, oCleo\n\n\toAda ;not/one\n")).toEqual({
    entries: ["oAda", "oBob", "oCleo", "oAda", "not/one"],
    usable: 3,
    repeated: 1,
    malformed: [{ line: 4, text: "not/one" }],
  });
});

it("reads nothing out of nothing", () => {
  expect(readOpenids(" \n ")).toEqual({ entries: [], usable: 0, repeated: 0, malformed: [] });
});
