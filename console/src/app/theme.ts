import { effect, signal } from "@preact/signals";
import { keep, kept } from "./kept";

export type Theme = "system" | "light" | "dark";

const KEPT_AS = "user-tags-theme";

function chosenBefore(): Theme {
  // Whoever embeds a page asks for the looks of what is around it.
  const theme = new URLSearchParams(location.search).get("theme") ?? kept(KEPT_AS);
  return theme === "light" || theme === "dark" ? theme : "system";
}

/** How the page looks: as the system does, unless something else was chosen here. */
export const theme = signal<Theme>(chosenBefore());

/** Chooses how the page looks, for the next visits too. */
export function chooseTheme(chosen: Theme): void {
  keep(KEPT_AS, chosen);
  theme.value = chosen;
}

effect(() => {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});
