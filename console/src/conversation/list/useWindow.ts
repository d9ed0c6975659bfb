import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";
import { rowsInSight } from "./window";

/** Rows that are there above and below what is in sight. */
const MORE = 6;
/** How long nothing must move until a list counts as resting, in milliseconds. */
const RESTS_AFTER = 150;

/** Tells which rows of a long list are to be there, as its element `ref` is scrolled; rows are so many rem high. */
export function useWindow(count: number, rem: number) {
  const ref = useRef<HTMLDivElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [resting, setResting] = useState(true);
  const [view, setView] = useState({ scrolled: 0, height: 0, rowHeight: rem * 16 });
  const measure = useCallback(() => {
    const element = ref.current;
    if (!element) return;
    const rowHeight = rem * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    const next = { scrolled: element.scrollTop, height: element.clientHeight, rowHeight };
    setView((before) =>
      before.scrolled === next.scrolled && before.height === next.height && before.rowHeight === rowHeight
        ? before
        : next,
    );
  }, [rem]);
  useLayoutEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, [measure]);
  const onScroll = () => {
    measure();
    setResting(false);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setResting(true), RESTS_AFTER);
  };
  const { scrolled, height, rowHeight } = view;
  const sight = rowsInSight(scrolled, height, rowHeight, count, 0);
  return {
    ref,
    onScroll,
    window: rowsInSight(scrolled, height, rowHeight, count, MORE),
    resting,
    rowHeight,
    /** Rows that fit into what is in sight. */
    page: Math.max(1, Math.floor(height / rowHeight) - 1),
    isInSight: (index: number) => index >= sight.first && index < sight.end,
    scrollTo: (target: (scrolled: number, height: number) => number) => {
      const element = ref.current;
      if (element) element.scrollTop = target(element.scrollTop, element.clientHeight);
    },
  };
}
