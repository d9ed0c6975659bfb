import { expect, it } from "vitest";
import { syncKind } from "./SyncState";

const link = {
  __typename: "OfficialAccountTag" as const,
  remoteTagId: 7,
  keepInSync: false,
  inSync: true,
  error: null,
};

it("tells a tag that was never synced from one whose link has ended", () => {
  expect(syncKind(null)).toBe("none");
  expect(syncKind({ ...link, remoteTagId: null, inSync: false })).toBe("ended");
});

it("puts what needs somebody first", () => {
  expect(syncKind({ ...link, error: "No quota", keepInSync: true })).toBe("failing");
  expect(syncKind({ ...link, inSync: false, keepInSync: true })).toBe("differs");
  expect(syncKind({ ...link, keepInSync: true })).toBe("kept");
  expect(syncKind(link)).toBe("same");
});
