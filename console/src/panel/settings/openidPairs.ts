export const MOST_PAIRS = 10_000;
const OPENID = /^[A-Za-z0-9_-]{1,128}$/;

export interface GivenPairs {
  readonly pairs: readonly { readonly from: string; readonly to: string }[];
  readonly malformed: readonly { readonly line: number; readonly text: string }[];
}

/** Reads pairs of an old and a new openid, one a line, with any separator of cells between them. */
export function readPairs(text: string): GivenPairs {
  const pairs: { from: string; to: string }[] = [];
  const malformed: { line: number; text: string }[] = [];
  text.split(/\r\n|\n|\r/).forEach((row, index) => {
    if (row.trim() === "") return;
    const [from = "", to = "", ...more] = row.trim().split(/[\s,;，；]+/);
    if (OPENID.test(from) && OPENID.test(to) && more.length === 0) pairs.push({ from, to });
    else malformed.push({ line: index + 1, text: row.trim().slice(0, 80) });
  });
  return { pairs, malformed };
}
