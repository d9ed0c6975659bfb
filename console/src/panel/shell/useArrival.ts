import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { awaitHeading } from "../../ui/title";

const PATIENCE = 3_000;

/**
 * Begin each page at its top, with the focus on its heading; on the way back, where it was left.
 *
 * What changes in the query only (filters, tabs) moves nothing.
 */
export function useArrival(): void {
  const [path] = useLocation();
  const before = useRef(path);
  const left = useRef(new Map<string, number>());
  const back = useRef(false);
  useEffect(() => {
    history.scrollRestoration = "manual";
    const goBack = () => {
      back.current = true;
    };
    const remember = () => left.current.set(before.current, scrollY);
    addEventListener("popstate", goBack);
    addEventListener("scroll", remember, { passive: true });
    return () => {
      removeEventListener("popstate", goBack);
      removeEventListener("scroll", remember);
    };
  }, []);
  useLayoutEffect(() => {
    if (before.current === path) return;
    before.current = path;
    awaitHeading();
    const goal = back.current ? (left.current.get(path) ?? 0) : 0;
    back.current = false;
    return scrollWhenThereIsRoom(goal);
  }, [path]);
}

/** Scrolls to a height as soon as the page is that long; ends the try after a while, or when somebody scrolls. */
function scrollWhenThereIsRoom(goal: number): () => void {
  const observer = new ResizeObserver(() => {
    const room = document.documentElement.scrollHeight - innerHeight;
    scrollTo({ top: Math.min(goal, room), behavior: "instant" });
    if (room >= goal) stop();
  });
  const timer = setTimeout(() => stop(), PATIENCE);
  const stop = () => {
    observer.disconnect();
    clearTimeout(timer);
    removeEventListener("wheel", stop);
    removeEventListener("touchmove", stop);
    removeEventListener("keydown", stop);
  };
  addEventListener("wheel", stop, { passive: true });
  addEventListener("touchmove", stop, { passive: true });
  addEventListener("keydown", stop);
  observer.observe(document.body);
  return stop;
}
