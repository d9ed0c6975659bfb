import { useMemo } from "preact/hooks";
import { type Messages as Most, texts, useMessages as useMost } from "../../i18n/messages";

type Own = typeof import("../../i18n/en/settings");
export type Messages = Most & Own;

// They come with the page of settings only.
const own = texts<Own>({
  en: () => import("../../i18n/en/settings"),
  zh: () => import("../../i18n/zh/settings"),
});
await own.ready;

/** Returns what the page of settings says; whoever renders with it follows a change of the language. */
export function useMessages(): Messages {
  const most = useMost();
  const mine = own.use();
  return useMemo(() => ({ ...most, ...mine }), [most, mine]);
}
