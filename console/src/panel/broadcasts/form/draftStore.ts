import { type Draft, newDraft } from "./draft";

/** Returns under which name the draft of a form is kept, for this tab only. */
export function draftName(channel: string, edited: string | null): string {
  return `user-tags-broadcast:${channel}:${edited ?? "new"}`;
}

/** Returns the draft that was kept under a name, completed with what newer forms have; null without a usable one. */
export function keptDraft(name: string): Draft | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(name) ?? "null");
    if (typeof kept !== "object" || kept === null || typeof (kept as Draft).key !== "string") return null;
    return { ...newDraft(), ...(kept as Draft) };
  } catch {
    return null;
  }
}

/** Keeps a draft over a reload. Where the browser keeps nothing, it is lost by a reload only. */
export function keepDraft(name: string, draft: Draft): void {
  try {
    sessionStorage.setItem(name, JSON.stringify(draft));
  } catch {
    // Full, or forbidden: the form itself still has everything.
  }
}

/** Forgets a draft, once it has been sent or given up. */
export function forgetDraft(name: string): void {
  sessionStorage.removeItem(name);
}
