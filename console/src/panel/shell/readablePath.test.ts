import { expect, it } from "vitest";
import { readablePath } from "./readablePath";

it.each([
  ["/channels/a%20b/tags", "/channels/a%20b/tags"],
  ["/channels/%E0%A4%A/tags", "/channels/%25E0%25A4%25A/tags"],
  ["/channels/100%", "/channels/100%25"],
])("%s", (path, expected) => {
  expect(readablePath(path)).toBe(expected);
  expect(() => decodeURI(expected)).not.toThrow();
});
