import { useMemo } from "preact/hooks";
import { type Messages as Most, texts, useMessages as useMost } from "../../i18n/messages";

type Own = typeof import("../../i18n/en/merging");
type Messages = Most & Own;

// Tags are merged now and then, so these come when somebody does.
const own = texts<Own>({
  en: () => import("../../i18n/en/merging"),
  zh: () => import("../../i18n/zh/merging"),
});
await own.ready;

/** Returns what is said of merging in the chosen language; whoever renders with it follows a change of it. */
export function useMessages(): Messages {
  const most = useMost();
  const mine = own.use();
  return useMemo(() => ({ ...most, ...mine }), [most, mine]);
}
