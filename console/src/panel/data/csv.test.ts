import { expect, it } from "vitest";
import { readRows, writeRows } from "./csv";

it("reads quoted cells, and leaves out what is cut off", () => {
  expect(readRows('line,openid,reason\r\n3,"a ""b"", c",no\r\n4,cut', 10)).toEqual([
    ["line", "openid", "reason"],
    ["3", 'a "b", c', "no"],
  ]);
});

it("reads no more than it is asked for", () => {
  expect(readRows("a\nb\nc\n", 2)).toEqual([["a"], ["b"]]);
});

it("reads what it writes, and lets no cell be a formula", () => {
  const text = writeRows([
    ["=1+1", "-oAda"],
    ['"', "a,b\nc"],
  ]);
  expect(text).toBe(`'=1+1,'-oAda\r\n"""","a,b\nc"\r\n`);
  expect(readRows(text, 5)).toEqual([
    ["'=1+1", "'-oAda"],
    ['"', "a,b\nc"],
  ]);
});
