/** The most openids of one list (docs/specification.md §4.2); a file may have any number. */
export const MOST_OPENIDS = 10_000;
const OPENID = /^[A-Za-z0-9_-]{1,128}$/;

export interface BadEntry {
  /** Counted from 1, as editors do. */
  readonly line: number;
  readonly text: string;
}

export interface GivenOpenids {
  /** Every entry in its order, repeated and malformed ones too: the receipt counts and names them. */
  readonly entries: readonly string[];
  readonly usable: number;
  readonly repeated: number;
  readonly malformed: readonly BadEntry[];
}

/** Reads openids as people paste them: one a line, or separated by commas, semicolons, tabs or blanks. */
export function readOpenids(text: string): GivenOpenids {
  const entries: string[] = [];
  const malformed: BadEntry[] = [];
  const seen = new Set<string>();
  text.split(/\r\n|\n|\r/).forEach((row, index) => {
    for (const entry of row.split(/[\s,;，；]+/)) {
      if (entry === "") continue;
      entries.push(entry);
      if (!OPENID.test(entry)) malformed.push({ line: index + 1, text: entry.slice(0, 80) });
      else seen.add(entry);
    }
  });
  return { entries, usable: seen.size, repeated: entries.length - malformed.length - seen.size, malformed };
}
