import { expect, it } from "vitest";
import { readablePath } from "./readablePath";

it.each([
  ["/channels/a%20b/tags", "/channels/a%20b/tags"],
  ["/channels/%E0%A4%A/tags", "/channels/E0A4A/tags"],
  ["/channels/100%", "/channels/100"],
])("%s", (path, expected) => {
  expect(readablePath(path)).toBe(expected);
  expect(() => decodeURI(expected)).not.toThrow();
});
