import { describe, expect, it } from "vitest";
import { hints as en } from "../../i18n/en/looking";
import { hints as zh } from "../../i18n/zh/looking";
import { mayBeDeleted, mayBeEdited, mayBeMerged, sentenceOf, type TagHint } from "./hintWords";

const tag = { id: "1", kind: "RETURN", category: "Fruit", name: "Pears", memberCount: 3 };
const other = { id: "2", kind: "DEFAULT", category: "Reply", name: "Opened", memberCount: 8 };

function hint(kind: string, second: typeof other | null = null, about = tag): TagHint {
  return { kind, text: "As the service says it.", tag: about, other: second } as unknown as TagHint;
}

describe("a hint", () => {
  it("is said in the language of the reader", () => {
    expect(sentenceOf(hint("SUBSET", other), en)).toBe(
      "Everybody with “Pears” has “Opened”, too: 3 of 8 people.",
    );
    expect(sentenceOf(hint("EQUAL", other), zh)).toBe("“Pears”和“Opened”的成员完全相同：3 人。");
    expect(sentenceOf(hint("EMPTY"), en)).toBe("Nobody has “Pears”.");
  });

  it("has no sentence here where it is of a kind that is not known yet", () => {
    expect(sentenceOf(hint("TOMORROW"), en)).toBeNull();
  });

  it("offers to delete what nobody would miss, but no default tag", () => {
    expect(mayBeDeleted(hint("UNUSED"))).toBe(true);
    expect(mayBeDeleted(hint("SUBSET", other))).toBe(false);
    expect(mayBeDeleted(hint("EQUAL", other, { ...tag, kind: "DEFAULT" }))).toBe(false);
  });

  it("offers to merge two of one kind that have the same people", () => {
    expect(mayBeMerged(hint("EQUAL", { ...other, kind: "RETURN" }))).toBe(true);
    expect(mayBeMerged(hint("EQUAL", other))).toBe(false);
    expect(mayBeMerged(hint("SUBSET", { ...other, kind: "RETURN" }))).toBe(false);
  });

  it("offers to edit what is made of something", () => {
    expect(mayBeEdited(hint("EMPTY", null, { ...tag, kind: "COMBO" }))).toBe(true);
    expect(mayBeEdited(hint("EMPTY"))).toBe(false);
  });
});
