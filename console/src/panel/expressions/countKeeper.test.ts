import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { TagExpressionInput } from "../../api/generated/graphql";
import { type Answers, type Ask, CountKeeper, PAUSE, type Size } from "./countKeeper";
import { fromQueryString } from "./queryString";
import { group, type Tree, tagLeaf } from "./tree";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function read(text: string): Tree {
  const tree = fromQueryString(text);
  if (!tree) throw new Error(text);
  return tree;
}

/** A service that answers when it is told to, and remembers what was asked. */
function service() {
  const asked: TagExpressionInput[][] = [];
  const stopped: number[] = [];
  let answer: ((answers: Answers) => void) | null = null;
  const ask: Ask = (expressions, then) => {
    const place = asked.push([...expressions]) - 1;
    answer = then;
    return () => stopped.push(place);
  };
  const reply = (...counts: number[]) =>
    answer?.(counts.map((count) => ({ size: { count } as unknown as Size, problem: null })));
  return { asked, stopped, ask, reply };
}

it("asks once for a burst of changes, and only for the last of them", () => {
  const { asked, ask, reply } = service();
  const keeper = new CountKeeper(ask);
  for (const text of ["A", "all(A,B)", "all(A,B,C)"]) keeper.show("editor", [read(text)]);
  vi.advanceTimersByTime(PAUSE);
  expect(asked).toEqual([[{ all: [{ tag: "A" }, { tag: "B" }, { tag: "C" }] }]]);
  expect(keeper.countOf(read("all(C,B,A)"))).toMatchObject({ asking: true, size: null });
  reply(7);
  expect(keeper.countOf(read("all(C,B,A)"))).toMatchObject({ asking: false, size: { count: 7 } });
});

it("asks only for what it does not know", () => {
  const { asked, ask, reply } = service();
  const keeper = new CountKeeper(ask);
  keeper.show("editor", [read("all(any(A,B),C)"), read("any(A,B)")]);
  vi.advanceTimersByTime(PAUSE);
  reply(1, 2);
  keeper.show("editor", [read("all(C,D,any(B,A))"), read("any(B,A)"), read("all(all(any(A,B)),C)")]);
  vi.advanceTimersByTime(PAUSE);
  expect(asked[1]).toEqual([{ all: [{ tag: "C" }, { tag: "D" }, { any: [{ tag: "B" }, { tag: "A" }] }] }]);
});

it("asks for many in several requests, one after the other", () => {
  const { asked, ask, reply } = service();
  const keeper = new CountKeeper(ask);
  const many = Array.from({ length: 20 }, (_, index) => group("any", [tagLeaf(`T${index}`), tagLeaf("A")]));
  keeper.show("editor", many);
  vi.advanceTimersByTime(PAUSE);
  expect(asked).toHaveLength(1);
  reply(...Array.from({ length: 8 }, () => 1));
  reply(...Array.from({ length: 8 }, () => 1));
  expect(asked.map((each) => each.length)).toEqual([8, 8, 4]);
});

it("stops asking for what is no longer shown", () => {
  const { asked, stopped, ask } = service();
  const keeper = new CountKeeper(ask);
  keeper.show("editor", [read("all(A,B)")]);
  vi.advanceTimersByTime(PAUSE);
  keeper.show("editor", [read("all(A,C)")]);
  expect(stopped).toEqual([0]);
  vi.advanceTimersByTime(PAUSE);
  expect(asked[1]).toEqual([{ all: [{ tag: "A" }, { tag: "C" }] }]);
});

it("counts what is chosen while something is still to be chosen", () => {
  const { asked, ask, reply } = service();
  const keeper = new CountKeeper(ask);
  keeper.show("editor", [read("all(A,any(),except(B,_))"), read("all()"), read("except(_,A)")]);
  vi.advanceTimersByTime(PAUSE);
  expect(asked).toEqual([[{ all: [{ tag: "A" }, { tag: "B" }] }]]);
  reply(3);
  expect(keeper.countOf(read("all(A,any(),except(B,_))")).size?.count).toBe(3);
  expect(keeper.countOf(read("except(_,A)")).size).toBeNull();
});

it("shows the old count until a tag that changed was counted again", () => {
  const { asked, ask, reply } = service();
  const keeper = new CountKeeper(ask);
  keeper.show("editor", [read("all(A,B)"), read("all(A,C)")]);
  vi.advanceTimersByTime(PAUSE);
  reply(3, 4);
  keeper.renew(["B"]);
  keeper.renew(["B"]);
  vi.advanceTimersByTime(1000);
  expect(asked.slice(1)).toEqual([[{ all: [{ tag: "A" }, { tag: "B" }] }]]);
  expect(keeper.countOf(read("all(A,B)"))).toMatchObject({ asking: true, size: { count: 3 } });
  reply(5);
  expect(keeper.countOf(read("all(A,B)")).size?.count).toBe(5);
});
