import { useEffect } from "preact/hooks";

/**
 * Calls `again` every so many milliseconds while somebody looks at the page, and at once when they come back to it; `null`
 * calls it no more.
 */
export function useAskingAgain(again: () => void, every: number | null): void {
  useEffect(() => {
    if (every === null) return;
    const look = () => !document.hidden && again();
    const timer = setInterval(look, every);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [again, every]);
}
