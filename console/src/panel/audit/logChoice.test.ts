import { expect, it } from "vitest";
import { filterOf, instantOf, isNarrowed, localOf, readChoice, writeChoice } from "./logChoice";

const query =
  "target=VGFn&subject=ann&action=deleteTag&outcome=DENIED&from=2026-03-01T00:00:00.000Z&to=2026-03-02T00:00:00.000Z";

it("stands in the address, and is read from it as it was", () => {
  const choice = readChoice(new URLSearchParams(query));
  expect(readChoice(writeChoice(new URLSearchParams(), choice))).toEqual(choice);
  expect(filterOf(choice)).toEqual({
    targetId: "VGFn",
    subject: "ann",
    action: "deleteTag",
    outcome: "DENIED",
    since: "2026-03-01T00:00:00.000Z",
    until: "2026-03-02T00:00:00.000Z",
  });
});

it("does not filter by what it does not understand, and keeps the rest of the address", () => {
  const choice = readChoice(new URLSearchParams("outcome=MAYBE&from=yesterday"));
  expect(isNarrowed(choice)).toBe(false);
  expect(filterOf(choice)).toBeNull();
  expect(writeChoice(new URLSearchParams("entry=x&subject=ann"), choice).toString()).toBe("entry=x");
});

it("shows instants in the reader's zone, and takes them back", () => {
  const instant = "2026-03-01T08:30:00.000Z";
  expect(instantOf(localOf(instant))).toBe(instant);
  expect(localOf("")).toBe("");
});
