import { useLayoutEffect, useRef } from "preact/hooks";
import { locale } from "../i18n/language";
import styles from "./Count.module.css";

const DURATION = 400;

/** The figure to show when `elapsed` ms of a move from one number to another are over. */
export function between(from: number, to: number, elapsed: number): number {
  const rest = Math.max(0, 1 - elapsed / DURATION);
  return Math.round(to - (to - from) * rest ** 3);
}

/** Shows a number that moves calmly when it changes; nothing is announced. */
export function Count({ value }: { value: number }) {
  const ref = useRef<HTMLDataElement>(null);
  const shown = useRef(value);
  const format = new Intl.NumberFormat(locale());
  useLayoutEffect(() => {
    const element = ref.current;
    const from = shown.current;
    if (!element) return;
    const show = (figure: number) => {
      shown.current = figure;
      element.textContent = format.format(figure);
    };
    if (from === value || document.hidden || matchMedia("(prefers-reduced-motion: reduce)").matches) {
      show(value);
      return;
    }
    const start = performance.now();
    let frame = requestAnimationFrame(function move(now) {
      show(between(from, value, now - start));
      if (shown.current !== value) frame = requestAnimationFrame(move);
    });
    return () => cancelAnimationFrame(frame);
  });
  return <data ref={ref} value={value} class={styles.count} />;
}
