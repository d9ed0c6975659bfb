import styles from "./Sparkline.module.css";
import { type Point, sparklinePath } from "./sparklinePath";

const WIDTH = 96;
const HEIGHT = 24;

/** Draws how a number went, small enough for a row; `label` says it in words. */
export function Sparkline({ points, label }: { points: readonly Point[]; label: string }) {
  const line = sparklinePath(points, WIDTH, HEIGHT);
  return (
    <svg
      class={styles.sparkline}
      viewBox={`-2 -2 ${WIDTH + 4} ${HEIGHT + 4}`}
      width={WIDTH}
      height={HEIGHT}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {line && <path class={styles.area} d={`${line}V${HEIGHT}H0Z`} />}
      {line && <path class={styles.line} d={line} />}
    </svg>
  );
}
