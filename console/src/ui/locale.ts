import type { Language } from "../i18n/language";

/** The locale by which Intl writes for a language. */
export function locale(language: Language): string {
  return language === "zh" ? "zh-CN" : "en-GB";
}
