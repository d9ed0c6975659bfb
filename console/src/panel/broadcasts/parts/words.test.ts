import { readFileSync } from "node:fs";
import { buildSchema, type GraphQLEnumType } from "graphql";
import { describe, expect, it } from "vitest";
import * as englishMost from "../../../i18n/en";
import * as english from "../../../i18n/en/broadcasts";
import * as chineseMost from "../../../i18n/zh";
import * as chinese from "../../../i18n/zh/broadcasts";
import type { Messages } from "../messages";
import { durationWord, heldWord, repeatWord, stateWord, waitWords } from "./words";

const en: Messages = { ...englishMost, ...english };
const zh: Messages = { ...chineseMost, ...chinese };
const types = buildSchema(readFileSync("../schema.graphql", "utf8"));

function valuesOf(name: string): string[] {
  return (types.getType(name) as GraphQLEnumType).getValues().map(({ name: value }) => value);
}

describe.each([
  ["English", en],
  ["Chinese", zh],
])("in %s", (_, m) => {
  it("has words of its own for every value that the service may answer", () => {
    const { states, held, kinds, kindHints, waits } = m.broadcasts;
    expect(Object.keys(states).sort()).toEqual(valuesOf("JobState").sort());
    expect(Object.keys(held).sort()).toEqual(valuesOf("HeldReason").sort());
    expect(Object.keys(waits).sort()).toEqual(valuesOf("WaitReason").sort());
    expect(Object.keys(kinds).sort()).toEqual(valuesOf("MessageKind").sort());
    for (const words of [states, held, kinds]) {
      expect(new Set(Object.values(words)).size).toBe(Object.keys(words).length);
    }
    expect(Object.values(kindHints).every(Boolean)).toBe(true);
  });

  it("says that it waits of what a newer service adds", () => {
    expect(stateWord(m, "DREAMING" as never)).toBe(m.broadcasts.otherState);
    expect(waitWords(m, "FULL_MOON" as never)).toBe(m.broadcasts.otherWait);
    expect(heldWord(m, "ASLEEP" as never)).toBe(m.broadcasts.otherHeld);
    expect(heldWord(m, "toString" as never)).toBe(m.broadcasts.otherHeld);
  });
});

it("says when a broadcast is repeated", () => {
  const words = (every: "DAY" | "WEEK" | "MONTH", weekday: number | null, dayOfMonth: number | null) =>
    repeatWord(en, { every, at: "10:00", weekday, dayOfMonth });
  expect(words("DAY", null, null)).toBe("every day at 10:00");
  expect(words("WEEK", 7, null)).toBe("every Sunday at 10:00");
  expect(words("MONTH", null, 28)).toBe("on day 28 of every month at 10:00");
});

it("says how long something takes in a unit that fits", () => {
  const words = [5, 90, 7_200, 259_200].map((seconds) => durationWord(en, seconds));
  expect(words).toEqual(["less than a minute", "2 min", "2 h", "3 days"]);
});
