import { useMemo } from "preact/hooks";
import { type Messages as Most, texts, useMessages as useMost } from "../../i18n/messages";

type Own = typeof import("../../i18n/en/webhooks");
export type Messages = Most & Own;

// Whoever never looks at webhooks does not load them.
const own = texts<Own>({
  en: () => import("../../i18n/en/webhooks"),
  zh: () => import("../../i18n/zh/webhooks"),
});
await own.ready;

/** Returns what pages of webhooks say in the chosen language; whoever renders with it follows a change of it. */
export function useMessages(): Messages {
  const most = useMost();
  const mine = own.use();
  return useMemo(() => ({ ...most, ...mine }), [most, mine]);
}
