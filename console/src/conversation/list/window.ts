/** A part of a long list: the entries from `first` up to, and not including, `end`. */
export interface Window {
  readonly first: number;
  readonly end: number;
}

/** Returns which rows of one height are in sight, with so many more above and below. */
export function rowsInSight(
  scrolled: number,
  height: number,
  rowHeight: number,
  count: number,
  more: number,
): Window {
  const first = Math.max(0, Math.min(count, Math.floor(scrolled / rowHeight)) - more);
  const end = Math.min(count, Math.ceil((scrolled + height) / rowHeight) + more);
  return { first, end: Math.max(first, end) };
}

/** Returns how far to scroll so that a row is wholly in sight; as far as before where it is. */
export function scrollToRow(index: number, scrolled: number, height: number, rowHeight: number): number {
  const top = index * rowHeight;
  if (top < scrolled) return top;
  return Math.max(scrolled, top + rowHeight - height);
}

/** Returns the row that a key leads to from another one; null for a key that leads nowhere. */
export function rowByKey(key: string, from: number, count: number, page: number): number | null {
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
  const last = count - 1;
  if (key === "Home") return 0;
  if (key === "End") return last;
  const step = steps[key];
  return step === undefined ? null : Math.max(0, Math.min(last, from + step));
}
