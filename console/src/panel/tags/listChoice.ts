import type { TagKind, TagState } from "../../api/generated/graphql";
import { normalized } from "./search";
import type { TagRow } from "./tagList";

export const KINDS: readonly TagKind[] = ["DEFAULT", "RETURN", "AD", "COMBO"];
export const STATES: readonly TagState[] = ["PENDING", "ACTIVE", "LAPSED"];
export const SORTS = ["name", "people", "newest", "edited"] as const;
export type TagSort = (typeof SORTS)[number];

/** What is chosen on the list of tags; all of it is in the address. */
export interface ListChoice {
  readonly search: string;
  readonly kind: TagKind | null;
  readonly state: TagState | null;
  readonly sort: TagSort;
}

/** Reads what is chosen from a query string; whatever it does not know counts as not chosen. */
export function readChoice(query: URLSearchParams): ListChoice {
  return {
    search: query.get("search") ?? "",
    kind: oneOf(KINDS, query.get("kind")),
    state: oneOf(STATES, query.get("state")),
    sort: oneOf(SORTS, query.get("sort")) ?? "name",
  };
}

/** Writes what is chosen into a copy of a query string, leaving out what is as usual. */
export function writeChoice(query: URLSearchParams, choice: ListChoice): URLSearchParams {
  const written = new URLSearchParams(query);
  const set = (key: string, value: string | null) => (value ? written.set(key, value) : written.delete(key));
  set("search", choice.search);
  set("kind", choice.kind);
  set("state", choice.state);
  set("sort", choice.sort === "name" ? null : choice.sort);
  return written;
}

function oneOf<Value extends string>(values: readonly Value[], text: string | null): Value | null {
  return values.find((value) => value === text) ?? null;
}

/** Returns the tags that fit what is chosen, in its order; equal ones by category and name. */
export function chosenTags(tags: Iterable<TagRow>, choice: ListChoice, locale: string): TagRow[] {
  const wanted = normalized(choice.search);
  const found: TagRow[] = [];
  for (const tag of tags) {
    if (choice.kind && tag.kind !== choice.kind) continue;
    if (choice.state && tag.state !== choice.state) continue;
    if (wanted && !normalized(tag.name).includes(wanted) && !normalized(tag.category).includes(wanted))
      continue;
    found.push(tag);
  }
  const { compare } = new Intl.Collator(locale, { numeric: true });
  const byName = (a: TagRow, b: TagRow) => compare(a.category, b.category) || compare(a.name, b.name);
  const orders: Record<TagSort, (a: TagRow, b: TagRow) => number> = {
    name: byName,
    people: (a, b) => b.memberCount - a.memberCount || byName(a, b),
    newest: (a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt) || byName(a, b),
    edited: (a, b) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt) || byName(a, b),
  };
  return found.sort(orders[choice.sort]);
}

/** Keeps the earlier order of rows that are the same ones, so that nothing moves under a hand; else takes the new one. */
export function heldOrder(before: readonly string[], rows: readonly TagRow[]): readonly TagRow[] {
  if (before.length !== rows.length) return rows;
  const byId = new Map(rows.map((row) => [row.id, row]));
  const held: TagRow[] = [];
  for (const id of before) {
    const row = byId.get(id);
    if (!row) return rows;
    held.push(row);
  }
  return held;
}

/** Splits tags that are ordered by category into one part for each. */
export function byCategory(
  tags: readonly TagRow[],
): readonly { readonly category: string; readonly tags: TagRow[] }[] {
  const parts: { category: string; tags: TagRow[] }[] = [];
  for (const tag of tags) {
    const last = parts.at(-1);
    if (last?.category === tag.category) last.tags.push(tag);
    else parts.push({ category: tag.category, tags: [tag] });
  }
  return parts;
}
