import { followersLeaf, group, isGroup, type Operator, type Tree, tagLeaf } from "./tree";

export type Draw = () => number;

/** Returns a source of numbers from 0 up to 1 that are the same for the same seed (mulberry32). */
export function drawFrom(seed: number): Draw {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function oneOf<Item>(items: readonly Item[], draw: Draw): Item {
  const item = items[Math.floor(draw() * items.length)];
  if (item === undefined) throw new RangeError("there is nothing to draw from");
  return item;
}

export const TAGS = ["A", "B", "C", "D"];

/** Draws a finished tree over the tags A to D and the followers, at most `depth` deep. */
export function drawTree(draw: Draw, depth = 4): Tree {
  if (depth === 0 || draw() < 0.3) return draw() < 0.15 ? followersLeaf() : tagLeaf(oneOf(TAGS, draw));
  const operator = oneOf<Operator>(["all", "any", "except"], draw);
  const count = operator === "except" ? 2 : 1 + Math.floor(draw() * 3);
  return group(
    operator,
    Array.from({ length: count }, () => drawTree(draw, depth - 1)),
  );
}

/** Every set of the tags A to D, with and without following. */
export const PEOPLE: readonly ReadonlySet<string>[] = Array.from(
  { length: 32 },
  (_, bits) => new Set([...TAGS, "followers"].filter((_name, place) => bits & (1 << place))),
);

/** Tells whether somebody with these tags is in the set. */
export function holds(tree: Tree, person: ReadonlySet<string>): boolean {
  if (!isGroup(tree)) return person.has(tree.kind === "tag" ? tree.tag : tree.kind);
  const [first, second] = tree.children.map((child) => holds(child, person));
  if (tree.kind === "except") return first === true && second !== true;
  if (tree.kind === "all") return tree.children.every((child) => holds(child, person));
  return tree.children.some((child) => holds(child, person));
}

/** Writes who is in the set, so that two trees can be compared by what they mean. */
export function meaning(tree: Tree): string {
  return PEOPLE.map((person) => (holds(tree, person) ? "1" : "0")).join("");
}
