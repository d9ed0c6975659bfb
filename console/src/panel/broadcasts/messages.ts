import { useMemo } from "preact/hooks";
import { type Messages as Most, texts, useMessages as useMost } from "../../i18n/messages";

type Own = typeof import("../../i18n/en/broadcasts");
export type Messages = Most & Own;

// They are as many as those of all other pages together, so they come with the first page of broadcasts.
const own = texts<Own>({
  en: () => import("../../i18n/en/broadcasts"),
  zh: () => import("../../i18n/zh/broadcasts"),
});
await own.ready;

/** Returns what pages of broadcasts say in the chosen language; whoever renders with it follows a change of it. */
export function useMessages(): Messages {
  const most = useMost();
  const mine = own.use();
  return useMemo(() => ({ ...most, ...mine }), [most, mine]);
}
