import { signal } from "@preact/signals";

export type Language = "en" | "zh";

/** The language that the page speaks. */
export const language = signal<Language>("en");
