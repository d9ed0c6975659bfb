import { expect, it } from "vitest";
import type { SyncTagFragment } from "../../api/generated/graphql";
import { fitsAtWechat, planInput, remoteNameOf, USUAL } from "./planning";

const tag = (id: string, name: string, remoteName?: string) =>
  ({ id, name, officialAccount: remoteName ? { remoteTagId: 1, remoteName } : null }) as SyncTagFragment;

it("counts the bytes of a name as WeChat does", () => {
  expect(fitsAtWechat("十个汉字刚好可以用啊")).toBe(true);
  expect(fitsAtWechat("十一个汉字就不可以用啊")).toBe(false);
  expect(fitsAtWechat("a".repeat(30))).toBe(true);
  expect(fitsAtWechat("a".repeat(31))).toBe(false);
});

it("calls a tag at WeChat as was given, else as it is called there already, else by its own name", () => {
  expect(remoteNameOf(tag("1", "Ordered"), {})).toBe("Ordered");
  expect(remoteNameOf(tag("1", "Ordered", "Old"), {})).toBe("Old");
  expect(remoteNameOf(tag("1", "Ordered", "Old"), { 1: " New " })).toBe("New");
  expect(remoteNameOf(tag("1", "Ordered"), { 1: "  " })).toBe("Ordered");
});

it("asks for a plan only, and names only what was named", () => {
  const tags = [tag("1", "Ordered"), tag("2", "Paid")];
  expect(planInput("c", tags, USUAL)).toEqual({
    channelId: "c",
    tagIds: ["1", "2"],
    dryRun: true,
    keepInSync: false,
    onConflict: "FAIL",
    remoteAdditions: "KEEP",
  });
  expect(planInput("c", tags, { ...USUAL, names: { 2: "Payer", 9: "Not chosen" } }).remoteNames).toEqual([
    { tagId: "2", name: "Payer" },
  ]);
});
