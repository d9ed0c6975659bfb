import { signal } from "@preact/signals";

let timer: ReturnType<typeof setInterval> | undefined;

/** What time it is, in ms, to the second; ticks while somebody looks at it. */
export const now = signal(Date.now(), {
  watched() {
    tick();
    timer = setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
  },
  unwatched() {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", tick);
  },
});

function tick(): void {
  if (!document.hidden) now.value = Date.now();
}
