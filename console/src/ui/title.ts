import { effect, signal } from "@preact/signals";

/** Name of the whole site, at the end of each title; whoever frames the page says it in its language. */
export const site = signal("");
const page = signal("");

effect(() => {
  const title = [page.value, site.value].filter(Boolean).join(" · ");
  if (title) document.title = title;
});

/** Name the page in the title of the window. */
export function nameWindow(text: string): void {
  page.value = text;
}

let awaited = false;

/** Give the focus to the next heading of a page, as a reader would expect after following a link. */
export function awaitHeading(): void {
  awaited = true;
}

/** Take the focus if a page has been navigated to and nothing in it has the focus yet. */
export function arrive(heading: HTMLElement): void {
  const elsewhere = document.activeElement?.closest("main :is(input, select, textarea), dialog");
  if (awaited && !elsewhere) heading.focus({ preventScroll: true });
  awaited = false;
}
