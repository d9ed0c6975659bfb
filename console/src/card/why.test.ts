import { describe, expect, it } from "vitest";
import type { PersonTagFragment } from "../api/generated/graphql";
import { card as en } from "../i18n/en/card";
import { card as zh } from "../i18n/zh/card";
import { reasonOf } from "./why";

const words = { m: en, instant: (at: string) => at, list: (texts: readonly string[]) => texts.join(" & ") };

type Tag = PersonTagFragment["tag"];
type Evidence = PersonTagFragment["evidence"];

function held(
  evidence: Evidence,
  more: Partial<PersonTagFragment> = {},
  tag: Partial<Tag> = {},
): PersonTagFragment {
  return {
    __typename: "UserTag",
    id: "t",
    since: null,
    until: null,
    why: "The service's own words.",
    tag: {
      __typename: "ComboTag",
      id: "t",
      kind: "COMBO",
      category: "c",
      name: "n",
      state: "ACTIVE",
      deletedAt: null,
      ...tag,
    } as Tag,
    evidence,
    ...more,
  };
}

function fact(
  rule: string,
  kind: string | null,
  at: string | null,
  until: string | null = null,
): PersonTagFragment {
  const evidence = { __typename: "FactEvidence", fact: kind, at } as Evidence;
  return held(evidence, { until }, { __typename: "DefaultTag", rule } as Partial<Tag>);
}

describe("reasonOf", () => {
  it.each([
    [fact("NEW_USER", "FOLLOW", "T"), "Followed T."],
    [fact("OLD_USER", "FOLLOW", "T"), "Followed T, so no longer new."],
    [fact("OLD_USER", "FOLLOW", null), "Follows, since an unknown time."],
    [fact("NOT_OPENED", "MESSAGE", null), "Has not sent a message since the channel was bound."],
    [fact("TOUCHABLE", "SCAN", "T", "U"), "Scanned a QR code T. Touchable until U."],
    [fact("UNTOUCHABLE", null, null), "Did nothing lately that allows a message."],
  ])("tells of a default tag by its fact: %#", (tag, told) => {
    expect(reasonOf(tag, words)).toBe(told);
  });

  it("names the last ads of an ad tag", () => {
    const adIds = ["1", "2", "3", "4", "5", "6"];
    expect(reasonOf(held({ __typename: "AdEvidence", adIds, at: "T" }), words)).toBe(
      "Followed T. Came from the ads 2 & 3 & 4 & 5 & 6.",
    );
  });

  it("names who returned the last list, and how many more there are", () => {
    const list = {
      __typename: "ReturnReceipt",
      id: "r",
      at: "T",
      source: "GRAPHQL",
      subject: "shop",
    } as const;
    const told = (...receipts: object[]) =>
      reasonOf(held({ __typename: "ReturnEvidence", receipts } as unknown as Evidence), words);
    expect(told({ ...list, subject: null })).toBe("In the list returned T.");
    expect(told(list, list, list)).toBe("In the list that shop returned T. And in 2 lists more.");
    expect(told({ ...list, source: "OFFICIAL_ACCOUNT" })).toBe(
      "Had the tag at WeChat when it was imported T.",
    );
  });

  it("says of a combo what the person has and has not", () => {
    const evidence = {
      __typename: "ComboEvidence",
      has: [{ __typename: "AdTag", id: "1", name: "Spring" }],
      lacks: [{ __typename: "AdTag", id: "2", name: "Ordered" }],
    } as const;
    expect(reasonOf(held(evidence), words)).toBe("Has Spring. Has not Ordered.");
    expect(reasonOf(held(evidence), { ...words, m: zh })).toBe("有：Spring。 没有：Ordered。");
  });

  it("leaves the word to the service where there is no evidence", () => {
    expect(reasonOf(held(null), words)).toBe("The service's own words.");
    expect(reasonOf(held({ __typename: "ReturnEvidence", receipts: null }), words)).toBe(
      "The service's own words.",
    );
  });
});
