import { can, viewer } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import type { Closed } from "./gate";

/** Returns why whoever is signed in may not make, edit and delete tags now; null if they may. */
export function useManageReason(closed: Closed | null): string | null {
  const m = useMessages();
  if (!can("MANAGE_TAGS")) return m.tags.notYours;
  return closed === null ? null : m.tags.gate.title[closed];
}

/** Tells whether the gate of the robot is open, as far as the page knows. */
export function isReady(): boolean {
  return viewer.value?.ready ?? true;
}
