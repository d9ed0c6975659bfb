import { useMemo } from "preact/hooks";
import { type Messages as Most, texts, useMessages as useMost } from "../../i18n/messages";

type Own = typeof import("../../i18n/en/looking");
export type Messages = Most & Own;

// They come with the pages and parts of pages that look back or ahead.
const own = texts<Own>({
  en: () => import("../../i18n/en/looking"),
  zh: () => import("../../i18n/zh/looking"),
});
await own.ready;

/** Returns what is said of the past, of what is foreseen and of hints; whoever renders with it follows the language. */
export function useMessages(): Messages {
  const most = useMost();
  const mine = own.use();
  return useMemo(() => ({ ...most, ...mine }), [most, mine]);
}
