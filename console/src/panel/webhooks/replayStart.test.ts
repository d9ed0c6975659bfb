import { expect, it } from "vitest";
import { anHourAgo, startOf } from "./replayStart";

const NOW = Date.UTC(2026, 10, 30, 12, 34, 56);

it("begins an hour ago, by the clock of the place", () => {
  const { since } = startOf({ from: "instant", since: anHourAgo(NOW), cursor: "" });
  expect(since).toBe("2026-11-30T11:34:00.000Z");
});

it("sends one of both, whatever else was entered before", () => {
  const entered = { since: anHourAgo(NOW), cursor: " abc " };
  expect(startOf({ ...entered, from: "cursor" })).toEqual({ since: null, cursor: "abc" });
  expect(startOf({ ...entered, from: "instant" }).cursor).toBeNull();
});

it("leaves it to the service to refuse what is empty", () => {
  expect(startOf({ from: "instant", since: "", cursor: "" })).toEqual({ since: null, cursor: null });
  expect(startOf({ from: "cursor", since: "", cursor: " " })).toEqual({ since: null, cursor: null });
});
