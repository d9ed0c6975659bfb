import { effect, signal } from "@preact/signals";
import type * as en from "./en";
import { type Language, language } from "./language";

/** What most pages say, by part; Chinese has exactly the entries of English, or it does not compile. */
export type Messages = typeof en;

interface Texts<Part> {
  /** Resolves when they can be used. */
  readonly ready: Promise<void>;
  /** Returns them in the chosen language; whoever renders with it follows a change of the language. */
  readonly use: () => Part;
}

/** Returns texts that are loaded in the chosen language only, now and whenever another one is chosen. */
export function texts<Part>(load: Record<Language, () => Promise<Part>>): Texts<Part> {
  const spoken = signal<Part | null>(null);
  const ready = new Promise<void>((resolve) => {
    effect(() => {
      const chosen = language.value;
      load[chosen]().then((loaded) => {
        // Another one was chosen meanwhile: that one is awaited.
        if (chosen !== language.peek()) return;
        spoken.value = loaded;
        resolve();
      });
    });
  });
  const use = () => {
    if (spoken.value === null) throw new Error("Nothing is rendered before `ready`.");
    return spoken.value;
  };
  return { ready, use };
}

const most = texts<Messages>({ en: () => import("./en"), zh: () => import("./zh") });

/** Resolves when the page can speak. */
export const { ready } = most;

/** Returns what most pages say in the chosen language; whoever renders with it follows a change of the language. */
export const useMessages: () => Messages = most.use;
