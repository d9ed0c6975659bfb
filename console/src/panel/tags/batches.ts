/** How many tags are asked for at once: 30 with their sizes count about 25,000 values of the 50,000 allowed. */
export const BATCH = 30;

/** Splits ids into as many requests as they need. */
export function batches(ids: readonly string[], size = BATCH): string[][] {
  const parts: string[][] = [];
  for (let at = 0; at < ids.length; at += size) parts.push(ids.slice(at, at + size));
  return parts;
}
