import { useMemo } from "preact/hooks";
import { type Messages as Most, texts, useMessages as useMost } from "../../i18n/messages";

type Own = typeof import("../../i18n/en/audit");
export type Messages = Most & Own;

// Words for every act: they come with the page.
const own = texts<Own>({
  en: () => import("../../i18n/en/audit"),
  zh: () => import("../../i18n/zh/audit"),
});
await own.ready;

/** Returns what the audit log says in the chosen language; whoever renders with it follows a change of it. */
export function useMessages(): Messages {
  const most = useMost();
  const mine = own.use();
  return useMemo(() => ({ ...most, ...mine }), [most, mine]);
}
