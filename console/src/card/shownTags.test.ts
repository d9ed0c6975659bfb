import { describe, expect, it } from "vitest";
import { followTags, POINTED_OUT, type ShownTag, settle } from "./shownTags";

type Named = { readonly id: string; readonly name?: string };

function tags(...ids: string[]): Named[] {
  return ids.map((id) => ({ id }));
}

function phases(shown: readonly ShownTag<Named>[]): string {
  return shown.map(({ tag, phase }) => ({ here: "", arrived: "+", left: "-" })[phase] + tag.id).join(" ");
}

describe("followTags", () => {
  it("points out nothing of what was there from the beginning", () => {
    expect(phases(followTags(null, tags("a", "b"), 0))).toBe("a b");
  });

  it("keeps the place of a tag that left, and points out one that came", () => {
    const first = followTags(null, tags("a", "b", "c"), 0);
    const second = followTags(first, tags("a", "c", "d"), 1);
    expect(phases(second)).toBe("a -b c +d");
    expect(phases(followTags(second, tags("c", "d"), 2))).toBe("-a -b c +d");
  });

  it("lets a tag that comes back come anew", () => {
    const first = followTags(null, tags("a"), 0);
    const gone = followTags(first, [], 1);
    expect(phases(gone)).toBe("-a");
    expect(phases(followTags(gone, tags("a"), 2))).toBe("+a");
  });

  it("shows what is known of a tag now, without pointing it out", () => {
    const first = followTags<Named>(null, [{ id: "a", name: "Old" }], 0);
    const [renamed] = followTags(first, [{ id: "a", name: "New" }], 1);
    expect(renamed).toEqual({ tag: { id: "a", name: "New" }, phase: "here", at: 0 });
  });

  it("does not let another change delay the end of one", () => {
    const first = followTags(null, tags("a", "b"), 0);
    const second = followTags(first, tags("b"), 1);
    expect(phases(followTags(second, tags("b", "c"), POINTED_OUT + 1))).toBe("b +c");
  });
});

describe("settle", () => {
  it("ends what was pointed out after a while", () => {
    const shown = followTags(followTags(null, tags("a"), 0), tags("b"), 10);
    expect(phases(settle(shown, 9 + POINTED_OUT))).toBe("-a +b");
    expect(phases(settle(shown, 10 + POINTED_OUT))).toBe("b");
  });
});
