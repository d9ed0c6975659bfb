import { expect, it } from "vitest";
import { changesOf, idsIn } from "./changes";
import { kindOfId } from "./targets";

const TAG = btoa("Tag:7:9").replaceAll("=", "");

it("puts what was and what is beside each other, also where one of them is not", () => {
  expect(changesOf('{"name":"A","bound":true}', '{"name":"B","into":null}')).toEqual([
    { key: "name", before: "A", after: "B" },
    { key: "bound", before: true, after: undefined },
    { key: "into", before: undefined, after: null },
  ]);
  expect(changesOf(null, null)).toEqual([]);
});

it("finds the ids in it, however deep, each once", () => {
  const after = JSON.stringify({ expression: { all: [{ tag: TAG }, { tag: TAG }] }, name: "Orders" });
  expect(idsIn(changesOf(null, after), (text) => kindOfId(text) !== null)).toEqual([TAG]);
});

it("tells ids from other texts", () => {
  expect(kindOfId(TAG)).toBe("Tag");
  for (const text of ["", "Orders", "openid:4f1c", "2026-03-01T00:00:00Z", "description", "AAAABBBB"]) {
    expect(kindOfId(text)).toBeNull();
  }
});
