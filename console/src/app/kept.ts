/** Returns what this browser was asked to remember; null for nothing, and where it may remember nothing. */
export function kept(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    // A frame of another site may have no storage.
    return null;
  }
}

/** Remembers a choice in this browser, where it may. */
export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // The choice holds for this visit.
  }
}
