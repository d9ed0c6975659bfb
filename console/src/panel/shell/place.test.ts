import { expect, it } from "vitest";
import { channelOf, inChannel } from "./place";

it("knows the channel that a path is about", () => {
  expect(channelOf("/channels/Q2g%3D/tags/VGFnOjE")).toBe("Q2g=");
  expect(channelOf("/return-data")).toBeNull();
});

it("takes an id that is escaped wrongly as it is", () => {
  expect(channelOf("/channels/%E0%A4%A/tags")).toBe("%E0%A4%A");
});

it("stays in the same part of the panel when the channel changes", () => {
  expect(inChannel("/channels/a/broadcasts/new", "b=")).toBe("/channels/b%3D/broadcasts");
  expect(inChannel("/channels/a", "b")).toBe("/channels/b/tags");
  expect(inChannel("/return-data", "b")).toBe("/channels/b/tags");
});
