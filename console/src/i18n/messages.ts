import { effect, signal } from "@preact/signals";
import type * as en from "./en";
import { type Language, language } from "./language";

/** Everything the console says, by part; Chinese has exactly the entries of English, or it does not compile. */
export type Messages = typeof en;

const spoken = signal<Messages | null>(null);

/** Resolves when the page can speak; then, and whenever another language is chosen, only its texts are loaded. */
export const ready: Promise<void> = new Promise((resolve) => {
  effect(() => {
    const chosen = language.value;
    load(chosen).then((messages) => {
      // Another one was chosen meanwhile: that one is awaited.
      if (chosen !== language.peek()) return;
      spoken.value = messages;
      resolve();
    });
  });
});

function load(chosen: Language): Promise<Messages> {
  return chosen === "zh" ? import("./zh") : import("./en");
}

/** Returns what the console says in the chosen language; whoever renders with it follows a change of the language. */
export function useMessages(): Messages {
  if (spoken.value === null) throw new Error("Nothing is rendered before `ready`.");
  return spoken.value;
}
