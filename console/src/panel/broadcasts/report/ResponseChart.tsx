import { formatCount, formatShare } from "../../../i18n/format";
import { useMessages } from "../messages";
import styles from "./ResponseChart.module.css";
import { linePath, type ResponsePoint, share } from "./responseSeries";

const WIDTH = 600;
const HEIGHT = 140;

/** Draws which share of people had written after so many hours; the table beside it has the numbers. */
export function ResponseChart({ points }: { points: readonly ResponsePoint[] }) {
  const m = useMessages();
  const words = m.broadcasts.report;
  const sent = points.map((point) => share(point.sentMessaged, point.sent));
  const heldOut = points.some((point) => point.heldOut > 0)
    ? points.map((point) => share(point.heldOutMessaged, point.heldOut))
    : null;
  const most = Math.max(...sent, ...(heldOut ?? []));
  const step = WIDTH / (points.length - 1);
  return (
    <figure class={styles.figure}>
      <figcaption class={styles.caption}>
        {words.chart}
        <span class={styles.key}>
          <i class={styles.sentMark} /> {words.ofSent}
        </span>
        {heldOut && (
          <span class={styles.key}>
            <i class={styles.heldOutMark} /> {words.ofHeldOut}
          </span>
        )}
      </figcaption>
      <svg
        class={styles.chart}
        viewBox={`-44 -10 ${WIDTH + 60} ${HEIGHT + 34}`}
        role="img"
        aria-label={words.chart}
      >
        <path class={styles.axis} d={`M0 0V${HEIGHT}H${WIDTH}`} />
        <text class={styles.text} x={-6} y={4} text-anchor="end">
          {formatShare(most)}
        </text>
        <text class={styles.text} x={-6} y={HEIGHT} text-anchor="end">
          {formatShare(0)}
        </text>
        {points.map(({ hours }, index) => (
          <text key={hours} class={styles.text} x={index * step} y={HEIGHT + 18} text-anchor="middle">
            {words.hours(formatCount(hours))}
          </text>
        ))}
        {heldOut && <path class={styles.heldOut} d={linePath(heldOut, most, WIDTH, HEIGHT)} />}
        <path class={styles.sent} d={linePath(sent, most, WIDTH, HEIGHT)} />
      </svg>
    </figure>
  );
}
