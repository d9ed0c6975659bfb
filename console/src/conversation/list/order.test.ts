import { describe, expect, it } from "vitest";
import type { Conversation } from "../chat/demoChat";
import { findConversations, holdOrder, isOpenid, mergeConversations } from "./order";

function talk(openid: string, number: number, at = number): Conversation {
  const instant = new Date(at * 1000).toISOString();
  return { openid, last: { number, at: instant, by: "PERSON", kind: "TEXT", text: "" } };
}

function order(conversations: readonly Conversation[]): string {
  return conversations.map(({ openid }) => openid).join(" ");
}

describe("mergeConversations", () => {
  const known = [talk("c", 3), talk("b", 2), talk("a", 1)];

  it("puts whoever said something on top, once", () => {
    expect(order(mergeConversations(known, [talk("a", 4), talk("d", 5)]))).toBe("d a c b");
  });

  it("is the very same list where nothing is new", () => {
    expect(mergeConversations(known, [talk("b", 2), talk("c", 3)])).toBe(known);
  });

  it("takes no older word for a newer one", () => {
    expect(mergeConversations([talk("a", 9)], [talk("a", 4)])[0]?.last?.number).toBe(9);
  });

  it("goes by the time, and by the number within one instant", () => {
    expect(order(mergeConversations([talk("a", 9, 1)], [talk("b", 4, 2), talk("c", 5, 2)]))).toBe("c b a");
  });
});

describe("holdOrder", () => {
  const before = ["a", "b", "c", "d"];

  it("follows the newest where nobody holds it", () => {
    const current = [talk("b", 2), talk("a", 1)];
    expect(holdOrder(current, null)).toEqual({ shown: current, moved: 0 });
  });

  it("keeps the order that is looked at, with what was said last", () => {
    const current = [talk("c", 9), talk("a", 4), talk("b", 3), talk("d", 1)];
    const { shown, moved } = holdOrder(current, before);
    expect(order(shown)).toBe("a b c d");
    expect(shown[2]?.last?.number).toBe(9);
    expect(moved).toBe(1);
  });

  it("counts who went up and who is new", () => {
    const current = [talk("e", 9), talk("d", 8), talk("c", 7), talk("a", 2), talk("b", 1)];
    expect(holdOrder(current, before)).toMatchObject({ moved: 3 });
    expect(holdOrder([talk("a", 4), talk("b", 3)], before).moved).toBe(0);
  });
});

describe("findConversations", () => {
  it("finds a part of an openid, and everything by nothing", () => {
    const all = [talk("oAda", 2), talk("oBob", 1)];
    expect(order(findConversations(all, " Ad "))).toBe("oAda");
    expect(findConversations(all, " ")).toBe(all);
  });
});

describe("isOpenid", () => {
  it.each([
    ["oAda_-9", true],
    ["", false],
    ["o Ada", false],
    ["é", false],
    ["o".repeat(129), false],
  ])("%j: %s", (text, expected) => expect(isOpenid(text)).toBe(expected));
});
