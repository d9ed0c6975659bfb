import type { Conversation } from "../chat/demoChat";

/** Returns the conversations with newer ones put in their place: the newest first, each person once. */
export function mergeConversations(
  known: readonly Conversation[],
  newer: readonly Conversation[],
): readonly Conversation[] {
  const merged = new Map(known.map((each) => [each.openid, each]));
  let changed = false;
  for (const each of newer) {
    const before = merged.get(each.openid);
    if (before && numberOf(before) >= numberOf(each)) continue;
    merged.set(each.openid, each);
    changed = true;
  }
  if (!changed) return known;
  return [...merged.values()].sort((a, b) => timeOf(b) - timeOf(a) || numberOf(b) - numberOf(a));
}

function numberOf({ last }: Conversation): number {
  return last?.number ?? 0;
}

function timeOf({ last }: Conversation): number {
  return last === null ? 0 : Date.parse(last.at);
}

/**
 * Returns the conversations in the order that somebody is looking at: what is new comes last until it may move, and
 * `moved` says how many would stand elsewhere.
 */
export function holdOrder(
  current: readonly Conversation[],
  held: readonly string[] | null,
): { readonly shown: readonly Conversation[]; readonly moved: number } {
  if (held === null) return { shown: current, moved: 0 };
  const places = new Map(held.map((openid, index) => [openid, index]));
  const known = current.filter(({ openid }) => places.has(openid));
  const shown = [...known].sort((a, b) => (places.get(a.openid) ?? 0) - (places.get(b.openid) ?? 0));
  const fresh = current.length - known.length;
  return { shown, moved: fresh + countMoved(shown, known) };
}

/** Counts who went up: somebody who stands behind nobody who stood in front before did not move. */
function countMoved(shown: readonly Conversation[], current: readonly Conversation[]): number {
  const before = new Map(shown.map(({ openid }, index) => [openid, index]));
  let furthest = Number.POSITIVE_INFINITY;
  let moved = 0;
  for (let index = current.length - 1; index >= 0; index -= 1) {
    const place = before.get(current[index]?.openid ?? "") ?? 0;
    if (place > furthest) moved += 1;
    else furthest = place;
  }
  return moved;
}

/** Returns the conversations whose openid contains a text; all of them for none. */
export function findConversations(all: readonly Conversation[], text: string): readonly Conversation[] {
  const sought = text.trim();
  return sought === "" ? all : all.filter(({ openid }) => openid.includes(sought));
}

/** Tells whether a text can be an openid, as the API takes them. */
export function isOpenid(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,128}$/.test(text);
}
