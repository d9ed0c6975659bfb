import * as en from "./en";
import { language } from "./language";
import * as zh from "./zh";

/** Everything the console says, by part; Chinese has exactly the entries of English, or it does not compile. */
export type Messages = typeof en;

const dictionaries: Record<"en" | "zh", Messages> = { en, zh };

/** Returns what the console says in the chosen language; whoever renders with it follows a change of the language. */
export function useMessages(): Messages {
  return dictionaries[language.value];
}
