/** The most ids that one tag may have, and how long each may be (docs/specification.md §4.3). */
export const MOST_IDS = 1_000;
const LONGEST = 64;
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
const CELLS = /\t/;

export interface BadLine {
  /** Counted from 1, as editors do. */
  readonly line: number;
  readonly text: string;
  readonly why: "repeated" | "malformed" | "severalCells";
}

export interface GivenAds {
  /** The ids as they will be stored, each once, in their order. */
  readonly ids: readonly string[];
  /** Lines that are no id or repeat one; repeated ones do no harm. */
  readonly lines: readonly BadLine[];
}

/**
 * Reads ids of ads, one a line, as people type or paste them. A column that comes from a spreadsheet may have quotes around
 * its cells; a line of several cells is not taken, since nobody knows which of them is the id.
 */
export function readAdIds(text: string): GivenAds {
  const ids = new Set<string>();
  const lines: BadLine[] = [];
  text.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/).forEach((raw, index) => {
    const id = tidy(raw);
    if (id === "") return;
    const why = problemOf(id, ids);
    if (why) lines.push({ line: index + 1, text: id.slice(0, 80), why });
    else ids.add(id);
  });
  return { ids: [...ids], lines };
}

function problemOf(id: string, known: ReadonlySet<string>): BadLine["why"] | null {
  if (CELLS.test(id)) return "severalCells";
  if ([...id].length > LONGEST || FORBIDDEN.test(id)) return "malformed";
  return known.has(id) ? "repeated" : null;
}

function tidy(line: string): string {
  const plain = line.normalize("NFKC").replace(IGNORABLE, "").trim();
  return /^".*"$/.test(plain) ? plain.slice(1, -1).trim() : plain;
}

/** What an edit of the list would do to it. */
export function changeOf(
  before: readonly string[],
  after: readonly string[],
): { added: number; gone: number } {
  const had = new Set(before);
  const has = new Set(after);
  return {
    added: after.filter((id) => !had.has(id)).length,
    gone: before.filter((id) => !has.has(id)).length,
  };
}
