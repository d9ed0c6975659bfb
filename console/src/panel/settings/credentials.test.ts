import { expect, it } from "vitest";
import { changesIn, drawSecret, malformed, NOTHING_ENTERED } from "./credentials";

const entered = (text: string) => ({ text, remove: false });

it("sends what was entered, empties what is removed, and leaves out what is kept", () => {
  const draft = {
    ...NOTHING_ENTERED,
    appSecret: { text: "ignored", remove: true },
    callbackToken: entered(" tea1 "),
  };
  expect(changesIn(draft)).toEqual({ appSecret: "", callbackToken: "tea1" });
  expect(changesIn(NOTHING_ENTERED)).toEqual({});
});

it("knows what WeChat does not take", () => {
  const draft = { ...NOTHING_ENTERED, callbackToken: entered("no!"), encodingAesKey: entered("short") };
  expect(malformed(draft)).toEqual(["callbackToken", "encodingAesKey"]);
  expect(malformed(NOTHING_ENTERED)).toEqual([]);
});

it("draws what it takes itself", () => {
  const draft = {
    ...NOTHING_ENTERED,
    callbackToken: entered(drawSecret(32)),
    encodingAesKey: entered(drawSecret(43)),
  };
  expect(malformed(draft)).toEqual([]);
  expect(drawSecret(43)).not.toBe(drawSecret(43));
});
