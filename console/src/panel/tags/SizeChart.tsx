import { useMemo, useState } from "preact/hooks";
import { formatCount, formatInstant } from "../../i18n/format";
import { locale } from "../../i18n/language";
import { useMessages } from "../../i18n/messages";
import type { Size } from "./ranges";
import styles from "./SizeChart.module.css";
import { pathOf, sizeAt, stepsOf } from "./steps";

const WIDTH = 1000;
const HEIGHT = 240;
const DAY = 86_400_000;
const TIMES = [0, 1 / 3, 2 / 3, 1];

/** Draws sizes as steps, since each holds until the next; what is pointed at is said below. */
export function SizeChart({ sizes, label }: { sizes: readonly Size[]; label: string }) {
  const m = useMessages();
  const [pointed, setPointed] = useState<number | null>(null);
  const steps = useMemo(() => stepsOf(sizes), [sizes]);
  const path = pathOf(steps, WIDTH, HEIGHT);
  const beginning = steps.points[0]?.x ?? 0;
  const point = pointed === null ? undefined : sizes[pointed];
  const place = pointed === null ? undefined : steps.points[pointed];
  const follow = (event: PointerEvent & { readonly currentTarget: Element }) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setPointed(sizeAt(steps, (event.clientX - left) / width));
  };
  return (
    <figure class={styles.figure}>
      <div class={styles.plot}>
        <div class={styles.counts} aria-hidden="true">
          {steps.counts.map(({ y, count }) => (
            <span key={count} style={{ insetBlockStart: `${100 * y}%` }}>
              {formatCount(count)}
            </span>
          ))}
          {/* Makes the column as wide as the longest number. */}
          <span class={styles.widest}>{formatCount(steps.counts.at(-1)?.count ?? 0)}</span>
        </div>
        <svg
          class={styles.chart}
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={label}
          onPointerMove={follow}
          onPointerLeave={() => setPointed(null)}
        >
          {steps.counts.map(({ y, count }) => (
            <line key={count} class={styles.grid} x1={0} x2={WIDTH} y1={y * HEIGHT} y2={y * HEIGHT} />
          ))}
          <path class={styles.area} d={`${path}V${HEIGHT}H${beginning * WIDTH}Z`} />
          <path class={styles.line} d={path} />
          {place && (
            <line class={styles.pointed} x1={place.x * WIDTH} x2={place.x * WIDTH} y1={0} y2={HEIGHT} />
          )}
        </svg>
      </div>
      <div class={styles.times} aria-hidden="true">
        {TIMES.map((share) => (
          <span key={share}>{timeLabel(steps.from, steps.to, share)}</span>
        ))}
      </div>
      <figcaption class={styles.caption}>
        {point ? `${formatInstant(point.at)}: ${m.tags.people(formatCount(point.memberCount))}` : label}
      </figcaption>
    </figure>
  );
}

function timeLabel(from: number, to: number, share: number): string {
  const form: Intl.DateTimeFormatOptions =
    to - from > 2 * DAY ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(locale(), form).format(from + (to - from) * share);
}
