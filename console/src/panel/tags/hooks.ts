import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";

/** Returns why whoever is signed in may not make, edit and delete tags; null if they may. */
export function useManageReason(): string | null {
  const m = useMessages();
  return can("MANAGE_TAGS") ? null : m.tags.notYours;
}
