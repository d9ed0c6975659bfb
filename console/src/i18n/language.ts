import { effect, signal } from "@preact/signals";
import { keep, kept } from "../app/kept";

export type Language = "en" | "zh";

const KEPT_AS = "user-tags-language";

function preferred(): Language {
  // Whoever embeds a page asks for the language of what is around it.
  const asked = new URLSearchParams(location.search).get("language");
  const tag = asked ?? kept(KEPT_AS) ?? navigator.languages.find((each) => /^(en|zh)\b/i.test(each)) ?? "en";
  return tag.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** Language of the page: what was chosen here before, else the first of the browser's that there is. */
export const language = signal<Language>(preferred());

/** Chooses a language, for the next visits too. */
export function chooseLanguage(chosen: Language): void {
  keep(KEPT_AS, chosen);
  language.value = chosen;
}

/** The locale of numbers, dates and lists. */
export function locale(): string {
  return language.value === "zh" ? "zh-CN" : "en-GB";
}

effect(() => {
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
});
